/** A profile's CAN section against its DBC and its header, in words people can act on. */
import { describeError } from '../../core/errors.ts';
import { CELL_METRICS, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import { formatPath, type Path } from '../../core/schema/problem.ts';
import type { OptionIs } from '../profiles/option-is.ts';
import type { Profile } from '../profiles/profile.ts';
import {
  AUTO,
  alarmSources,
  type CanProfile,
  canProfileOf,
  conditionsOf,
  framesName,
  nameWithNumber,
  numberedOf,
  numberInName,
  packSources,
  unitDivisor,
  unitsOf,
} from './can-profile.ts';
import type { AlarmSignal, NumberedSignals, PackSignal, Poll } from './can-section.ts';
import type { DbcMessage, DbcSignal } from './dbc/dbc-model.ts';
import { isoTpSections, isReadService, requestsOf } from './iso-tp/iso-tp-reads.ts';
import type { IsoTpRead } from './iso-tp/iso-tp-section.ts';
import { isReadRequest } from './read-requests.ts';

export interface CanProfileProblem {
  /** Where in the profile; for a problem of the DBC itself the place that names it. */
  readonly path: Path;
  readonly text: string;
  /** Line of the DBC, or of `frames`, counting from 1; undefined: the problem is in the profile. */
  readonly dbc_line?: number;
}

/**
 * Everything in the profile's CAN section that its DBC or its header does not bear out; empty: all well. Lines
 * of the DBC that could not be read are reported beside it, as they may be why; alone they do no harm.
 */
export function checkCanProfile(profile: Profile): CanProfileProblem[] {
  let canProfile: CanProfile;
  try {
    canProfile = canProfileOf(profile);
  } catch (error) {
    return [{ path: ['can', profile.can?.dbc ? 'dbc' : 'frames'], text: describeError(error) }];
  }
  return new CanProfileCheck(canProfile).run();
}

export function describeCanProblem(
  { id, can }: Profile,
  { path, text, dbc_line }: CanProfileProblem,
): string {
  const place = dbc_line === undefined ? formatPath(path) : `${can && framesName(can)} line ${dbc_line}`;
  return `profile ${id}, ${place}: ${text}`;
}

class CanProfileCheck {
  readonly #canProfile: CanProfile;
  readonly #problems: CanProfileProblem[] = [];

  constructor(canProfile: CanProfile) {
    this.#canProfile = canProfile;
  }

  run(): CanProfileProblem[] {
    const { profile, section, dbc } = this.#canProfile;
    if (section.id_plus_address && !profile.address)
      this.#add(['can', 'id_plus_address'], 'set, but the profile declares no address range');
    for (const name of Object.keys(section.messages)) this.#checkMessage(name);
    for (const [name, source] of Object.entries(section.cells ?? {})) {
      const metric = CELL_METRICS.find(other => other.name === name);
      for (const numbered of numberedOf(source))
        this.#checkNumbered(['can', 'cells', name], numbered, metric, profile.cells.max);
    }
    for (const numbered of numberedOf(section.sensors))
      this.#checkNumbered(['can', 'sensors'], numbered, SENSOR_METRIC, profile.sensors?.max ?? 0);
    this.#checkIdentity();
    section.polls?.forEach((poll, i) => {
      this.#checkPoll(['can', 'polls', i], poll);
    });
    isoTpSections(section.iso_tp).forEach(({ reads, use_when }, l) => {
      const place = ['can', 'iso_tp', ...(Array.isArray(section.iso_tp) ? [l] : [])];
      if (use_when) this.#checkOption([...place, 'use_when'], use_when);
      reads.forEach((read, i) => {
        this.#checkRead([...place, 'reads', i], read);
      });
    });
    if (this.#problems.length === 0) return [];
    const unread = dbc.warnings.map(({ line, text }) => ({
      path: ['can', section.dbc ? 'dbc' : 'frames'],
      text,
      dbc_line: line,
    }));
    return [...unread, ...this.#problems];
  }

  #checkMessage(name: string): void {
    const { section, dbc } = this.#canProfile;
    const place = ['can', 'messages', name];
    const message = dbc.messages.find(other => other.name === name);
    if (!message) {
      this.#add(place, `no such message in ${framesName(section)}`);
      return;
    }
    const { pack, alarms, checksum, no_reading_when } = section.messages[name];
    for (const signal of no_reading_when ? [no_reading_when.signal, ...(no_reading_when.keeps ?? [])] : [])
      this.#signal([...place, 'no_reading_when'], message, signal);
    for (const [metric, source] of Object.entries(pack ?? {}))
      this.#checkPack([...place, 'pack', metric], message, metric, packSources(source));
    for (const [code, source] of Object.entries(alarms ?? {}))
      this.#checkAlarm([...place, 'alarms', code], message, code, alarmSources(source));
    if (checksum && checksum.byte >= message.length_bytes)
      this.#add([...place, 'checksum', 'byte'], `message ${name} has ${message.length_bytes} bytes only`);
  }

  #checkPack(place: Path, message: DbcMessage, name: string, sources: readonly PackSignal[]): void {
    const metric = PACK_METRICS.find(other => other.name === name);
    if (!metric) {
      this.#add(place, 'no such pack metric');
      return;
    }
    for (const source of sources) {
      const signal = this.#signal(place, message, source.signal);
      if (signal) this.#checkUnit(place, signal, metric);
      if (source.only_near) this.#checkNear(place, message, source.signal, source.only_near.signal);
      for (const condition of conditionsOf(source.negate_when)) this.#checkOption(place, condition);
      for (const condition of conditionsOf(source.use_when)) this.#checkOption(place, condition);
    }
  }

  #checkNear(place: Path, message: DbcMessage, fine: string, coarse: string): void {
    if (!this.#signal(place, message, coarse)) return;
    const names = message.signals.map(({ name }) => name);
    if (names.indexOf(fine) < names.indexOf(coarse))
      this.#add(place, `signal ${fine} stands before ${coarse} in the DBC, expected after it`);
  }

  #checkAlarm(place: Path, message: DbcMessage, code: string, sources: readonly AlarmSignal[]): void {
    const { profile, section } = this.#canProfile;
    if (!profile.device_alarms?.some(alarm => alarm.code === code))
      this.#add(place, 'is not among the device_alarms of the profile');
    for (const source of sources) {
      this.#signal(place, message, source.signal);
      if (!source.levels && !section.alarm_levels)
        this.#add(place, 'has no levels and the section no alarm_levels');
      for (const condition of conditionsOf(source.use_when)) this.#checkOption(place, condition);
    }
  }

  #checkNumbered(place: Path, numbered: NumberedSignals, metric: Metric | undefined, count: number): void {
    if (!metric) {
      this.#add(place, 'no such metric');
      return;
    }
    const found = this.#findNumbered(place, numbered);
    for (let number = numbered.first; number < numbered.first + count; number++) {
      const name = nameWithNumber(numbered.signals, number);
      const at = found.get(number);
      if (!at) {
        this.#add(place, `${name}: no such signal in ${framesName(this.#canProfile.section)}`);
        continue;
      }
      const [message, signal] = at;
      this.#checkUnit(place, signal, metric);
      if (numbered.invalid_flags)
        this.#signal(place, message, nameWithNumber(numbered.invalid_flags.signals, number));
      const mask = numbered.present_mask;
      // With a mask in each message, one that has none carries cells that are always there.
      if (typeof mask === 'string') this.#signal(place, message, mask);
      else if (mask && !this.#hasSignal(mask.signal))
        this.#add(place, `no message has a signal ${mask.signal}`);
    }
    for (const { when } of numbered.invalid_flags?.invalid_is ?? []) this.#checkOption(place, when);
    for (const condition of conditionsOf(numbered.use_when)) this.#checkOption(place, condition);
  }

  #findNumbered(place: Path, { signals }: NumberedSignals): Map<number, [DbcMessage, DbcSignal]> {
    const found = new Map<number, [DbcMessage, DbcSignal]>();
    for (const message of this.#canProfile.dbc.messages)
      for (const signal of message.signals) {
        const number = numberInName(signals, signal.name);
        if (number === undefined) continue;
        if (found.has(number)) this.#add(place, `signal ${signal.name} stands in two messages`);
        found.set(number, [message, signal]);
      }
    return found;
  }

  #checkIdentity(): void {
    const { profile, section, dbc } = this.#canProfile;
    const { identity } = section;
    if (!identity) return;
    const place = ['can', 'identity'];
    if (!dbc.messages.some(({ name }) => name === identity.message))
      this.#add([...place, 'message'], `no message ${identity.message} in ${framesName(section)}`);
    const values = new Set([AUTO, identity.otherwise, ...Object.values(identity.starts_with)]);
    for (const is of values) this.#checkOption([...place, 'option'], { option: identity.option, is });
    if (profile.options?.[identity.option]?.selects_part)
      this.#add([...place, 'option'], 'selects a part, which the device cannot settle');
  }

  #checkPoll(place: Path, poll: Poll): void {
    if (!isReadRequest(poll))
      this.#add(
        place,
        'is not among the requests known to read only (drivers/can/read-requests.ts); nothing else is ever sent',
      );
    if (poll.address_shift !== undefined && !this.#canProfile.profile.address)
      this.#add([...place, 'address_shift'], 'set, but the profile declares no address range');
    const { section, dbc } = this.#canProfile;
    for (const name of poll.answers ?? [])
      if (!dbc.messages.some(message => message.name === name))
        this.#add([...place, 'answers'], `no message ${name} in ${framesName(section)}`);
  }

  #checkRead(place: Path, read: IsoTpRead): void {
    const { section, dbc } = this.#canProfile;
    if ((read.count !== undefined) !== /\{n+\}/.test(read.message))
      this.#add([...place, 'message'], 'has a {n} exactly where there is a count');
    for (const [request, name] of requestsOf(read)) {
      if (!isReadService(request))
        this.#add(
          [...place, 'request'],
          'is no service that reads only (22 with an identifier, 21, 0902, 1902 with a mask); nothing else is ever sent',
        );
      if (!dbc.messages.some(message => message.name === name))
        this.#add([...place, 'message'], `no message ${name} in ${framesName(section)}`);
    }
    if (read.use_when) this.#checkOption([...place, 'use_when'], read.use_when);
  }

  #hasSignal(wanted: string): boolean {
    return this.#canProfile.dbc.messages.some(({ signals }) => signals.some(({ name }) => name === wanted));
  }

  #signal(place: Path, message: DbcMessage, name: string): DbcSignal | undefined {
    const signal = message.signals.find(other => other.name === name);
    if (!signal) this.#add(place, `message ${message.name} has no signal ${name}`);
    return signal;
  }

  #checkUnit(place: Path, signal: DbcSignal, metric: Metric): void {
    if (unitDivisor(metric, signal.unit) !== undefined) return;
    const units = unitsOf(metric).map(unit => `"${unit}"`);
    this.#add(place, `signal ${signal.name} has unit "${signal.unit}", expected ${units.join(' or ')}`);
  }

  #checkOption(place: Path, { option: name, is }: OptionIs): void {
    const option = this.#canProfile.profile.options?.[name];
    if (!option) this.#add(place, `the profile has no option ${name}`);
    else if (!option.values.includes(is))
      this.#add(place, `option ${name} has no value ${JSON.stringify(is)}`);
  }

  #add(path: Path, text: string): void {
    this.#problems.push({ path, text });
  }
}
