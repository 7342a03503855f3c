/** Cells that are lower than their siblings by more than siblings differ, as core/siblings/deviation.ts learns it. */
import { type WeakCell, weakCellText } from '../../siblings/deviation.ts';
import { WEAK_CELL_RULE } from '../alert.ts';
import type { Found } from '../alert-book.ts';
import { LearntRule } from './learnt.ts';

/** By so much further it is worth saying again. */
const CLEARLY_V = 0.005;
const MAX_NAMED = 5;
const WEEK_DAYS = 7;

/** The spread of cells at rest that is a warning, V; undefined: there is no such limit. */
type SpreadLimit = (pack: number) => number | undefined;

export class WeakCellRule extends LearntRule<WeakCell> {
  constructor(spreadLimit: SpreadLimit) {
    super({
      rule: { id: WEAK_CELL_RULE, severity: 'warning' },
      of: ({ weak_cells }) => weak_cells,
      found: ({ index }, weak_cells) => foundOf(spreadLimit(index), weak_cells),
      isOther,
      isSaid: (active, { cell_no }) => active.cell_no === cell_no,
    });
  }
}

function foundOf(limit_v: number | undefined, [weakest, ...others]: readonly WeakCell[]): Found {
  const named = others.slice(0, MAX_NAMED).map(({ cell }) => cell + 1);
  const also =
    others.length === 0 ? '' : `. Weak as well: ${named.length === 1 ? 'cell' : 'cells'} ${named.join(', ')}`;
  return {
    message: `${weakCellText(weakest)}${outlook(limit_v, weakest)}${also}`,
    value: Math.round(weakest.deviation_v * 1000),
    unit: 'mV',
    cell_no: weakest.cell + 1,
  };
}

/** "; at this rate it reaches the limit of 0.15 V in 5 weeks" */
function outlook(limit_v: number | undefined, { deviation_v, per_day_v }: WeakCell): string {
  if (limit_v === undefined || per_day_v === undefined || per_day_v > -0.0002) return '';
  const days = (limit_v + deviation_v) / -per_day_v;
  if (days <= 0 || days > 365) return '';
  const when = days < 2 * WEEK_DAYS ? `${Math.ceil(days)} days` : `${Math.round(days / WEEK_DAYS)} weeks`;
  return `; at this rate it reaches the limit of ${limit_v} V in ${when}`;
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
