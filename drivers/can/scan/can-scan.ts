/**
 * Which CAN profiles fit what was received: each is tried at every address the ids allow, its frames go through
 * the real driver, and what comes out is weighed.
 */
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import type { Profile } from '../../profiles/profile.ts';
import { candidateBinding } from '../../scan/candidate.ts';
import { byConfidence, type Finding } from '../../scan/finding.ts';
import { describeFacts, factsOf, gapsIn, type ReadingFacts } from '../../scan/reading-facts.ts';
import { type ChosenOptions, resolveByOption } from '../../scan/resolving-option.ts';
import { bitsOfId, confidence, type Evidence } from '../../scan/score.ts';
import { Steadiness, withJumps } from '../../scan/steadiness.ts';
import { EXACT_MASK } from '../can-bus.ts';
import { createCanDriver } from '../can-driver.ts';
import { type IsoTpLink, replyKey } from '../iso-tp/iso-tp-reads.ts';
import { Reassembler, Step } from '../iso-tp/reassembler.ts';
import { type MappedMessage, mapPack, type PackMapping, TargetKind } from '../pack-mapping.ts';
import { VirtualCanHub } from '../virtual-bus.ts';
import type { CanTraffic, SeenId } from './traffic.ts';

const BUS = 'scan';
/** Addresses of one profile that are tried; those with most ids first. */
const MAX_ADDRESSES = 64;
/** Findings below this are left out. */
const MIN_CONFIDENCE_PCT = 5;
/** Bits by which checksums that fit, frame after frame, speak against chance. */
const CHECKSUM_BITS = 6;
/** A profile that fits worse is not tried with other options. */
const WORTH_OPTIONS_PCT = 20;
const MAX_TEXT_CHARACTERS = 40;
/** Makers leave bytes off that they do not use: a short frame is a weaker sign than a wrong checksum. */
const SHORT_FRAME = 0.3;

interface Fit {
  readonly binding: PackBinding;
  readonly facts: ReadingFacts;
  readonly evidence: Evidence;
  readonly seen: ReadonlySet<SeenId>;
  readonly why: readonly string[];
  readonly contradictions: readonly string[];
  readonly options?: ChosenOptions;
}

/** Best first. Profiles that are not for CAN are passed over. */
export async function scanTraffic(traffic: CanTraffic, profiles: Iterable<Profile>): Promise<Finding[]> {
  const fits: Fit[] = [];
  for (const profile of profiles) {
    if (!profile.can) continue;
    for (const address of addressesSeen(profile, traffic)) {
      const fit = await bestFitOf(profile, address, traffic);
      if (fit) fits.push(fit);
    }
  }
  return settleClaims(fits).sort(byConfidence);
}

/** Addresses that bring an id of the profile onto an id that was received; [undefined] where it has none. */
export function addressesSeen(profile: Profile, traffic: CanTraffic): (number | undefined)[] {
  const { address } = profile;
  if (!address) return [undefined];
  const { messages } = mapPack(candidateBinding(profile, address.min));
  const votes = new Map<number, number>();
  for (const seen of traffic.ids)
    for (const { id, mask, extended } of messages) {
      if (seen.extended !== extended) continue;
      const by_source = mask !== EXACT_MASK;
      if (by_source && (seen.id & mask & ~0xff) !== (id & mask & ~0xff)) continue;
      const candidate = by_source ? seen.id & 0xff : seen.id - id + address.min;
      if (candidate < address.min || candidate > address.max) continue;
      votes.set(candidate, (votes.get(candidate) ?? 0) + 1);
    }
  return [...votes]
    .sort(([a, votes_a], [b, votes_b]) => votes_b - votes_a || a - b)
    .slice(0, MAX_ADDRESSES)
    .map(([candidate]) => candidate);
}

/** With the option that resolves what speaks against it, where one does. */
async function bestFitOf(
  profile: Profile,
  address: number | undefined,
  traffic: CanTraffic,
): Promise<Fit | undefined> {
  const plain = await fitOf(profile, address, traffic);
  if (!plain || confidence(plain.evidence, plain.facts) < WORTH_OPTIONS_PCT) return plain;
  const attempt = (options: ChosenOptions) => fitOf(profile, address, traffic, options);
  const resolved = await resolveByOption(profile, plain, attempt);
  if (!resolved) return plain;
  const { fit, options, why } = resolved;
  return { ...fit, options, why: [...fit.why, why] };
}

async function fitOf(
  profile: Profile,
  address: number | undefined,
  traffic: CanTraffic,
  options?: ChosenOptions,
): Promise<Fit | undefined> {
  const widest = candidateBinding(profile, address, undefined, undefined, options);
  const seen = seenIdsOf(mapPack(widest), traffic);
  if (seen.size === 0) return undefined;
  const { reading, counters, jumps } = await replay(widest, new Set(seen.values()));
  const facts = withJumps(factsOf(reading, profile), jumps);
  const binding = candidateBinding(profile, address, facts.cells, facts.sensors, options);
  const expected = mapPack(binding).messages.filter(message => !message.sent_only_while_active);
  const came = expected.filter(message => seen.has(message.message.name));
  const frames = counters.frames || 1;
  const short = counters.truncated_frames ?? 0;
  const broken = counters.checksum_errors ?? 0;
  const evidence: Evidence = {
    share: sum(came.map(weightOf)) / Math.max(1, sum(expected.map(weightOf))),
    bits: bitsOf(came, traffic, broken === 0),
    rounds: frames / Math.max(1, came.length),
    misfit_share: Math.min(1, (broken + SHORT_FRAME * short) / frames),
    lacks_voltage: reportsVoltage(expected) && Number.isNaN(facts.voltage_v),
    lacks_cells: profile.cells.max > 0 && facts.cells_plausible === 0,
    claimed_share: 0,
  };
  const missing = expected.length - came.length;
  const not_received = `${missing} of ${expected.length} ids not received`;
  return {
    binding,
    facts,
    evidence,
    seen: new Set(seen.values()),
    why: [
      `ids ${came.length} of ${expected.length} received`,
      ...describeFacts(facts),
      ...facts.agreements,
      ...makerText(profile, seen),
    ],
    contradictions: [
      ...(missing > 0 ? [not_received] : []),
      ...(short > 0 ? [`${short} of ${frames} frames shorter than its layout`] : []),
      ...(broken > 0 ? [`${broken} of ${frames} frames with a wrong checksum`] : []),
      ...(facts.implausible > 0 ? [`${facts.implausible} values out of range`] : []),
      ...(facts.is_battery ? [] : ['no voltage of a battery in it']),
      ...(evidence.lacks_voltage ? ['the voltage of the pack is not reported'] : []),
      ...gapsIn(facts),
      ...(evidence.lacks_cells ? ['no cell has a possible voltage'] : []),
      ...facts.disagreements,
    ],
  };
}

/** The seen id of each message, by message name; of a J1939 message the one with most frames. */
function seenIdsOf({ messages, iso_tp }: PackMapping, traffic: CanTraffic): Map<string, SeenId> {
  const found = new Map<string, SeenId>();
  for (const seen of traffic.ids) {
    for (const link of iso_tp)
      if (seen.id === link.reply_id && seen.extended === link.extended)
        for (const name of repliesIn(seen, link)) found.set(name, seen);
    for (const { id, mask, extended, message, reply_head } of messages) {
      if (reply_head) continue;
      if (seen.extended !== extended || (seen.id & mask) !== (id & mask)) continue;
      if ((found.get(message.name)?.count ?? 0) < seen.count) found.set(message.name, seen);
    }
  }
  return found;
}

/** The messages of replies over ISO-TP that are whole in these frames. */
function repliesIn({ frames }: SeenId, { reads, reply_address }: IsoTpLink): Set<string> {
  const incoming = new Reassembler(reply_address);
  const names = new Set<string>();
  for (const { data, t_ms } of frames) {
    if (incoming.take(data, data.length, t_ms) !== Step.whole) continue;
    const key = replyKey(incoming.message, incoming.length);
    for (const read of reads) if (read.reply_key === key) names.add(read.message);
  }
  return names;
}

/** The frames of these ids through the real driver, in their own time. */
async function replay(
  binding: PackBinding,
  ids: ReadonlySet<SeenId>,
): Promise<{ reading: PackReading; counters: Readonly<Record<string, number>>; jumps: string[] }> {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const context = { clock, log: silentLogger, interval_ms: 1000, onUpdate: () => {}, onLink: () => {} };
  const driver = createCanDriver({ id: BUS, type: 'virtual-can' }, [binding], context, hub);
  const node = hub.bus(BUS).attach();
  await driver.start();
  const frames = [...ids]
    .flatMap(({ id, extended, frames }) => frames.map(({ t_ms, data }) => ({ t_ms, id, extended, data })))
    .sort((a, b) => a.t_ms - b.t_ms);
  let previous_ms = frames[0]?.t_ms ?? 0;
  const reading = new PackReading(0, binding.shape);
  const steadiness = new Steadiness();
  const look_every = Math.max(1, Math.floor(frames.length / LOOKS));
  let since_look = 0;
  for (const { t_ms, id, extended, data } of frames) {
    // A gap of hours in a log is no reason to let every watch of the driver tick through it.
    clock.advance(Math.min(t_ms - previous_ms, MAX_GAP_MS));
    previous_ms = t_ms;
    node.send({ id, extended, data, length: data.length });
    if (++since_look < look_every) continue;
    since_look = 0;
    driver.packs[0].snapshotInto(reading, clock.wallMs(), clock.monoMs());
    steadiness.check(reading);
  }
  driver.packs[0].snapshotInto(reading, clock.wallMs(), clock.monoMs());
  const { counters } = driver.health();
  await driver.stop();
  const { frames: decoded, truncated_frames, checksum_errors } = counters;
  return {
    reading,
    counters: { frames: decoded, truncated_frames, checksum_errors },
    jumps: steadiness.jumps(),
  };
}

const MAX_GAP_MS = 60_000;
/** At the values while the frames go through. */
const LOOKS = 40;

/** Messages of a pack's own values weigh more than one of many with cells, and that more than alarms. */
function weightOf({ targets }: MappedMessage): number {
  if (targets.some(target => target?.kind === TargetKind.pack)) return 3;
  return targets.some(target => target?.kind === TargetKind.cell) ? 2 : 1;
}

function bitsOf(came: readonly MappedMessage[], traffic: CanTraffic, all_fit: boolean): number {
  const checked = all_fit && came.some(({ checksum }) => checksum !== undefined);
  const by_id = came.map(({ extended }) => bitsOfId(extended, traffic.countIds(extended)));
  return sum(by_id) + (checked ? CHECKSUM_BITS : 0);
}

function reportsVoltage(messages: readonly MappedMessage[]): boolean {
  return messages.some(({ targets }) =>
    targets.some(target => target?.kind === TargetKind.pack && target.metric === PackMetric.voltage_v),
  );
}

/** What the device says of itself, such as the maker's name in frame 35E. */
function makerText(profile: Profile, seen: ReadonlyMap<string, SeenId>): string[] {
  const frame = seen.get(profile.can?.identity?.message ?? '')?.frames[0];
  const text = [...(frame?.data ?? [])]
    .map(byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ''))
    .join('')
    .trim()
    .slice(0, MAX_TEXT_CHARACTERS);
  return text === '' ? [] : [`it calls itself "${text}"`];
}

/** An id belongs to the profile that explains it best; the others lose what it gave them. */
function settleClaims(fits: readonly Fit[]): Finding[] {
  const claimed = new Map<SeenId, string>();
  const inOrder = fits
    .map(fit => ({ fit, first_pct: confidence(fit.evidence, fit.facts) }))
    .sort((a, b) => b.first_pct - a.first_pct);
  return inOrder.flatMap(({ fit }) => {
    const { binding, seen, facts, evidence, why, contradictions, options } = fit;
    const taken = [...seen].flatMap(id => claimed.get(id) ?? []);
    const claimed_share = taken.length / seen.size;
    const confidence_pct = confidence({ ...evidence, claimed_share }, facts);
    if (confidence_pct < MIN_CONFIDENCE_PCT) return [];
    for (const id of seen) if (!claimed.has(id)) claimed.set(id, binding.profile.id);
    const better = `${taken.length} of its ids fit ${[...new Set(taken)].join(', ')} better`;
    return [
      {
        profile: binding.profile.id,
        title: binding.profile.title,
        address: binding.address,
        confidence_pct,
        cells: facts.cells,
        sensors: facts.sensors,
        ...(options && { options }),
        cell_voltage_max_v: Number.isNaN(facts.cell_max_v) ? undefined : facts.cell_max_v,
        why,
        contradictions: [...contradictions, ...(taken.length > 0 ? [better] : [])],
      },
    ];
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
