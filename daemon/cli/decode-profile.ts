/**
 * `bms-gateway decode LOG --profile ID`: a dry run of a profile against a capture. The frames go through the
 * real driver on a bus inside the process, in the log's own time; what it knows at the end is printed.
 */
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { createCanDriver } from '../../drivers/can/can-driver.ts';
import { readLogFrames } from '../../drivers/can/log-files.ts';
import { VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import { bindingOf, type DryRun, describeReading } from './dry-run.ts';

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
