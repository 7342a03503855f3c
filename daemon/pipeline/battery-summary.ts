/** From the packs of a battery to what stands for the battery as a whole: pure functions. */
import type {
  AlertCounts,
  BatterySummary,
  CellPlace,
  PackSummary,
  QualifiedValue,
} from '../../core/contract/model.ts';
import type { BatteryNode } from '../../core/topology/topology.ts';

export function summariseBattery(node: BatteryNode, packs: readonly PackSummary[]): BatterySummary {
  const offline = packs.filter(pack => pack.state === 'offline').length;
  const packs_ok = packs.filter(pack => pack.state === 'ok').length;
  const lowest = worst(packs, pack => (pack.cell_voltage_min_v === null ? null : -pack.cell_voltage_min_v));
  const highest = worst(packs, pack => pack.cell_voltage_max_v);
  const widest = worst(packs, pack => pack.cell_voltage_spread_v);
  const hottest = worst(packs, pack => pack.cell_temperature_max_c);
  const furthest = worst(packs, pack => pack.cell_deviation_v);
  const illest = worst(packs, illness);
  return {
    id: node.id,
    name: node.name,
    state: offline === packs.length ? 'offline' : packs_ok === packs.length ? 'ok' : 'degraded',
    reason: batteryReason(packs),
    pack_count: packs.length,
    packs_ok,
    packs_answering: packs.length - offline,
    packs: packs.map(({ id, name }) => ({ id, name })),
    cell_count: packs.reduce((sum, pack) => sum + pack.cells.voltage_v.values.length, 0),
    power_w: sumOf(packs.map(powerOf)),
    soc_pct: meanOf(packs.map(({ soc_pct }) => goodOf(soc_pct))),
    estimated_soc_pct: meanOfAll(packs.map(({ estimated_soc_pct }) => goodOf(estimated_soc_pct))),
    estimated_soc_sd_pct: meanOfAll(packs.map(({ estimated_soc_sd_pct }) => goodOf(estimated_soc_sd_pct))),
    estimated_soh_pct: pick(
      Math.min,
      packs.map(({ estimated_soh_pct }) => goodOf(estimated_soh_pct)),
    ),
    cell_voltage_min_v: lowest?.pack.cell_voltage_min_v ?? null,
    cell_voltage_max_v: highest?.pack.cell_voltage_max_v ?? null,
    cell_voltage_spread_v: widest?.pack.cell_voltage_spread_v ?? null,
    cell_temperature_max_c: hottest?.pack.cell_temperature_max_c ?? null,
    lowest_cell: placeOf(lowest, pack => pack.lowest_cell_no),
    highest_cell: placeOf(highest, pack => pack.highest_cell_no),
    widest_spread: placeOf(widest, pack => pack.deviating_cell_no),
    hottest_cell: placeOf(
      hottest,
      pack => pack.hottest_cell_no,
      pack => pack.hottest_sensor_no,
    ),
    cell_deviation_v: furthest?.pack.cell_deviation_v ?? null,
    cells_out_of_line: packs.reduce((sum, pack) => sum + pack.cells_out_of_line.length, 0),
    worst_cell: placeOf(illest, pack => pack.cells_out_of_line[0]),
    t_ms: pick(
      Math.max,
      packs.map(pack => pack.t_ms),
    ),
    alerts: packs.reduce<AlertCounts>(
      (sum, { alerts }) => ({
        critical: sum.critical + alerts.critical,
        warning: sum.warning + alerts.warning,
        info: sum.info + alerts.info,
      }),
      { critical: 0, warning: 0, info: 0 },
    ),
  };
}

interface FoundPack {
  readonly pack: PackSummary;
  readonly pack_index: number;
}

/** The pack with the highest figure, the first of several alike; undefined: none has one. */
function worst(
  packs: readonly PackSummary[],
  figureOf: (pack: PackSummary) => number | null,
): FoundPack | undefined {
  let found: FoundPack | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const [pack_index, pack] of packs.entries()) {
    const figure = figureOf(pack);
    if (figure === null || figure <= highest) continue;
    highest = figure;
    found = { pack, pack_index };
  }
  return found;
}

function placeOf(
  found: FoundPack | undefined,
  cellOf: (pack: PackSummary) => number | null,
  sensorOf: (pack: PackSummary) => number | null = () => null,
): CellPlace | null {
  if (!found) return null;
  const { pack, pack_index } = found;
  return { pack_index, cell_no: cellOf(pack), sensor_no: sensorOf(pack) };
}

/** Critical alerts first, then other alerts, then how far its cells are apart; null: none is out of line. */
function illness({ alerts, cells_out_of_line, cell_deviation_v }: PackSummary): number | null {
  if (cells_out_of_line.length === 0) return null;
  return alerts.critical * 1e6 + alerts.warning * 1e3 + (cell_deviation_v ?? 0);
}

/** "1 of 10 packs offline: Rack 1, pack 03: unit 3: no reply"; the worst pack speaks for the others. */
function batteryReason(packs: readonly PackSummary[]): string | null {
  const kinds = (['offline', 'degraded'] as const)
    .map(state => ({ state, found: packs.filter(pack => pack.state === state) }))
    .filter(({ found }) => found.length > 0);
  if (kinds.length === 0) return null;
  const counts = kinds.map(({ state, found }, i) =>
    i === 0
      ? `${found.length} of ${packs.length} ${packs.length === 1 ? 'pack' : 'packs'} ${state}`
      : `${found.length} ${state}`,
  );
  const [first] = kinds[0].found;
  return `${counts.join(', ')}: ${first.name}: ${first.reason ?? first.state}`;
}

function powerOf(pack: PackSummary): number | null {
  const { voltage_v, current_a } = pack;
  if (voltage_v.quality !== 'good' || current_a.quality !== 'good') return null;
  return (voltage_v.value ?? 0) * (current_a.value ?? 0);
}

const known = (values: readonly (number | null)[]) => values.filter(value => value !== null);

function sumOf(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  return numbers.length === 0 ? null : Math.round(numbers.reduce((a, b) => a + b, 0));
}

function meanOf(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  if (numbers.length === 0) return null;
  return Math.round((numbers.reduce((a, b) => a + b, 0) / numbers.length) * 10) / 10;
}

/** Of a part of the packs it would say something else. */
function meanOfAll(values: readonly (number | null)[]): number | null {
  return values.includes(null) ? null : meanOf(values);
}

const goodOf = ({ value, quality }: QualifiedValue) => (quality === 'good' ? value : null);

function pick(choose: (...values: number[]) => number, values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  return numbers.length === 0 ? null : choose(...numbers);
}
