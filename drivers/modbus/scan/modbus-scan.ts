/**
 * Which Modbus profiles fit the units of a link: each is tried at the units it may stand on, with its own
 * reads (functions 1 to 4, within the blocks its map defines), and what comes out is weighed.
 */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { PackState } from '../../../core/reading/pack-state.ts';
import type { PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';
import { candidateBinding } from '../../scan/candidate.ts';
import { byConfidence, type Finding } from '../../scan/finding.ts';
import { describeFacts, factsOf, gapsIn } from '../../scan/reading-facts.ts';
import { confidence } from '../../scan/score.ts';
import type { ModbusConnection } from '../connections.ts';
import { ModbusLink, type ReadFailure } from '../modbus-link.ts';
import { wireOf } from '../open-wire.ts';
import { sizeOf } from '../registers/raw-number.ts';
import { registerMap } from '../registers/register-map.ts';
import type { ReadRequest } from '../reply.ts';
import { createUnitReaders } from '../units-of-connection.ts';
import type { VirtualModbusHub } from '../virtual-link.ts';
import { identify } from './sunspec-identity.ts';

export interface ModbusScan {
  readonly connection: ModbusConnection;
  readonly profiles: readonly Profile[];
  /** Units to try beside those the profiles are known to stand on. */
  readonly units: readonly number[];
  readonly clock: Clock;
  readonly hub: VirtualModbusHub;
  /** No new unit is tried after this long. */
  readonly budget_ms: number;
  readonly onProgress: (line: string) => void;
}

export interface ModbusOutcome {
  readonly findings: readonly Finding[];
  /** As it was scanned, with the option that its replies need. */
  readonly connection: ModbusConnection;
  /** Units that gave any reply, also a refusal. */
  readonly answering_units: readonly number[];
  /** Profile and unit that were not tried for want of time. */
  readonly left_out: number;
  readonly counters: Readonly<Record<string, number>>;
}

interface Trial {
  readonly profile: Profile;
  readonly unit: number;
  /** Requests until its silence is believed. */
  readonly attempts: number;
}

/** Where SunSpec units stand as delivered. */
const SUNSPEC_UNITS = [1, 100, 126, 255];
const TIMEOUT_MS = 500;
/** A lost request must not hide a device at its usual unit; units of a range are many and asked once. */
const USUAL_ATTEMPTS = 2;
/** Of a round of a unit that has answered. */
const ROUND_ATTEMPTS = 3;
/** In what is said of a reply that an option of the connection would take. */
const ALLOWED = /allowed by "(\w+): (\w+)"/;
const MIN_CONFIDENCE_PCT = 5;
/** Registers at known places that answer, and a chain with a marker, are not chance. */
const BITS_OF_MAP = 3;
const BITS_OF_MARKER = 6;
const REFUSED_SHARE = 0.6;

/** @throws GatewayError LINK_REFUSED (no connection), LINK_TIMEOUT (nobody answered) */
export async function scanModbus(scan: ModbusScan): Promise<ModbusOutcome> {
  const options: Options = new Map();
  for (;;) {
    const needed: Options = new Map();
    try {
      const connection = { ...scan.connection, ...Object.fromEntries(options) } as ModbusConnection;
      const outcome = await scanOnce({ ...scan, connection }, needed);
      const why = [...options].map(([name, value]) => `"${name}: ${value}" takes its replies`);
      return {
        ...outcome,
        findings: outcome.findings.map(finding => ({ ...finding, why: [...finding.why, ...why] })),
      };
    } catch (error) {
      const is_new = [...needed.keys()].some(name => !options.has(name));
      if (!(error instanceof GatewayError) || error.code !== 'LINK_TIMEOUT' || !is_new) throw error;
    }
    // All that came needs an option: with it the same again.
    for (const [name, value] of needed) options.set(name, value);
  }
}

/** Of the connection, by name. */
type Options = Map<string, string | boolean>;

/** Options that would allow what came are noted in `needed`. */
async function scanOnce(scan: ModbusScan, needed: Options): Promise<ModbusOutcome> {
  const { connection, clock, hub } = scan;
  const connected = Promise.withResolvers<string | undefined>();
  const link = new ModbusLink({
    wire: wireOf(connection, hub),
    clock,
    timeout_ms: connection.timeout_ms ?? TIMEOUT_MS,
    gap_ms: connection.gap_ms ?? 0,
    max_jobs: 1,
    onState: (_, reason) => connected.resolve(reason),
    onFailure: ({ message }) => {
      const [, name, value] = ALLOWED.exec(message) ?? [];
      if (name !== undefined) needed.set(name, value === 'true' ? true : value);
    },
  });
  link.start();
  try {
    const refusal = await connected.promise;
    if (refusal !== undefined) throw new GatewayError('LINK_REFUSED', refusal);
    return await tryAll(scan, link, () => needed.size > 0);
  } finally {
    await link.stop();
  }
}

async function tryAll(
  scan: ModbusScan,
  link: ModbusLink,
  needsOption: () => boolean,
): Promise<ModbusOutcome> {
  const { clock, budget_ms, onProgress } = scan;
  const trials = trialsOf(scan);
  const end_ms = clock.monoMs() + budget_ms;
  const found: Finding[] = [];
  const answering = new Set<number>();
  let tried = 0;
  for (const trial of trials) {
    if (clock.monoMs() >= end_ms || (answering.size === 0 && needsOption())) break;
    tried++;
    onProgress(`${tried} of ${trials.length}: ${trial.profile.id} at unit ${trial.unit}`);
    const replies_before = link.counters.replies;
    const finding = await inJob(link, () => tryOne(scan, link, trial));
    if (link.counters.replies > replies_before) answering.add(trial.unit);
    if (finding) found.push(finding);
  }
  if (answering.size === 0)
    throw new GatewayError(
      'LINK_TIMEOUT',
      `${link.name}: no reply from unit ${[...new Set(trials.slice(0, tried).map(({ unit }) => unit))].join(', ')}; ` +
        'check wiring, baud rate, parity and the address of the device, or name other units with --units',
    );
  return {
    connection: scan.connection,
    findings: settleUnits(found, scan.profiles).sort(byConfidence),
    answering_units: [...answering].sort((a, b) => a - b),
    left_out: trials.length - tried,
    counters: link.counters,
  };
}

/** Every profile at its usual units first, then at those that were asked for. */
function trialsOf({ profiles, units }: ModbusScan): Trial[] {
  const trials: Trial[] = [];
  const add = (profile: Profile, unit: number, attempts: number) => {
    const { address } = profile;
    if (address && (unit < address.min || unit > address.max)) return;
    if (!trials.some(other => other.profile === profile && other.unit === unit))
      trials.push({ profile, unit, attempts });
  };
  const modbus = profiles.filter(({ transport }) => transport === 'modbus');
  for (const profile of modbus) {
    add(profile, profile.address?.default ?? 1, USUAL_ATTEMPTS);
    if (profile.sunspec) for (const unit of SUNSPEC_UNITS) add(profile, unit, 1);
  }
  for (const unit of units) for (const profile of modbus) add(profile, unit, 1);
  return trials;
}

/** The link does one job at a time; this one is waited for. */
function inJob<T>(link: ModbusLink, job: () => Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const taken = link.run(() => job().then(resolve, reject));
    if (!taken) resolve(undefined);
  });
}

async function tryOne(
  scan: ModbusScan,
  link: ModbusLink,
  { profile, unit, attempts }: Trial,
): Promise<Finding | undefined> {
  const binding = candidateBinding(profile, unit);
  const identity = profile.sunspec ? await identify(link, unit) : undefined;
  if (profile.sunspec ? !identity : !(await hasVoltage(scan, link, binding, attempts))) return undefined;
  const state = new PackState(0, binding.shape, Number.POSITIVE_INFINITY);
  const [{ reader }] = createUnitReaders({
    connection: scan.connection,
    bindings: [binding],
    states: [state],
    link,
    clock: scan.clock,
    interval_ms: 1000,
    counters: { discoveries: 0, reads_split: 0, cells_ignored: 0 },
  });
  const failure = await readRound(reader.read.bind(reader));
  const complaints: string[] = [];
  if (!failure)
    reader.commit(scan.clock.monoMs(), (_, complaint) => {
      if (complaint) complaints.push(...complaint.split('; ').filter(text => !/ configured\b/.test(text)));
    });
  const reading = new PackReading(0, binding.shape);
  state.snapshotInto(reading, 0, scan.clock.monoMs());
  const facts = factsOf(reading, profile);
  const refused = complaints.length > 0;
  const confidence_pct = confidence(
    {
      share: refused ? REFUSED_SHARE : 1,
      bits: identity ? BITS_OF_MARKER : BITS_OF_MAP,
      // A reply was asked for: it needs no repetition.
      rounds: Number.POSITIVE_INFINITY,
      misfit_share: 0,
      lacks_voltage: Number.isNaN(facts.voltage_v),
      lacks_cells: profile.cells.max > 0 && facts.cells_plausible === 0,
      claimed_share: 0,
    },
    facts,
  );
  if (confidence_pct < MIN_CONFIDENCE_PCT && !identity) return undefined;
  return {
    profile: profile.id,
    title: profile.title,
    address: unit,
    confidence_pct,
    cells: facts.cells,
    sensors: facts.sensors,
    cell_voltage_max_v: Number.isNaN(facts.cell_max_v) ? undefined : facts.cell_max_v,
    why: [
      ...(identity ?? []),
      ...(failure ? [] : ['its registers answer']),
      ...describeFacts(facts),
      ...facts.agreements,
    ],
    contradictions: [
      ...(failure ? [failure.message] : []),
      ...complaints,
      ...(facts.implausible > 0 ? [`${facts.implausible} values out of range`] : []),
      ...(facts.is_battery ? [] : ['no voltage of a battery in it']),
      ...gapsIn(facts),
      ...facts.disagreements,
    ],
  };
}

/** Asks for the pack's voltage alone: a unit that has no such register is not asked for all the others. */
async function hasVoltage(
  { connection }: ModbusScan,
  link: ModbusLink,
  binding: PackBinding,
  attempts: number,
): Promise<boolean> {
  const { section, blocks, pack } = registerMap(binding);
  const field = pack.find(({ metric }) => metric === PackMetric.voltage_v) ?? pack[0];
  if (!field) return true;
  const { code, first, step } = blocks[field.block];
  const unit = binding.address ?? 1;
  const request: ReadRequest = {
    unit,
    reply_unit: (unit + (section.reply_unit_plus ?? 0)) & 0xff,
    code,
    address: first + field.at * step,
    count: sizeOf(field.type),
    timeout_ms: connection.timeout_ms ?? section.timeout_ms,
    gap_ms: section.gap_ms,
  };
  const words = new Uint16Array(request.count);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const failure = await link.read(request, words);
    if (!failure) return true;
    if (failure.kind === 'exception' || failure.kind === 'link') return false;
  }
  return false;
}

/** A reader goes on where it failed; only silence and busy units are asked again. */
async function readRound(read: () => Promise<ReadFailure | undefined>): Promise<ReadFailure | undefined> {
  let failure: ReadFailure | undefined;
  for (let attempt = 0; attempt < ROUND_ATTEMPTS; attempt++) {
    failure = await read();
    if (!failure || failure.kind === 'exception' || failure.kind === 'link') return failure;
  }
  return failure;
}

/** Two maps over the same registers of one unit cannot both be right. */
function settleUnits(found: readonly Finding[], profiles: readonly Profile[]): Finding[] {
  const byId = new Map(profiles.map(profile => [profile.id, profile]));
  const kept: Finding[] = [];
  for (const finding of [...found].sort(byConfidence)) {
    const rival = kept.find(
      other =>
        other.address === finding.address && overlap(byId.get(other.profile), byId.get(finding.profile)),
    );
    if (!rival) kept.push(finding);
    else if (finding.confidence_pct >= 2 * MIN_CONFIDENCE_PCT)
      kept.push({
        ...finding,
        confidence_pct: Math.round(finding.confidence_pct / 2),
        contradictions: [...finding.contradictions, `the same registers fit ${rival.profile} better`],
      });
  }
  return kept;
}

function overlap(a: Profile | undefined, b: Profile | undefined): boolean {
  const blocksOf = (profile: Profile | undefined) => Object.values(profile?.registers?.blocks ?? {});
  return blocksOf(a).some(one =>
    blocksOf(b).some(other => one.code === other.code && one.first <= other.last && other.first <= one.last),
  );
}
