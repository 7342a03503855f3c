/** Two devices that answer as one pack. */
import { TWO_DEVICES_RULE } from '../alert.ts';
import type { AlertBook, Emit } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

const RULE = { id: TWO_DEVICES_RULE, severity: 'critical' } as const;

export class TwoDevicesRule implements RuleKind {
  knows(rule_id: string): boolean {
    return rule_id === RULE.id;
  }

  judge({ subject, two_devices: found, t_ms }: PackMoment, book: AlertBook, emit: Emit): void {
    const isActive = book.find(RULE.id, subject) !== undefined;
    if ((found !== undefined) === isActive) return;
    if (found === undefined) book.clear(RULE, subject, t_ms, emit);
    else {
      const message = `${found.slice(0, 1).toUpperCase()}${found.slice(1)}: all its values are suspect`;
      book.raise(RULE, subject, { message }, t_ms, emit);
    }
  }
}
