/** Where every cell of a fleet stands on its map, and which cells stand out. */
import type { BatteryDetail, CellColumn } from '../../../core/contract/model.ts';
import { columnStats, type ScaledMetric } from './cells.ts';

const PACK_GAP_PX = 3;
const LINE_PX = 18;
const LINE_GAP_PX = 2;
const ROW_GAP_PX = 9;
const LEAST_ROW_PX = 26;
/** Narrower cells are shown on more lines, up to so many. */
const NARROWEST_CELL_PX = 3.5;
const MAX_CELL_PX = 22;
const MAX_LINES = 4;

/** A pack's place on the map, px; its cells stand side by side in it. */
export interface PackBox {
  readonly battery: number;
  readonly pack: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly cells: number;
}

export interface MapLayout {
  readonly boxes: readonly PackBox[];
  readonly row_px: number;
  readonly cell_px: number;
}

/** `cells[battery][pack]` are cell counts. Packs stand below each other alike in all rows. */
export function layOutMap(cells: readonly (readonly number[])[], width: number): MapLayout {
  const mostPacks = Math.max(1, ...cells.map(packs => packs.length));
  let lines = 0;
  let perLine = mostPacks;
  let cell_px = 0;
  do {
    lines++;
    perLine = Math.ceil(mostPacks / lines);
    const gaps_px = (perLine - 1) * PACK_GAP_PX;
    cell_px = Math.min(MAX_CELL_PX, (width - gaps_px) / Math.max(1, longestLine(cells, perLine)));
  } while (cell_px < NARROWEST_CELL_PX && lines < Math.min(MAX_LINES, mostPacks));
  const height = lines === 1 ? LEAST_ROW_PX : LINE_PX;
  const row_px = lines * height + (lines - 1) * LINE_GAP_PX + ROW_GAP_PX;
  const boxes = cells.flatMap((packs, battery) => {
    let x = 0;
    return packs.map((count, pack) => {
      if (pack % perLine === 0) x = 0;
      const y = battery * row_px + ROW_GAP_PX / 2 + Math.floor(pack / perLine) * (height + LINE_GAP_PX);
      const box = { battery, pack, x, y, width: count * cell_px, height, cells: count };
      x += box.width + PACK_GAP_PX;
      return box;
    });
  });
  return { boxes, row_px, cell_px };
}

function longestLine(cells: readonly (readonly number[])[], perLine: number): number {
  let longest = 0;
  for (const packs of cells) {
    for (let from = 0; from < packs.length; from += perLine) {
      longest = Math.max(
        longest,
        packs.slice(from, from + perLine).reduce((sum, count) => sum + count, 0),
      );
    }
  }
  return longest;
}

/** The cell at a point of the map, counting from 0; undefined between packs. */
export function cellAt(layout: MapLayout, x: number, y: number): { box: PackBox; cell: number } | undefined {
  const box = layout.boxes.find(
    one => x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height,
  );
  return box && { box, cell: Math.min(box.cells - 1, Math.floor((x - box.x) / layout.cell_px)) };
}

export interface Outlier {
  readonly pack_id: string;
  readonly pack_name: string;
  readonly cell_no: number;
  /** From the pack's median. */
  readonly deviation: number;
}

/** Deviations below these are usual. */
const NOTABLE: Readonly<Record<ScaledMetric, number>> = { voltage_v: 0.015, temperature_c: 4 };

/** The good cells furthest from their pack's median, one of a pack, furthest first. */
export function outliers(details: readonly BatteryDetail[], metric: ScaledMetric, most: number): Outlier[] {
  return details
    .flatMap(({ packs }) =>
      packs.flatMap(pack => {
        const found = furthestCell(pack.cells[metric]);
        if (!found || Math.abs(found.deviation) < NOTABLE[metric]) return [];
        return [{ pack_id: pack.id, pack_name: pack.name, ...found }];
      }),
    )
    .sort((a, b) => Math.abs(b.deviation) - Math.abs(a.deviation))
    .slice(0, most);
}

function furthestCell(column: CellColumn): Pick<Outlier, 'cell_no' | 'deviation'> | undefined {
  const { median, min, max, min_cell, max_cell } = columnStats(column);
  if (median === null || min === null || max === null || min_cell === undefined || max_cell === undefined)
    return undefined;
  return median - min > max - median
    ? { cell_no: min_cell + 1, deviation: min - median }
    : { cell_no: max_cell + 1, deviation: max - median };
}
