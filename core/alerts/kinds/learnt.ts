/**
 * What is learnt of a pack over hours or days, and stands apart: one alert a pack for each such rule, naming the worst; it
 * is updated when others are found, or when it has become clearly worse.
 */
import type { Alert } from '../alert.ts';
import type { AlertBook, Emit, Found, Raising } from '../alert-book.ts';
import type { PackMoment, PackSubject, RuleKind } from './kind.ts';

export interface LearntOptions<One> {
  readonly rule: Raising;
  /** The worst first, the same array until it changes; undefined: nothing is known. */
  readonly of: (moment: PackMoment) => readonly One[] | undefined;
  readonly found: (subject: PackSubject, items: readonly One[]) => Found;
  /** Whether it is worth saying again. */
  readonly isOther: (said: readonly One[], now: readonly One[]) => boolean;
  /** After a restart: whether the active alert says it already. */
  readonly isSaid: (active: Alert, found: Found) => boolean;
}

export class LearntRule<One> implements RuleKind {
  readonly #options: LearntOptions<One>;
  /** By pack: what was said last. */
  readonly #said: (readonly One[] | undefined)[] = [];

  constructor(options: LearntOptions<One>) {
    this.#options = options;
  }

  knows(rule_id: string): boolean {
    return rule_id === this.#options.rule.id;
  }

  judge(moment: PackMoment, book: AlertBook, emit: Emit): void {
    const { rule, of, found: foundOf, isOther, isSaid } = this.#options;
    const { subject, is_silent, silent_ms, t_ms } = moment;
    const active = book.find(rule.id, subject);
    if (is_silent) {
      if (active) book.setUnknown(rule.id, subject, t_ms - silent_ms, t_ms, emit);
      return;
    }
    const items = of(moment);
    if (items === undefined) return;
    if (active && active.unknown_since_ms !== null) book.setKnown(rule.id, subject, t_ms, emit);
    if (items.length === 0) {
      if (active) book.clear(rule, subject, t_ms, emit);
      return;
    }
    const said = this.#said[subject.index];
    if (said === items) return;
    if (active && said && !isOther(said, items)) return;
    this.#said[subject.index] = items;
    const found = foundOf(subject, items);
    if (!active) book.raise(rule, subject, found, t_ms, emit);
    // After a restart it goes on as it was, where it is the same.
    else if (said || !isSaid(active, found)) book.update(rule.id, subject, found, t_ms, emit);
  }
}
