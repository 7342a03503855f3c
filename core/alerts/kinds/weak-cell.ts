/**
 * Cells that are lower than their siblings by more than siblings differ, as core/siblings/deviation.ts learns it. One
 * alert a pack, naming the weakest cell; it is updated when others are, or when it has become clearly worse.
 */
import { type WeakCell, weakCellText } from '../../siblings/deviation.ts';
import { WEAK_CELL_RULE } from '../alert.ts';
import type { AlertBook, Emit, Found } from '../alert-book.ts';
import type { PackMoment, RuleKind } from './kind.ts';

const RULE = { id: WEAK_CELL_RULE, severity: 'warning' } as const;
/** By so much further it is worth saying again. */
const CLEARLY_V = 0.005;
const MAX_NAMED = 5;
const WEEK_DAYS = 7;

export class WeakCellRule implements RuleKind {
  /** The spread of cells at rest that is a warning, V; undefined: there is no such limit. */
  readonly #spreadLimit: (pack: number) => number | undefined;
  /** By pack: what was said last. */
  readonly #said: (readonly WeakCell[] | undefined)[] = [];

  constructor(spreadLimit: (pack: number) => number | undefined) {
    this.#spreadLimit = spreadLimit;
  }

  knows(rule_id: string): boolean {
    return rule_id === RULE.id;
  }

  judge({ subject, weak_cells, is_silent, silent_ms, t_ms }: PackMoment, book: AlertBook, emit: Emit): void {
    const active = book.find(RULE.id, subject);
    if (is_silent) {
      if (active) book.setUnknown(RULE.id, subject, t_ms - silent_ms, t_ms, emit);
      return;
    }
    if (weak_cells === undefined) return;
    if (active && active.unknown_since_ms !== null) book.setKnown(RULE.id, subject, t_ms, emit);
    if (weak_cells.length === 0) {
      if (active) book.clear(RULE, subject, t_ms, emit);
      return;
    }
    const said = this.#said[subject.index];
    if (said === weak_cells) return;
    if (active && said && !isOther(said, weak_cells)) return;
    this.#said[subject.index] = weak_cells;
    const found = this.#found(subject.index, weak_cells);
    if (!active) book.raise(RULE, subject, found, t_ms, emit);
    // After a restart it goes on as it was, where it is the same.
    else if (said || active.cell_no !== found.cell_no) book.update(RULE.id, subject, found, t_ms, emit);
  }

  #found(pack: number, weak_cells: readonly WeakCell[]): Found {
    const [weakest, ...others] = weak_cells;
    const named = others.slice(0, MAX_NAMED).map(({ cell }) => cell + 1);
    const also =
      others.length === 0
        ? ''
        : `. Weak as well: ${named.length === 1 ? 'cell' : 'cells'} ${named.join(', ')}`;
    return {
      message: `${weakCellText(weakest)}${this.#outlook(pack, weakest)}${also}`,
      value: Math.round(weakest.deviation_v * 1000),
      unit: 'mV',
      cell_no: weakest.cell + 1,
    };
  }

  /** "; at this rate it reaches the limit of 0.15 V in 5 weeks" */
  #outlook(pack: number, { deviation_v, per_day_v }: WeakCell): string {
    const limit_v = this.#spreadLimit(pack);
    if (limit_v === undefined || per_day_v === undefined || per_day_v > -0.0002) return '';
    const days = (limit_v + deviation_v) / -per_day_v;
    if (days <= 0 || days > 365) return '';
    const when = days < 2 * WEEK_DAYS ? `${Math.ceil(days)} days` : `${Math.round(days / WEEK_DAYS)} weeks`;
    return `; at this rate it reaches the limit of ${limit_v} V in ${when}`;
  }
}

function isOther(said: readonly WeakCell[], now: readonly WeakCell[]): boolean {
  const cells = (weak: readonly WeakCell[]) =>
    weak
      .map(({ cell }) => cell)
      .sort((a, b) => a - b)
      .join();
  return (
    said[0].cell !== now[0].cell ||
    cells(said) !== cells(now) ||
    now[0].deviation_v < said[0].deviation_v - CLEARLY_V
  );
}
