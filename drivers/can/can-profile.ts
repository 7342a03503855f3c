/** A profile's CAN side, loaded: its section, its DBC, one decoder per message. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { Metric } from '../../core/metrics.ts';
import type { OptionIs } from '../profiles/option-is.ts';
import type { Profile } from '../profiles/profile.ts';
import type { AlarmSignal, CanSection, NumberedSignals, PackSignal, UseWhen } from './can-section.ts';
import type { Dbc } from './dbc/dbc-model.ts';
import { decodeDbcBytes, MAX_DBC_CHARACTERS, parseDbc } from './dbc/dbc-parser.ts';
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
  const dbc = parseDbc(dbcTextOf(profile, section));
  const decoders = new Map(dbc.messages.map(message => [message.name, new MessageDecoder(message)]));
  const canProfile = { profile, section, dbc, decoders };
  loaded.set(profile, canProfile);
  return canProfile;
}

/** For messages: where the profile's frames are described. */
export function framesName({ dbc = 'can.frames' }: CanSection): string {
  return dbc;
}

function dbcTextOf({ id, directory }: Profile, { dbc, frames }: CanSection): string {
  if ((dbc === undefined) === (frames === undefined))
    throw new GatewayError(
      'PROFILE_INVALID',
      `profile ${id}: has ${dbc ? 'both can.dbc and' : 'neither can.dbc nor'} can.frames, expected one of them`,
    );
  if (frames !== undefined) return frames;
  const path = join(directory, dbc ?? '');
  try {
    const { size } = statSync(path);
    if (size > MAX_DBC_CHARACTERS)
      throw new Error(`it has ${size} bytes, expected at most ${MAX_DBC_CHARACTERS}`);
    return decodeDbcBytes(readFileSync(path));
  } catch (error) {
    throw new GatewayError('PROFILE_INVALID', `profile ${id}: cannot read ${path}: ${describeError(error)}`);
  }
}

/** What an option is set to when the device's own word shall settle it. */
export const AUTO = 'auto';

/** Divide a DBC value by this to reach the metric's SI unit; undefined: the units do not fit. */
export function unitDivisor(metric: Metric, dbcUnit: string): number | undefined {
  const divisors = UNITS[metric.unit];
  return divisors?.[dbcUnit] ?? divisors?.[SPELLINGS[dbcUnit.trim().toLowerCase()] ?? ''];
}

/** Units of a DBC that fit this metric. */
export function unitsOf(metric: Metric): readonly string[] {
  return Object.keys(UNITS[metric.unit] ?? {});
}

const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  V: { V: 1, mV: 1000 },
  A: { A: 1, mA: 1000 },
  Ah: { Ah: 1, mAh: 1000 },
  '°C': { degC: 1, '°C': 1, C: 1 },
  '%': { '%': 1 },
  kΩ: { kOhm: 1, Ohm: 1000 },
  kWh: { kWh: 1, Wh: 1000 },
  W: { W: 1, kW: 0.001 },
  // Counts and switches: whatever a DBC writes beside them says nothing.
  '': { '': 1, '-': 1 },
};

/** How tools and people write them, in small letters. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ...spelled('V', 'v', 'volt', 'volts', 'vdc', 'v dc'),
  ...spelled('mV', 'mv', 'millivolt', 'millivolts'),
  ...spelled('A', 'a', 'amp', 'amps', 'ampere', 'amperes', 'adc', 'a dc'),
  ...spelled('mA', 'ma', 'milliamp', 'milliamps'),
  ...spelled('Ah', 'ah', 'a.h', 'a*h', 'amp hours', 'amphours'),
  ...spelled('mAh', 'mah'),
  ...spelled('degC', 'degc', 'deg c', 'deg', '°', '°c', 'ºc', '˚c', '℃', 'c', 'celsius', 'deg celsius'),
  ...spelled('kOhm', 'kohm', 'kohms', 'kω'),
  ...spelled('Ohm', 'ohm', 'ohms', 'ω'),
  ...spelled('kWh', 'kwh'),
  ...spelled('Wh', 'wh'),
  ...spelled('kW', 'kw'),
  ...spelled('W', 'w', 'watt', 'watts'),
  ...spelled('%', '%', 'pct', 'percent', 'perc', '% soc'),
};

function spelled(unit: string, ...spellings: string[]): Record<string, string> {
  return Object.fromEntries(spellings.map(spelling => [spelling, unit]));
}

/** The forms a profile may write, as one. */
export function packSources(source: string | PackSignal | readonly PackSignal[]): readonly PackSignal[] {
  if (typeof source === 'string') return [{ signal: source }];
  return 'signal' in source ? [source] : source;
}

export function numberedOf(
  source: NumberedSignals | readonly NumberedSignals[] | undefined,
): readonly NumberedSignals[] {
  if (source === undefined) return [];
  return 'signals' in source ? [source] : source;
}

export function conditionsOf(use_when: UseWhen | undefined): readonly OptionIs[] {
  if (use_when === undefined) return [];
  return 'option' in use_when ? [use_when] : use_when;
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
