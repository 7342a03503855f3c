/** What the dry runs of a profile have in common: the pack they are of, and how its values are printed. */
import { CELL_METRICS, decimalsOf, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import { DeviceAlarmLevel, type PackReading } from '../../core/reading/pack-reading.ts';
import { QUALITY_NAMES, Quality } from '../../core/reading/quality.ts';
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

/** `found`: the address the recording has where none was asked for. @throws UsageError */
export function bindingOf({ profile, cells, address, options }: DryRun, found?: number): PackBinding {
  checkRange('--cells', cells, profile, 0, profile.cells.max);
  if (address !== undefined && !profile.address)
    throw new UsageError(`--address ${address}: ${profile.id} has no address, expected none`);
  if (profile.address) checkRange('--address', address, profile, profile.address.min, profile.address.max);
  return {
    pack: 0,
    pack_id: 'log',
    profile,
    address: profile.address ? (address ?? found ?? profile.address.default) : undefined,
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

export function describeReading(reading: PackReading): string[] {
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
  return lines.length > 0 ? lines : ['nothing in it is for this profile'];
}

/** Undefined where the value is missing; its quality where it is not good. */
function valueText(metric: Metric, value: number, quality: number): string | undefined {
  if (quality === Quality.missing) return undefined;
  const number = `${value.toFixed(decimalsOf(metric))} ${metric.unit}`.trimEnd();
  return quality === Quality.good ? number : `${number} (${QUALITY_NAMES[quality]})`;
}
