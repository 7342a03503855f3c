/** A pack that reports nothing for too long. */
import { PACK_SILENT_RULE } from '../alert.ts';
import type { AlertBook, Emit } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

const RULE = { id: PACK_SILENT_RULE, severity: 'critical' } as const;

export class SilenceRule implements RuleKind {
  readonly #silent_after_ms: number;

  constructor(silent_after_ms: number) {
    this.#silent_after_ms = silent_after_ms;
  }

  knows(rule_id: string): boolean {
    return rule_id === RULE.id;
  }

  judge({ subject, silent_ms, silent_reason, t_ms }: PackMoment, book: AlertBook, emit: Emit): void {
    const isSilent = silent_ms >= this.#silent_after_ms;
    const isActive = book.find(RULE.id, subject) !== undefined;
    if (isSilent === isActive) return;
    if (!isSilent) book.clear(RULE.id, subject, t_ms, emit);
    else {
      const message = silent_reason ? `No data: ${silent_reason}` : 'No data';
      book.raise(RULE, subject, { message }, t_ms, emit);
    }
  }
}
