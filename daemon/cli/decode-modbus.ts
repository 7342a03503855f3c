/**
 * `bms-gateway decode FILE --profile ID` for Modbus: what a profile makes of requests and replies that somebody recorded. A unit
 * with just these registers is put on a line inside the process; the real driver reads it.
 */
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { type CapturedRead, readExchanges } from '../../drivers/modbus/captured-exchanges.ts';
import { createModbusDriver } from '../../drivers/modbus/modbus-driver.ts';
import { RegisterImage, type RegisterSegment } from '../../drivers/modbus/register-image.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import { bindingOf, type DryRun, describeReading } from './dry-run.ts';
import { readNamedFile } from './named-files.ts';
import { UsageError } from './usage.ts';

const CONNECTION_ID = 'recording';
const INTERVAL_MS = 10_000;
const STEP_MS = 50;
/** A driver finds out by halving which registers were not recorded; blocks that are seldom read take some rounds. */
const ROUNDS = 24;

export interface DecodedExchanges {
  readonly lines: readonly string[];
  /** `FILE:LINE: found …, expected …`. */
  readonly problems: readonly string[];
}

export async function decodeExchanges(file: string, run: DryRun): Promise<DecodedExchanges> {
  const { registers } = run.profile;
  const text = new TextDecoder().decode(readNamedFile(file));
  const { reads, notes, problems } = readExchanges(text, registers?.reply_unit_plus);
  const placed = (lines: readonly string[]) => lines.map(line => `${file}:${line}`);
  if (reads.length === 0) {
    const none = `${file}: found no request with its reply, expected a pair a line in hex, RTU or TCP`;
    return { lines: [], problems: [...placed(problems), none] };
  }
  const units = [...new Set(reads.map(({ unit }) => unit))];
  const unit = unitFor(run, units);
  const binding = bindingOf(run, unit);
  const image = new RegisterImage(
    ...segmentsOf(
      reads.filter(read => read.unit === unit),
      registers?.address_step,
    ),
  );
  const clock = new ManualClock();
  const hub = new VirtualModbusHub();
  const context = {
    clock,
    log: silentLogger,
    interval_ms: INTERVAL_MS,
    onUpdate: () => {},
    onLink: () => {},
  };
  const driver = createModbusDriver({ id: CONNECTION_ID, type: 'virtual-modbus' }, [binding], context, hub);
  hub.attach(CONNECTION_ID, unit, pdu => image.answer(pdu));
  const judge = new PackJudge(driver.packs[0], plausibleLimits(run.profile.plausible));
  await driver.start();
  for (let passed = 0; passed < ROUNDS * INTERVAL_MS; passed += STEP_MS) {
    await new Promise(resolve => setImmediate(resolve));
    clock.advance(STEP_MS);
  }
  const reading = new PackReading(0, binding.shape);
  driver.packs[0].snapshotInto(reading, clock.wallMs(), clock.monoMs());
  judge.mark(reading);
  const reasons = judge.reasons(reading);
  await driver.stop();
  const others = units.filter(other => other !== unit);
  const lines = [
    ...describeReading(reading),
    ...reasons.map(why => `pack: ${why}`),
    ...placed(notes),
    `unit ${unit}: ${reads.filter(read => read.unit === unit).length} replies`,
    ...(others.length > 0 ? [`other units in it: ${others.join(', ')} (--address N)`] : []),
  ];
  return { lines, problems: placed(problems) };
}

/** The one that was asked for, the one the profile begins with, or the only one. */
function unitFor({ profile, address }: DryRun, units: readonly number[]): number {
  if (address !== undefined && !units.includes(address))
    throw new UsageError(`--address ${address}: the file has unit ${units.join(', ')}`);
  const usual = profile.address?.default;
  return address ?? (usual !== undefined && units.includes(usual) ? usual : units[0]);
}

/** As long stretches as there are; of what was read twice the later counts. */
function segmentsOf(reads: readonly CapturedRead[], address_step = 1): RegisterSegment[] {
  const segments: RegisterSegment[] = [];
  for (const code of [1, 2, 3, 4] as const) {
    const step = code <= 2 ? 1 : address_step;
    const words = new Map<number, number>();
    for (const read of reads.filter(one => one.code === code))
      for (const [i, word] of read.words.entries()) words.set(read.address + i * step, word);
    let run: { address: number; words: number[] } | undefined;
    const runs: (typeof run & object)[] = [];
    for (const [address, word] of [...words].sort(([a], [b]) => a - b)) {
      if (run && address === run.address + run.words.length * step) run.words.push(word);
      else {
        run = { address, words: [word] };
        runs.push(run);
      }
    }
    for (const { address, words: held } of runs)
      segments.push({ code, address, step, registers: Uint16Array.from(held) });
  }
  return segments;
}
