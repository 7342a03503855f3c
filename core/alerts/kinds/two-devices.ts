/** Two devices that answer as one pack. */
import { TWO_DEVICES_RULE } from '../alert.ts';
import type { AlertBook, Emit } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

/** After a start nobody can say sooner that there is only one. */
const SURE_AFTER_MS = 60_000;
const RULE = { id: TWO_DEVICES_RULE, severity: 'critical' } as const;

export class TwoDevicesRule implements RuleKind {
  /** By pack, since the start: when it was seen first, or two were found. */
  readonly #judged_since_ms: number[] = [];

  knows(rule_id: string): boolean {
    return rule_id === RULE.id;
  }

  judge(
    { subject, two_devices: found, reading, t_ms, mono_ms }: PackMoment,
    book: AlertBook,
    emit: Emit,
  ): void {
    const since_ms = this.#judgedSince(subject.index, found !== undefined, reading !== undefined, mono_ms);
    const isActive = book.find(RULE.id, subject) !== undefined;
    if ((found !== undefined) === isActive) return;
    if (found === undefined) {
      if (mono_ms - since_ms >= SURE_AFTER_MS) book.clear(RULE, subject, t_ms, emit);
    } else {
      const message = `${found.slice(0, 1).toUpperCase()}${found.slice(1)}: all its values are suspect`;
      book.raise(RULE, subject, { message }, t_ms, emit);
    }
  }

  #judgedSince(pack: number, isFound: boolean, isSeen: boolean, mono_ms: number): number {
    if (isFound) this.#judged_since_ms[pack] = Number.NEGATIVE_INFINITY;
    else if (isSeen) this.#judged_since_ms[pack] ??= mono_ms;
    return this.#judged_since_ms[pack] ?? mono_ms;
  }
}
