/**
 * `bms-gateway decode LOG --profile ID`: a dry run of a profile against a capture. The frames go through the
 * real driver on a bus inside the process, in the log's own time; what it knows at the end is printed.
 */
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CELL_METRICS, decimalsOf, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { QUALITY_NAMES, Quality } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { createCanDriver } from '../../drivers/can/can-driver.ts';
import { readLogFrames } from '../../drivers/can/log-files.ts';
import { VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { shapeOf } from '../../drivers/profiles/shape.ts';
import { chosenOptions } from './profile-options.ts';
import { UsageError } from './usage.ts';

export interface DryRun {
  readonly profile: Profile;
  readonly cells: number | undefined;
  readonly address: number | undefined;
  /** `name=value`, as given. */
  readonly options: readonly string[];
}

const CONNECTION_ID = 'log';

export async function decodeWithProfile(log_file: string, run: DryRun): Promise<string[]> {
  const binding = bindingOf(run);
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const context = { clock, log: silentLogger, interval_ms: 1000, onUpdate: () => {}, onLink: () => {} };
  const driver = createCanDriver({ id: CONNECTION_ID, type: 'virtual-can' }, [binding], context, hub);
  const judge = new PackJudge(driver.packs[0], plausibleLimits(run.profile.plausible));
  const node = hub.bus(CONNECTION_ID).attach();
  await driver.start();
  let previous_s: number | undefined;
  const counts = { lines: 0, unreadable: 0 };
  let remote_frames = 0;
  let error_frames = 0;
  const frames = readLogFrames(log_file, counts);
  try {
    for await (const line of frames) {
      clock.advance(Math.max(0, (line.t_s - (previous_s ?? line.t_s)) * 1000));
      previous_s = line.t_s;
      if (line.error) error_frames++;
      else if (line.remote) remote_frames++;
      else node.send({ ...line, length: line.data.length });
    }
  } catch (error) {
    await driver.stop();
    throw error;
  }
  const reading = new PackReading(0, binding.shape);
  driver.packs[0].snapshotInto(reading, clock.wallMs(), clock.monoMs());
  judge.mark(reading);
  const { counters, packs } = driver.health();
  await driver.stop();
  return [
    ...describeReading(reading),
    ...[...(packs[0].reason ? [packs[0].reason] : []), ...judge.reasons(reading)].map(why => `pack: ${why}`),
    `${Object.entries({ ...counters, remote_frames, error_frames, unreadable_lines: counts.unreadable })
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  ];
}

function bindingOf({ profile, cells, address, options }: DryRun): PackBinding {
  if (profile.transport !== 'can')
    throw new UsageError(`profile ${profile.id} is for ${profile.transport}, a log is of a CAN bus`);
  checkRange('--cells', cells, profile, 0, profile.cells.max);
  if (address !== undefined && !profile.address)
    throw new UsageError(`--address ${address}: ${profile.id} has no address, expected none`);
  if (profile.address) checkRange('--address', address, profile, profile.address.min, profile.address.max);
  return {
    pack: 0,
    pack_id: 'log',
    profile,
    address: profile.address ? (address ?? profile.address.default) : undefined,
    shape: shapeOf(profile, cells ?? profile.cells.max),
    options: chosenOptions(profile, options),
    sensor_of_cell: undefined,
  };
}

function checkRange(
  name: string,
  value: number | undefined,
  profile: Profile,
  lowest: number,
  highest: number,
): void {
  if (value === undefined || (value >= lowest && value <= highest)) return;
  throw new UsageError(`${name} ${value}: ${profile.id} has ${lowest} to ${highest}`);
}

function describeReading(reading: PackReading): string[] {
  const lines: string[] = [];
  PACK_METRICS.forEach((metric, m) => {
    const text = valueText(metric, reading.values[m], reading.value_quality[m]);
    if (text) lines.push(`${metric.name.padEnd(28)}${text}`);
  });
  CELL_METRICS.forEach((metric, m) => {
    const column = reading.column(m);
    const quality = reading.columnQuality(m);
    for (let cell = 0; cell < column.length; cell++) {
      const text = valueText(metric, column[cell], quality[cell]);
      if (text) lines.push(`${`cell ${cell + 1} ${metric.name}`.padEnd(28)}${text}`);
    }
  });
  for (let i = 0; i < reading.sensors.length; i++) {
    const text = valueText(SENSOR_METRIC, reading.sensors[i], reading.sensor_quality[i]);
    if (text) lines.push(`${`sensor ${i + 1} ${SENSOR_METRIC.name}`.padEnd(28)}${text}`);
  }
  reading.shape.device_alarms.forEach((code, i) => {
    const level = reading.device_alarm_level[i];
    if (level === DeviceAlarmLevel.warning) lines.push(`${`device alarm ${code}`.padEnd(42)}warning`);
    if (level === DeviceAlarmLevel.alarm) lines.push(`${`device alarm ${code}`.padEnd(42)}alarm`);
  });
  return lines.length > 0 ? lines : ['nothing in the log is for this profile'];
}

/** Undefined where the value is missing; its quality where it is not good. */
function valueText(metric: Metric, value: number, quality: number): string | undefined {
  if (quality === Quality.missing) return undefined;
  const number = `${value.toFixed(decimalsOf(metric))} ${metric.unit}`.trimEnd();
  return quality === Quality.good ? number : `${number} (${QUALITY_NAMES[quality]})`;
}
