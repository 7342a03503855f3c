/** Whether decoded values look like a battery: which are possible, and which bear each other out. */
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import {
  chargeLimitSentence,
  contradictsCells,
  contradictsLimits,
  MAX_CELL_SPREAD_V,
  orderSentence,
  sumSentence,
} from '../../core/siblings/contradictions.ts';
import type { Profile } from '../profiles/profile.ts';

export interface ReadingFacts {
  readonly plausible: number;
  readonly implausible: number;
  /** Number of the last cell that has a voltage. */
  readonly cells: number;
  /** Cells whose voltage is possible. */
  readonly cells_plausible: number;
  /** Number of the last sensor that has a possible temperature. */
  readonly sensors: number;
  /** NaN without cells. */
  readonly cell_min_v: number;
  readonly cell_max_v: number;
  readonly voltage_v: number;
  readonly soc_pct: number;
  /** A voltage of a pack or a cell is among the values. */
  readonly is_battery: boolean;
  /** What two values say of each other, for a person to read. */
  readonly agreements: readonly string[];
  readonly disagreements: readonly string[];
}

const MIN_PACK_V = 1;

/** Takes every value, also one that has become stale when the traffic ended. */
export function factsOf(reading: PackReading, profile: Profile): ReadingFacts {
  const limits = plausibleLimits(profile.plausible);
  const { values, shape, sensors } = reading;
  const tally = { plausible: 0, implausible: 0 };
  const weigh = (value: number, min: number, max: number): boolean => {
    if (Number.isNaN(value)) return false;
    const possible = value >= min && value <= max;
    tally[possible ? 'plausible' : 'implausible']++;
    return possible;
  };
  values.forEach((value, m) => {
    weigh(value, limits.pack_min[m], limits.pack_max[m]);
  });
  const column = reading.column(CellMetric.voltage_v);
  const m = CellMetric.voltage_v;
  let cells = 0;
  const possible: number[] = [];
  for (let cell = 0; cell < shape.cell_count; cell++) {
    if (Number.isNaN(column[cell])) continue;
    cells = cell + 1;
    if (weigh(column[cell], limits.cell_min[m], limits.cell_max[m])) possible.push(column[cell]);
  }
  let fitted = 0;
  for (let s = 0; s < sensors.length; s++)
    if (weigh(sensors[s], limits.sensor_min, limits.sensor_max)) fitted = s + 1;
  const cell_min_v = possible.length > 0 ? Math.min(...possible) : Number.NaN;
  const cell_max_v = possible.length > 0 ? Math.max(...possible) : Number.NaN;
  const reported_max_v = values[PackMetric.cell_voltage_max_v];
  const voltage_v = values[PackMetric.voltage_v];
  const sum_v = cells > 0 && possible.length === cells ? possible.reduce((sum, v) => sum + v, 0) : Number.NaN;
  return {
    ...tally,
    cells,
    cells_plausible: possible.length,
    sensors: fitted,
    cell_min_v,
    cell_max_v,
    voltage_v,
    soc_pct: values[PackMetric.soc_pct],
    is_battery: voltage_v > MIN_PACK_V || possible.length > 0 || reported_max_v > limits.cell_min[m],
    ...comparisons(reading, { cell_min_v, cell_max_v, sum_v }),
  };
}

interface CellSpan {
  readonly cell_min_v: number;
  readonly cell_max_v: number;
  readonly sum_v: number;
}

/** Comparisons with a value that is missing (NaN) say nothing either way. */
function comparisons(
  { values }: PackReading,
  { cell_min_v, cell_max_v, sum_v }: CellSpan,
): Pick<ReadingFacts, 'agreements' | 'disagreements'> {
  const agreements: string[] = [];
  const disagreements: string[] = [];
  const compare = (known: readonly number[], holds: boolean, yes: string, no: string) => {
    if (known.some(Number.isNaN)) return;
    if (holds) agreements.push(yes);
    else disagreements.push(no);
  };
  const reported = (metric: keyof typeof PackMetric) => values[PackMetric[metric]];
  const pack_v = reported('voltage_v');
  const [low_v, high_v] = [reported('cell_voltage_min_v'), reported('cell_voltage_max_v')];
  const [low_c, high_c] = [reported('cell_temperature_min_c'), reported('cell_temperature_max_c')];
  const [empty_v, full_v] = [reported('discharge_voltage_limit_v'), reported('charge_voltage_limit_v')];
  const volts = (value: number) => `${value.toFixed(1)} V`;
  compare(
    [sum_v, pack_v],
    !contradictsCells(sum_v, pack_v),
    `cells add up to the pack's ${volts(pack_v)}`,
    sumSentence(sum_v, pack_v),
  );
  compare(
    [cell_min_v, cell_max_v],
    cell_max_v - cell_min_v <= MAX_CELL_SPREAD_V,
    'cells are close together',
    `cells lie ${(cell_max_v - cell_min_v).toFixed(2)} V apart`,
  );
  compare(
    [low_v, high_v],
    low_v <= high_v && high_v - low_v <= MAX_CELL_SPREAD_V,
    'lowest and highest cell are in order',
    orderSentence(low_v, high_v),
  );
  compare(
    [low_c, high_c],
    low_c <= high_c && high_c - low_c <= 60,
    'lowest and highest temperature are in order',
    `lowest temperature ${low_c.toFixed(0)} °C, highest ${high_c.toFixed(0)} °C`,
  );
  // Devices that set no limit send 0.
  if (full_v > 0)
    compare(
      [pack_v],
      !contradictsLimits(pack_v, Number.NaN, full_v) && !(empty_v > full_v),
      `voltage lies near the charge limit of ${volts(full_v)}`,
      chargeLimitSentence(pack_v, full_v),
    );
  return { agreements, disagreements };
}

/** One line: what the values show. */
export function describeFacts(facts: ReadingFacts): string[] {
  const { cells, cells_plausible, cell_min_v, cell_max_v, voltage_v, soc_pct } = facts;
  const parts: string[] = [];
  if (cells > 0 && cells_plausible === cells)
    parts.push(`${cells} cells good ${cell_min_v.toFixed(2)}-${cell_max_v.toFixed(2)} V`);
  if (!Number.isNaN(voltage_v)) parts.push(`pack ${voltage_v.toFixed(1)} V`);
  if (!Number.isNaN(soc_pct)) parts.push(`SoC ${soc_pct.toFixed(0)} %`);
  return parts;
}

/** Cells between others that have no possible voltage. */
export function gapsIn({ cells, cells_plausible }: ReadingFacts): string[] {
  return cells_plausible > 0 && cells_plausible < cells
    ? [`only ${cells_plausible} of ${cells} cells have a possible voltage`]
    : [];
}
