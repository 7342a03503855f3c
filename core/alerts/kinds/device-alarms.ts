/** Alarms that a device itself reports, each an alert of its own in the vendor's words. */
import { DeviceAlarmLevel } from '../../reading/pack-reading.ts';
import type { PackNode } from '../../topology/topology.ts';
import { type Alert, DEVICE_ALARM_RULE } from '../alert.ts';
import { type AlertBook, type Emit, holding } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

/** Devices report and withdraw an alarm at the edge of its limit many times an hour. */
export const CLEAR_AFTER_MS = 5 * 60_000;

interface AlarmRule {
  readonly id: string;
  readonly code: string;
  /** Its open alerts, by pack. */
  readonly open: readonly (Alert | undefined)[];
}

export class DeviceAlarmRules implements RuleKind {
  /** The vendor's words for a code of a pack. */
  readonly #labelOf: (pack: number, code: string) => string;
  /** By pack, then in the order in which its device reports them. */
  readonly #rules: readonly (readonly AlarmRule[])[];
  readonly #pack_count: number;
  /** By rule id, then by pack: since when an active alarm is no longer reported; NaN: it is. */
  readonly #over_since_ms = new Map<string, Float64Array>();

  constructor(packs: readonly PackNode[], book: AlertBook, labelOf: (pack: number, code: string) => string) {
    this.#pack_count = packs.length;
    this.#labelOf = labelOf;
    const by_code = new Map<string, AlarmRule>();
    for (const code of new Set(packs.flatMap(({ shape }) => shape.device_alarms))) {
      const id = `${DEVICE_ALARM_RULE}/${code}`;
      by_code.set(code, { id, code, open: book.openOf(id) });
    }
    this.#rules = packs.map(({ shape }) => shape.device_alarms.flatMap(code => by_code.get(code) ?? []));
  }

  knows(rule_id: string, node: PackNode): boolean {
    const [kind, code] = rule_id.split('/');
    return kind === DEVICE_ALARM_RULE && node.shape.device_alarms.includes(code);
  }

  judge(moment: PackMoment, book: AlertBook, emit: Emit): void {
    const { subject, reading } = moment;
    const rules = this.#rules[subject.index];
    const { none, unknown } = DeviceAlarmLevel;
    for (let i = 0; i < rules.length; i++) {
      const level = reading ? reading.device_alarm_level[i] : unknown;
      const isQuiet = level === none || level === unknown;
      if (!isQuiet || rules[i].open[subject.index] !== undefined)
        this.#judgeOne(rules[i], level, moment, book, emit);
    }
  }

  #judgeOne(
    { id, code, open }: AlarmRule,
    level: number,
    moment: PackMoment,
    book: AlertBook,
    emit: Emit,
  ): void {
    const { subject, t_ms } = moment;
    const active = holding(open[subject.index]);
    if (level === DeviceAlarmLevel.unknown) {
      if (active && moment.is_silent) book.setUnknown(id, subject, t_ms - moment.silent_ms, t_ms, emit);
      return;
    }
    if (level === DeviceAlarmLevel.none) {
      if (active && this.#isOver(id, moment)) book.clear({ id }, subject, t_ms, emit);
      return;
    }
    this.#over_since_ms.get(id)?.fill(Number.NaN, subject.index, subject.index + 1);
    const isAlarm = level === DeviceAlarmLevel.alarm;
    const severity = isAlarm ? 'critical' : 'warning';
    if (active && active.unknown_since_ms !== null) book.setKnown(id, subject, t_ms, emit);
    if (active?.severity === severity) return;
    const label = this.#labelOf(subject.index, code);
    const found = { message: `The device reports ${isAlarm ? 'alarm' : 'warning'}: ${label}` };
    if (active) book.update(id, subject, found, t_ms, emit, severity);
    else book.raise({ id, severity }, subject, found, t_ms, emit);
  }

  /** Whether the device has not reported it for long enough; called while it does not. */
  #isOver(id: string, { subject, mono_ms }: PackMoment): boolean {
    let since_ms = this.#over_since_ms.get(id);
    if (!since_ms) {
      since_ms = new Float64Array(this.#pack_count).fill(Number.NaN);
      this.#over_since_ms.set(id, since_ms);
    }
    if (Number.isNaN(since_ms[subject.index])) since_ms[subject.index] = mono_ms;
    if (mono_ms - since_ms[subject.index] < CLEAR_AFTER_MS) return false;
    since_ms[subject.index] = Number.NaN;
    return true;
  }
}
