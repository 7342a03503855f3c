/** Packs that stand apart from the others of their battery, as core/siblings/fleet-deviation.ts learns it. */
import { FLEET_FIGURES, type PackApart, packApartText } from '../../siblings/fleet-deviation.ts';
import { PACK_APART_RULE } from '../alert.ts';
import type { Found } from '../alert-book.ts';
import type { PackSubject } from './kind.ts';
import { LearntRule } from './learnt.ts';

/** By this share of the least it is worth saying again. */
const CLEARLY_SHARE = 0.5;

export class PackApartRule extends LearntRule<PackApart> {
  constructor() {
    super({
      rule: { id: PACK_APART_RULE, severity: 'warning' },
      of: ({ apart }) => apart,
      found: foundOf,
      isOther,
      isSaid: (active, { unit }) => active.unit === unit,
    });
  }
}

/** "Pack 3 is warmer than …. It also holds less charge than …". */
function foundOf({ node }: PackSubject, apart: readonly PackApart[]): Found {
  const [worst, ...others] = apart;
  const { unit, decimals } = FLEET_FIGURES[worst.figure];
  const also = others.map(one => `. It also ${packApartText(one)}`).join('');
  return {
    message: `${node.name} ${packApartText(worst)}${also}`,
    value: Number(worst.deviation.toFixed(decimals)),
    unit,
  };
}

function isOther(said: readonly PackApart[], now: readonly PackApart[]): boolean {
  const figures = (apart: readonly PackApart[]) => apart.map(({ figure }) => figure).join();
  const [before, after] = [said[0], now[0]];
  const clearly = FLEET_FIGURES[after.figure].least * CLEARLY_SHARE;
  return figures(said) !== figures(now) || Math.abs(after.deviation) > Math.abs(before.deviation) + clearly;
}
