/** Cells that lose charge faster than their siblings, as core/siblings/charge-drift.ts learns it. */
import { type LeakingCell, leakText } from '../../siblings/charge-drift.ts';
import { CELL_LEAK_RULE } from '../alert.ts';
import type { Found } from '../alert-book.ts';
import { LearntRule } from './learnt.ts';

/** By this share more it is worth saying again. */
const CLEARLY = 1.3;
const MAX_NAMED = 5;

export class CellLeakRule extends LearntRule<LeakingCell> {
  constructor() {
    super({
      rule: { id: CELL_LEAK_RULE, severity: 'warning' },
      of: ({ leaking }) => leaking,
      found: (_, leaking) => foundOf(leaking),
      isOther,
      isSaid: (active, { cell_no }) => active.cell_no === cell_no,
    });
  }
}

function foundOf([worst, ...others]: readonly LeakingCell[]): Found {
  const named = others.slice(0, MAX_NAMED).map(({ cell }) => cell + 1);
  const also =
    named.length === 0 ? '' : `. So ${named.length === 1 ? 'does cell' : 'do cells'} ${named.join(', ')}`;
  return {
    message: `${leakText(worst)}${also}`,
    value: Number(worst.leak_ma.toFixed(1)),
    unit: 'mA',
    cell_no: worst.cell + 1,
  };
}

function isOther(said: readonly LeakingCell[], now: readonly LeakingCell[]): boolean {
  const cells = (leaking: readonly LeakingCell[]) =>
    leaking
      .map(({ cell }) => cell)
      .sort((a, b) => a - b)
      .join();
  return (
    said[0].cell !== now[0].cell || cells(said) !== cells(now) || now[0].leak_ma > said[0].leak_ma * CLEARLY
  );
}
