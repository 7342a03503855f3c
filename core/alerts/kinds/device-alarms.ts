/** Alarms that a device itself reports, each an alert of its own in the vendor's words. */
import { DeviceAlarmLevel } from '../../reading/pack-reading.ts';
import type { PackNode } from '../../topology/topology.ts';
import { type Alert, DEVICE_ALARM_RULE } from '../alert.ts';
import { type AlertBook, type Emit, holding } from '../alert-book.ts';
import type { PackMoment, Pending, RuleKind } from './kind.ts';

/** Devices report and withdraw an alarm at the edge of its limit many times an hour. */
export const CLEAR_AFTER_MS = 5 * 60_000;

interface AlarmRule {
  readonly id: string;
  readonly code: string;
  /** Its open alerts, by pack. */
  readonly open: readonly (Alert | undefined)[];
  /** Since when an active alarm is no longer reported, by pack; NaN: it is. */
  readonly over_since_ms: Float64Array;
}

export class DeviceAlarmRules implements RuleKind {
  /** The vendor's words for a code of a pack. */
  readonly #labelOf: (pack: number, code: string) => string;
  /** By pack, then in the order in which its device reports them. */
  readonly #rules: readonly (readonly AlarmRule[])[];
  readonly #packs: readonly PackNode[];

  constructor(packs: readonly PackNode[], book: AlertBook, labelOf: (pack: number, code: string) => string) {
    this.#packs = packs;
    this.#labelOf = labelOf;
    const by_code = new Map<string, AlarmRule>();
    for (const code of new Set(packs.flatMap(({ shape }) => shape.device_alarms))) {
      const id = `${DEVICE_ALARM_RULE}/${code}`;
      const over_since_ms = new Float64Array(packs.length).fill(Number.NaN);
      by_code.set(code, { id, code, open: book.openOf(id), over_since_ms });
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

  pending(mono_ms: number): Pending[] {
    return this.#rules.flatMap((rules, pack) =>
      rules.flatMap(({ id, over_since_ms }) => {
        const back_ms = mono_ms - over_since_ms[pack];
        if (Number.isNaN(back_ms)) return [];
        return [{ rule_id: id, pack_id: this.#packs[pack].id, lasted_ms: [], back_ms }];
      }),
    );
  }

  resume(pending: readonly Pending[], mono_ms: number): void {
    for (const { rule_id, pack_id, back_ms } of pending) {
      const pack = this.#packs.findIndex(({ id }) => id === pack_id);
      const rule = this.#rules[pack]?.find(({ id }) => id === rule_id);
      if (rule && back_ms !== null) rule.over_since_ms[pack] = mono_ms - back_ms;
    }
  }

  #judgeOne(
    { id, code, open, over_since_ms }: AlarmRule,
    level: number,
    moment: PackMoment,
    book: AlertBook,
    emit: Emit,
  ): void {
    const { subject, t_ms } = moment;
    const active = holding(open[subject.index]);
    if (level === DeviceAlarmLevel.unknown) {
      // Nobody knows whether it was reported meanwhile.
      over_since_ms[subject.index] = Number.NaN;
      if (active && moment.is_silent) book.setUnknown(id, subject, t_ms - moment.silent_ms, t_ms, emit);
      return;
    }
    if (level === DeviceAlarmLevel.none) {
      if (active && isOver(over_since_ms, moment)) book.clear({ id }, subject, t_ms, emit);
      return;
    }
    over_since_ms[subject.index] = Number.NaN;
    const isAlarm = level === DeviceAlarmLevel.alarm;
    const severity = isAlarm ? 'critical' : 'warning';
    if (active && active.unknown_since_ms !== null) book.setKnown(id, subject, t_ms, emit);
    if (active?.severity === severity) return;
    const label = this.#labelOf(subject.index, code);
    const found = { message: `The device reports ${isAlarm ? 'alarm' : 'warning'}: ${label}` };
    if (active) book.update(id, subject, found, t_ms, emit, severity);
    else book.raise({ id, severity }, subject, found, t_ms, emit);
  }
}

/** Whether the device has not reported it for long enough; called while it does not. */
function isOver(over_since_ms: Float64Array, { subject, mono_ms }: PackMoment): boolean {
  if (Number.isNaN(over_since_ms[subject.index])) over_since_ms[subject.index] = mono_ms;
  if (mono_ms - over_since_ms[subject.index] < CLEAR_AFTER_MS) return false;
  over_since_ms[subject.index] = Number.NaN;
  return true;
}
