/**
 * A profile's CAN section worked out for one pack: which signal of which frame goes where, in which unit and
 * sign. Driver and simulator read the same mapping, one forwards, one backwards.
 */

import { GatewayError } from '../../core/errors.ts';
import { CELL_METRICS, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../core/reading/pack-reading.ts';
import type { PackBinding } from '../driver.ts';
import { holds } from '../profiles/option-is.ts';
import { EXACT_MASK, j1939Mask } from './can-bus.ts';
import {
  AUTO,
  alarmSources,
  type CanProfile,
  canProfileOf,
  conditionsOf,
  nameWithNumber,
  numberedOf,
  numberInName,
  packSources,
  unitDivisor,
} from './can-profile.ts';
import type { AlarmLevelName, Checksum, NumberedSignals, Poll, UseWhen } from './can-section.ts';
import { checkCanProfile, describeCanProblem } from './check-profile.ts';
import type { DbcMessage, DbcSignal } from './dbc/dbc-model.ts';
import type { MessageDecoder } from './dbc/message-decoder.ts';
import { type IsoTpLink, isoTpLinks, staleAfterMs } from './iso-tp/iso-tp-reads.ts';

export const TargetKind = { pack: 0, cell: 1, sensor: 2 } as const;

/** Where one signal goes. */
export interface SignalTarget {
  /** Index into the message's signals. */
  readonly signal: number;
  readonly kind: (typeof TargetKind)[keyof typeof TargetKind];
  /** PackMetric or CellMetric; unused for sensors. */
  readonly metric: number;
  /** Cell or sensor, from 0. */
  readonly index: number;
  /** SI value = physical value of the DBC / divisor; negative where the sign turns. */
  readonly divisor: number;
  readonly magnitude: boolean;
  readonly one_when_zero: boolean;
  /** Signal this one must be close to in order to count, and how close in physical units; -1: none. */
  readonly near: number;
  readonly near_within: number;
  /** Physical values that mean "none". */
  readonly absent: readonly number[];
  /** Signal that flags this one invalid, and the value by which it does; -1: none. */
  readonly flag: number;
  readonly flag_invalid: number;
  /** Signal whose bit says that this one exists; -1: none. */
  readonly mask: number;
  readonly mask_bit: number;
}

/** A device alarm and the signals that raise it; the highest level counts. */
export interface AlarmTarget {
  readonly alarm: number;
  readonly sources: readonly { readonly signal: number; readonly levels: readonly number[] }[];
}

/** What a message's signals mean. */
export interface Meaning {
  /** By signal index; undefined where a signal goes nowhere. */
  readonly targets: readonly (SignalTarget | undefined)[];
  readonly alarms: readonly AlarmTarget[];
}

export interface MappedMessage extends Meaning {
  /** Place in `PackMapping.messages`. */
  readonly index: number;
  readonly message: DbcMessage;
  readonly decoder: MessageDecoder;
  /** On the bus, device address included. */
  readonly id: number;
  readonly extended: boolean;
  /** Bits of the id a frame must share with it. */
  readonly mask: number;
  /** Of a reply over ISO-TP, which has no id of its own on the bus: what it begins with. Undefined: a frame. */
  readonly reply_head: Uint8Array | undefined;
  /** Where the signal has this value, nothing of the message is a reading but the signals kept. */
  readonly no_reading:
    | { readonly signal: number; readonly value: number; readonly keeps: readonly number[] }
    | undefined;
  readonly checksum: Checksum | undefined;
  /** True for the message by which the device says which dialect it speaks. */
  readonly is_identity: boolean;
  readonly stale_ms: number;
  readonly sent_only_while_active: boolean;
}

/** What the device's own word about its dialect changes. */
export interface Dialects {
  /** Beginnings of the text in capitals, with the option's value each stands for. */
  readonly prefixes: readonly (readonly [string, Value])[];
  readonly otherwise: Value;
  /** Meaning of each message, in the order of `messages`, by the option's value. */
  readonly meanings: ReadonlyMap<Value, readonly Meaning[]>;
}

type Value = string | number | boolean;

/** A telegram that asks and changes nothing. */
export interface ReadRequest {
  readonly id: number;
  readonly extended: boolean;
  readonly data: Uint8Array;
  readonly length: number;
  readonly interval_ms: number;
  /** Names of the messages that come in reply; empty where the profile does not say. */
  readonly answers: readonly string[];
}

export interface PackMapping {
  readonly binding: PackBinding;
  /** As the device speaks until it says otherwise. */
  readonly messages: readonly MappedMessage[];
  /** Undefined where the profile knows one dialect only or the installer has chosen. */
  readonly dialects: Dialects | undefined;
  /** What the pack must be asked for, its address filled in. */
  readonly polls: readonly ReadRequest[];
  /** What is read of it over ISO-TP. */
  readonly iso_tp: readonly IsoTpLink[];
  /** Cells whose temperature each sensor gives; undefined where the installer did not say. */
  readonly cells_of_sensor: readonly (readonly number[])[] | undefined;
}

const MIN_STALE_MS = 3000;
const MAX_STALE_MS = 60_000;
/** For messages whose cycle time nobody gives. */
const DEFAULT_STALE_MS = 10_000;

/** @throws GatewayError PROFILE_INVALID with every problem of the profile. */
export function mapPack(binding: PackBinding): PackMapping {
  const problems = checkOnce(binding);
  if (problems.length > 0) throw new GatewayError('PROFILE_INVALID', problems.join('\n'));
  const canProfile = canProfileOf(binding.profile);
  const { identity } = canProfile.section;
  const all = canProfile.dbc.messages;
  const meaningsWhen = (options: PackBinding['options']) =>
    all.map(message => meaningOf(canProfile, { ...binding, options }, message));
  const byValue = new Map<Value, Meaning[]>();
  let meanings: Meaning[];
  if (identity && binding.options[identity.option] === AUTO) {
    for (const value of new Set([identity.otherwise, ...Object.values(identity.starts_with)]))
      byValue.set(value, meaningsWhen({ ...binding.options, [identity.option]: value }));
    meanings = byValue.get(identity.otherwise) ?? [];
  } else meanings = meaningsWhen(binding.options);
  const kept = all.flatMap((message, i) => {
    const says = [meanings, ...byValue.values()].some(those => saysSomething(those[i]));
    return says || (byValue.size > 0 && message.name === identity?.message) ? [i] : [];
  });
  const keptNames = new Set(kept.map(i => all[i].name));
  const { section } = canProfile;
  const iso_tp = isoTpLinks(section.iso_tp, binding.options, name => keptNames.has(name));
  const messages = kept.map((i, index) =>
    mapMessage(canProfile, binding, all[i], meanings[i], index, iso_tp),
  );
  const dialects = identity &&
    byValue.size > 0 && {
      prefixes: Object.entries(identity.starts_with).map(
        ([text, value]) => [text.toUpperCase(), value] as const,
      ),
      otherwise: identity.otherwise,
      meanings: new Map([...byValue].map(([value, those]) => [value, kept.map(i => those[i])])),
    };
  const polls = (canProfile.section.polls ?? []).map(poll => readRequest(poll, binding.address ?? 0));
  const cells_of_sensor = cellsOfSensor(binding);
  return { binding, messages, dialects: dialects || undefined, polls, iso_tp, cells_of_sensor };
}

function readRequest(
  { id, extended = false, data, address_shift, interval_ms, answers = [] }: Poll,
  address: number,
): ReadRequest {
  const bytes = Uint8Array.from({ length: data.length / 2 }, (_, i) =>
    Number.parseInt(data.slice(2 * i, 2 * i + 2), 16),
  );
  const place = address_shift === undefined ? 0 : address * 2 ** address_shift;
  return { id: id + place, extended, data: bytes, length: bytes.length, interval_ms, answers };
}

function saysSomething({ alarms, targets }: Meaning): boolean {
  return alarms.length > 0 || targets.some(target => target !== undefined);
}

const checked = new WeakMap<CanProfile, string[]>();

function checkOnce({ profile }: PackBinding): string[] {
  const canProfile = canProfileOf(profile);
  let problems = checked.get(canProfile);
  if (!problems) {
    problems = checkCanProfile(profile).map(problem => describeCanProblem(profile, problem));
    checked.set(canProfile, problems);
  }
  return problems;
}

function mapMessage(
  { section, decoders }: CanProfile,
  binding: PackBinding,
  message: DbcMessage,
  meaning: Meaning,
  index: number,
  iso_tp: readonly IsoTpLink[],
): MappedMessage {
  const mapping = section.messages[message.name] ?? {};
  const decoder = decoders.get(message.name);
  const link = iso_tp.find(({ reads }) => reads.some(one => one.message === message.name));
  const read = link?.reads.find(one => one.message === message.name);
  const { no_reading_when } = mapping;
  const signalOf = (name: string) => message.signals.findIndex(other => other.name === name);
  if (!decoder) throw new GatewayError('PROFILE_INVALID', `no decoder for message ${message.name}`);
  return {
    index,
    message,
    decoder,
    ...idOnBus(message, section.id_plus_address ?? false, binding.address),
    extended: message.extended,
    ...meaning,
    reply_head: read?.reply_head,
    no_reading: no_reading_when && {
      signal: signalOf(no_reading_when.signal),
      value: physical(message.signals[signalOf(no_reading_when.signal)], no_reading_when.raw),
      keeps: (no_reading_when.keeps ?? []).map(signalOf),
    },
    checksum: mapping.checksum,
    is_identity: section.identity?.message === message.name,
    stale_ms: mapping.stale_ms ?? (read && link ? staleAfterMs(read, link) : staleLimit(message.cycle_ms)),
    sent_only_while_active: mapping.sent_only_while_active ?? false,
  };
}

/** Of a J1939 device the address is its source address; without one any source counts. */
function idOnBus(
  { id, j1939 }: DbcMessage,
  plus_address: boolean,
  address: number | undefined,
): { id: number; mask: number } {
  if (!j1939) return { id: id + (plus_address ? (address ?? 0) : 0), mask: EXACT_MASK };
  if (address === undefined) return { id, mask: j1939Mask(id) };
  return { id: (id & ~0xff) + address, mask: j1939Mask(id) | 0xff };
}

function meaningOf(canProfile: CanProfile, binding: PackBinding, message: DbcMessage): Meaning {
  const { section } = canProfile;
  const targets = new Array<SignalTarget | undefined>(message.signals.length).fill(undefined);
  for (const [name, source] of Object.entries(section.messages[message.name]?.pack ?? {})) {
    const metric = PACK_METRICS.findIndex(other => other.name === name);
    for (const option of packSources(source)) {
      if (!allHold(binding, option.use_when)) continue;
      const indexOf = (wanted: string) => message.signals.findIndex(other => other.name === wanted);
      const signal = indexOf(option.signal);
      const plain = plainTarget(canProfile, message, signal, PACK_METRICS[metric], option.absent_raw);
      const negative = option.negate_when !== undefined && holds(option.negate_when, binding.options);
      targets[signal] = {
        ...plain,
        metric,
        divisor: negative ? -plain.divisor : plain.divisor,
        magnitude: option.magnitude ?? false,
        one_when_zero: option.one_when_zero ?? false,
        near: option.only_near ? indexOf(option.only_near.signal) : -1,
        near_within: option.only_near?.within ?? 0,
      };
    }
  }
  for (const [name, source] of Object.entries(section.cells ?? {})) {
    const metric = CELL_METRICS.findIndex(other => other.name === name);
    const place = { kind: TargetKind.cell, metric, count: binding.shape.cell_count };
    for (const numbered of numberedOf(source))
      mapNumbered(canProfile, binding, message, numbered, place, targets);
  }
  const sensors = { kind: TargetKind.sensor, metric: 0, count: binding.shape.sensor_count };
  for (const numbered of numberedOf(section.sensors))
    mapNumbered(canProfile, binding, message, numbered, sensors, targets);
  return { targets, alarms: mapAlarms(canProfile, binding, message) };
}

function staleLimit(cycle_ms: number | undefined): number {
  if (cycle_ms === undefined) return DEFAULT_STALE_MS;
  return Math.min(MAX_STALE_MS, Math.max(MIN_STALE_MS, 3 * cycle_ms));
}

function plainTarget(
  { section }: CanProfile,
  message: DbcMessage,
  signal: number,
  metric: Metric,
  absent_raw: readonly number[] = [],
): SignalTarget {
  const definition = message.signals[signal];
  const absent = [...absent_raw, ...extremesOf(definition, section.absent_extremes_from_bits)];
  return {
    signal,
    kind: TargetKind.pack,
    metric: 0,
    index: 0,
    divisor: unitDivisor(metric, definition.unit) ?? 1,
    magnitude: false,
    one_when_zero: false,
    near: -1,
    near_within: 0,
    // The decoder's own arithmetic, so that equality holds.
    absent: absent.map(raw => physical(definition, raw)),
    flag: -1,
    flag_invalid: 0,
    mask: -1,
    mask_bit: 0,
  };
}

/** Raw values at the edge of what the bits can say, by which a device says "not available". */
function extremesOf(
  { length_bit, signed, float }: DbcSignal,
  from_bits = Number.POSITIVE_INFINITY,
): number[] {
  if (length_bit < from_bits || float !== 'none') return [];
  return [signed ? -(2 ** (length_bit - 1)) : 2 ** length_bit - 1];
}

function mapNumbered(
  canProfile: CanProfile,
  binding: PackBinding,
  message: DbcMessage,
  numbered: NumberedSignals,
  place: { kind: SignalTarget['kind']; metric: number; count: number },
  targets: (SignalTarget | undefined)[],
): void {
  if (!allHold(binding, numbered.use_when)) return;
  const metric: Metric = place.kind === TargetKind.cell ? CELL_METRICS[place.metric] : SENSOR_METRIC;
  const flags = numbered.invalid_flags;
  const invalid = flags?.invalid_is.find(({ when }) => holds(when, binding.options));
  const indexOf = (name: string) => message.signals.findIndex(other => other.name === name);
  message.signals.forEach((definition, signal) => {
    const number = numberInName(numbered.signals, definition.name);
    if (number === undefined) return;
    const index = number - numbered.first;
    if (index < 0 || index >= place.count) return;
    const flag = flags && invalid ? indexOf(nameWithNumber(flags.signals, number)) : -1;
    targets[signal] = {
      ...plainTarget(canProfile, message, signal, metric, numbered.absent_raw),
      kind: place.kind,
      metric: place.metric,
      index,
      flag,
      flag_invalid: flag < 0 || !invalid ? 0 : physical(message.signals[flag], invalid.raw),
      ...maskBit(numbered.present_mask, index, indexOf),
    };
  });
}

function maskBit(
  mask: NumberedSignals['present_mask'],
  index: number,
  indexOf: (signal: string) => number,
): Pick<SignalTarget, 'mask' | 'mask_bit'> {
  if (mask === undefined) return { mask: -1, mask_bit: index };
  if (typeof mask === 'string') return { mask: indexOf(mask), mask_bit: index };
  return { mask: indexOf(mask.signal), mask_bit: mask.bits - 1 - (index % mask.bits) };
}

function physical({ scale, offset }: DbcSignal, raw: number): number {
  return raw * scale + offset;
}

function mapAlarms({ section }: CanProfile, binding: PackBinding, message: DbcMessage): AlarmTarget[] {
  const alarms: AlarmTarget[] = [];
  for (const [code, source] of Object.entries(section.messages[message.name]?.alarms ?? {})) {
    const alarm = binding.shape.device_alarms.indexOf(code);
    if (alarm < 0) continue;
    const used = alarmSources(source).filter(({ use_when }) => allHold(binding, use_when));
    const sources = used.map(({ signal, levels }) => ({
      signal: message.signals.findIndex(other => other.name === signal),
      levels: (levels ?? section.alarm_levels ?? []).map((level: AlarmLevelName) => DeviceAlarmLevel[level]),
    }));
    alarms.push({ alarm, sources });
  }
  return alarms;
}

function allHold(binding: PackBinding, use_when: UseWhen | undefined): boolean {
  return conditionsOf(use_when).every(condition => holds(condition, binding.options));
}

function cellsOfSensor({ sensor_of_cell, shape }: PackBinding): number[][] | undefined {
  if (!sensor_of_cell) return undefined;
  const cells: number[][] = Array.from({ length: shape.sensor_count }, () => []);
  sensor_of_cell.slice(0, shape.cell_count).forEach((sensor, cell) => {
    cells[sensor]?.push(cell);
  });
  return cells;
}
