/** Alarms that a device itself reports, each an alert of its own in the vendor's words. */
import { DeviceAlarmLevel } from '../../reading/pack-reading.ts';
import type { PackNode } from '../../topology/topology.ts';
import { DEVICE_ALARM_RULE } from '../alert.ts';
import type { AlertBook, Emit } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

export class DeviceAlarmRules implements RuleKind {
  /** The vendor's words for a code of a pack. */
  readonly #labelOf: (pack: number, code: string) => string;
  readonly #rule_ids = new Map<string, string>();

  constructor(labelOf: (pack: number, code: string) => string) {
    this.#labelOf = labelOf;
  }

  knows(rule_id: string, node: PackNode): boolean {
    const [kind, code] = rule_id.split('/');
    return kind === DEVICE_ALARM_RULE && node.shape.device_alarms.includes(code);
  }

  judge({ subject, reading, t_ms }: PackMoment, book: AlertBook, emit: Emit): void {
    if (!reading) return;
    const { device_alarms } = reading.shape;
    for (let i = 0; i < device_alarms.length; i++) {
      const level = reading.device_alarm_level[i];
      if (level === DeviceAlarmLevel.unknown) continue;
      const id = this.#ruleId(device_alarms[i]);
      const isActive = book.find(id, subject) !== undefined;
      if ((level !== DeviceAlarmLevel.none) === isActive) continue;
      if (isActive) book.clear(id, subject, t_ms, emit);
      else {
        const isAlarm = level === DeviceAlarmLevel.alarm;
        const label = this.#labelOf(reading.pack, device_alarms[i]);
        const message = `The device reports ${isAlarm ? 'alarm' : 'warning'}: ${label}`;
        book.raise({ id, severity: isAlarm ? 'critical' : 'warning' }, subject, { message }, t_ms, emit);
      }
    }
  }

  #ruleId(code: string): string {
    let id = this.#rule_ids.get(code);
    if (id === undefined) {
      id = `${DEVICE_ALARM_RULE}/${code}`;
      this.#rule_ids.set(code, id);
    }
    return id;
  }
}
