/** A profile's CAN side, loaded: its section, its DBC, one decoder per message. Checked in words people can act on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, GatewayError } from '../../core/errors.ts';
import { CELL_METRICS, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import type { Profile } from '../profiles/profile.ts';
import type { AlarmSignal, CanSection, NumberedSignals, OptionIs, PackSignal } from './can-section.ts';
import type { Dbc, DbcMessage, DbcSignal } from './dbc/dbc-model.ts';
import { decodeDbcBytes, parseDbc } from './dbc/dbc-parser.ts';
import { MessageDecoder } from './dbc/message-decoder.ts';

export interface CanProfile {
  readonly profile: Profile;
  readonly section: CanSection;
  readonly dbc: Dbc;
  /** By message name. Decoders hold the newest frame only, so all packs of a profile share them. */
  readonly decoders: ReadonlyMap<string, MessageDecoder>;
}

const loaded = new WeakMap<Profile, CanProfile>();

/** @throws GatewayError PROFILE_INVALID when the section or the DBC is missing or cannot be read. */
export function canProfileOf(profile: Profile): CanProfile {
  const known = loaded.get(profile);
  if (known) return known;
  const section = profile.can;
  if (!section) throw new GatewayError('PROFILE_INVALID', `profile ${profile.id}: has no "can" section`);
  const path = join(profile.directory, section.dbc);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new GatewayError(
      'PROFILE_INVALID',
      `profile ${profile.id}: cannot read ${path}: ${describeError(error)}`,
    );
  }
  const dbc = parseDbc(decodeDbcBytes(bytes));
  const decoders = new Map(dbc.messages.map(message => [message.name, new MessageDecoder(message)]));
  const canProfile = { profile, section, dbc, decoders };
  loaded.set(profile, canProfile);
  return canProfile;
}

/** Divide a DBC value by this to reach the metric's SI unit; undefined: the units do not fit. */
export function unitDivisor(metric: Metric, dbcUnit: string): number | undefined {
  return UNITS[metric.unit]?.[dbcUnit];
}

const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  V: { V: 1, mV: 1000 },
  A: { A: 1, mA: 1000 },
  Ah: { Ah: 1, mAh: 1000 },
  '°C': { degC: 1, '°C': 1, C: 1 },
  '%': { '%': 1 },
  '': { '': 1 },
};

/** The forms a profile may write, as one. */
export function packSources(source: string | PackSignal | readonly PackSignal[]): readonly PackSignal[] {
  if (typeof source === 'string') return [{ signal: source }];
  return 'signal' in source ? [source] : source;
}

export function alarmSources(source: string | readonly AlarmSignal[]): readonly AlarmSignal[] {
  return typeof source === 'string' ? [{ signal: source }] : source;
}

/** `Cell{nn}` against `Cell07`: 7; undefined where the name does not fit. */
export function numberInName(pattern: string, name: string): number | undefined {
  const [before, digits, after] = splitPattern(pattern);
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined;
  const middle = name.slice(before.length, name.length - after.length);
  return /^\d+$/.test(middle) && middle.length >= digits ? Number(middle) : undefined;
}

export function nameWithNumber(pattern: string, number: number): string {
  const [before, digits, after] = splitPattern(pattern);
  return `${before}${String(number).padStart(digits, '0')}${after}`;
}

function splitPattern(pattern: string): [string, number, string] {
  const open = pattern.indexOf('{');
  const close = pattern.indexOf('}');
  return [pattern.slice(0, open), close - open - 1, pattern.slice(close + 1)];
}

/** Everything in the profile's CAN section that its DBC or its header does not bear out; empty: all well. */
export function checkCanProfile(profile: Profile): string[] {
  let canProfile: CanProfile;
  try {
    canProfile = canProfileOf(profile);
  } catch (error) {
    return [describeError(error)];
  }
  return new CanProfileCheck(canProfile).run();
}

class CanProfileCheck {
  readonly #canProfile: CanProfile;
  readonly #problems: string[] = [];

  constructor(canProfile: CanProfile) {
    this.#canProfile = canProfile;
  }

  run(): string[] {
    const { profile, section, dbc } = this.#canProfile;
    for (const { line, text } of dbc.warnings) this.#add(`${section.dbc} line ${line}`, text);
    if (section.id_plus_address && !profile.address)
      this.#add('can.id_plus_address', 'set, but the profile declares no address range');
    const alarmHome = new Map<string, string>();
    for (const [name, mapping] of Object.entries(section.messages)) {
      const place = `can.messages.${name}`;
      const message = dbc.messages.find(other => other.name === name);
      if (!message) {
        this.#add(place, `no such message in ${section.dbc}`);
        continue;
      }
      for (const [metric, source] of Object.entries(mapping.pack ?? {}))
        this.#checkPack(`${place}.pack.${metric}`, message, metric, packSources(source));
      for (const [code, source] of Object.entries(mapping.alarms ?? {})) {
        const other = alarmHome.get(code);
        if (other) this.#add(`${place}.alarms.${code}`, `is mapped in ${other} too, expected one message`);
        alarmHome.set(code, name);
        this.#checkAlarm(`${place}.alarms.${code}`, message, code, alarmSources(source));
      }
    }
    for (const [name, numbered] of Object.entries(section.cells ?? {})) {
      const metric = CELL_METRICS.find(other => other.name === name);
      this.#checkNumbered(`can.cells.${name}`, numbered, metric, profile.cells.max);
    }
    if (section.sensors)
      this.#checkNumbered('can.sensors', section.sensors, SENSOR_METRIC, profile.sensors?.max ?? 0);
    return this.#problems;
  }

  #checkPack(place: string, message: DbcMessage, name: string, sources: readonly PackSignal[]): void {
    const metric = PACK_METRICS.find(other => other.name === name);
    if (!metric) {
      this.#add(place, 'no such pack metric');
      return;
    }
    for (const source of sources) {
      const signal = this.#signal(place, message, source.signal);
      if (signal) this.#checkUnit(place, signal, metric);
      this.#checkOption(place, source.negate_when);
      this.#checkOption(place, source.use_when);
    }
  }

  #checkAlarm(place: string, message: DbcMessage, code: string, sources: readonly AlarmSignal[]): void {
    const { profile, section } = this.#canProfile;
    if (!profile.device_alarms?.some(alarm => alarm.code === code))
      this.#add(place, 'is not among the device_alarms of the profile');
    for (const source of sources) {
      this.#signal(place, message, source.signal);
      if (!source.levels && !section.alarm_levels)
        this.#add(place, 'has no levels and the section no alarm_levels');
    }
  }

  #checkNumbered(place: string, numbered: NumberedSignals, metric: Metric | undefined, count: number): void {
    if (!metric) {
      this.#add(place, 'no such metric');
      return;
    }
    const found = new Map<number, [DbcMessage, DbcSignal]>();
    for (const message of this.#canProfile.dbc.messages)
      for (const signal of message.signals) {
        const number = numberInName(numbered.signals, signal.name);
        if (number === undefined) continue;
        if (found.has(number)) this.#add(place, `signal ${signal.name} stands in two messages`);
        found.set(number, [message, signal]);
      }
    for (let number = numbered.first; number < numbered.first + count; number++) {
      const place_n = `${place} ${nameWithNumber(numbered.signals, number)}`;
      const at = found.get(number);
      if (!at) {
        this.#add(place_n, `no such signal in ${this.#canProfile.section.dbc}`);
        continue;
      }
      const [message, signal] = at;
      this.#checkUnit(place_n, signal, metric);
      if (numbered.invalid_flags)
        this.#signal(place_n, message, nameWithNumber(numbered.invalid_flags.signals, number));
      if (numbered.present_mask) this.#signal(place_n, message, numbered.present_mask);
    }
    for (const { when } of numbered.invalid_flags?.invalid_is ?? []) this.#checkOption(place, when);
  }

  #signal(place: string, message: DbcMessage, name: string): DbcSignal | undefined {
    const signal = message.signals.find(other => other.name === name);
    if (!signal) this.#add(place, `message ${message.name} has no signal ${name}`);
    return signal;
  }

  #checkUnit(place: string, signal: DbcSignal, metric: Metric): void {
    if (unitDivisor(metric, signal.unit) !== undefined) return;
    const units = Object.keys(UNITS[metric.unit] ?? {}).map(unit => `"${unit}"`);
    this.#add(place, `signal ${signal.name} has unit "${signal.unit}", expected ${units.join(' or ')}`);
  }

  #checkOption(place: string, condition: OptionIs | undefined): void {
    if (!condition) return;
    const option = this.#canProfile.profile.options?.[condition.option];
    if (!option) this.#add(place, `the profile has no option ${condition.option}`);
    else if (!option.values.includes(condition.is))
      this.#add(place, `option ${condition.option} has no value ${JSON.stringify(condition.is)}`);
  }

  #add(place: string, text: string): void {
    this.#problems.push(`profile ${this.#canProfile.profile.id}, ${place}: ${text}`);
  }
}
