/** Two healths in words: whether data can be trusted, and whether cells are well. And where an extreme was found. */
import type { BatterySummary, CellPlace, PackSummary } from '../../../core/contract/model.ts';
import { t } from '../texts/texts.ts';

/** "10 of 10 packs answer, all values good"; the gateway's own words where something is wrong. */
export function dataText(battery: BatterySummary): string {
  const { health } = t();
  const { reason, packs_answering, pack_count } = battery;
  return reason ?? health.allGood(health.data(packs_answering, pack_count));
}

/** "1 cell out of line: Rack 1, pack 03, cell 4". */
export function cellsText(battery: BatterySummary): string {
  const { health } = t();
  const { cells_out_of_line, worst_cell } = battery;
  if (cells_out_of_line === 0) return health.noneOut;
  const counted = health.out(cells_out_of_line);
  const where = placeText(battery, worst_cell);
  return where ? health.outAt(counted, where) : counted;
}

/** "Rack 1, pack 03, cell 4"; empty: there is none. */
export function placeText({ packs }: Pick<BatterySummary, 'packs'>, place: CellPlace | null): string {
  const pack = place && packs[place.pack_index];
  if (!pack) return '';
  const part = partText(place.cell_no, place.sensor_no);
  return part ? t().health.inPack(pack.name, part) : pack.name;
}

/** "cell 4", "sensor 2"; empty: neither is known. */
export function partText(cell_no: number | null, sensor_no: number | null = null): string {
  const { cell, sensor } = t().health;
  if (cell_no !== null) return cell(cell_no);
  return sensor_no === null ? '' : sensor(sensor_no);
}

/** Undefined: there is none. */
export function placeHref(
  { packs }: Pick<BatterySummary, 'packs'>,
  place: CellPlace | null,
): string | undefined {
  const pack = place && packs[place.pack_index];
  return pack ? cellHref(pack.id, place.cell_no) : undefined;
}

export function cellHref(pack_id: string, cell_no: number | null): string {
  return `/pack/${encodeURIComponent(pack_id)}${cell_no === null ? '' : `?cell=${cell_no}`}`;
}

export function outOfLineCount({ cells_out_of_line: cells }: PackSummary | BatterySummary): number {
  return typeof cells === 'number' ? cells : cells.length;
}
