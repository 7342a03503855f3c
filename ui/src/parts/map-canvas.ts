/** Draws the map of all cells on one canvas; of an update only the packs that changed. */
import type { CellColumn } from '../../../core/contract/model.ts';
import { columnStats } from '../format/cells.ts';
import type { MapLayout, PackBox } from '../format/fleet-map.ts';
import { cellQuality } from '../format/quality.ts';
import { currentPalette, fitCanvas, hatch, heatColour, type Palette, symbol } from './canvas.ts';

const NARROWEST_MARK_PX = 12;

export class MapCanvas {
  readonly #canvas: HTMLCanvasElement;
  /** What stands on the canvas, by box. */
  readonly #drawn: string[] = [];
  #frame = '';
  #layout: MapLayout | undefined;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** `columns` in the order of the layout's boxes; undefined while nothing has come of that pack. */
  draw(layout: MapLayout, columns: readonly (CellColumn | undefined)[], scale: number, theme: string): void {
    const fit = fitCanvas(this.#canvas);
    if (!fit) return;
    const frame = `${fit.width} ${fit.height} ${window.devicePixelRatio} ${scale} ${theme}`;
    if (frame !== this.#frame || layout !== this.#layout || fit.isBlank) {
      this.#drawn.length = 0;
      fit.pen.clearRect(0, 0, fit.width, fit.height);
      this.#frame = frame;
      this.#layout = layout;
    }
    const palette = currentPalette();
    layout.boxes.forEach((box, at) => {
      const column = columns[at];
      const key = column ? `${column.quality} ${column.values.join()}` : '';
      if (this.#drawn[at] === key) return;
      this.#drawn[at] = key;
      fit.pen.clearRect(box.x, box.y, box.width, box.height);
      if (column) drawPack(fit.pen, box, layout.cell_px, column, scale, palette);
    });
  }
}

function drawPack(
  pen: CanvasRenderingContext2D,
  { x, y, height, cells }: PackBox,
  cell_px: number,
  column: CellColumn,
  scale: number,
  palette: Palette,
): void {
  const { median } = columnStats(column);
  const gap = cell_px > 6 ? 1 : 0;
  let from = 0;
  for (let cell = 0; cell < cells; cell++) {
    const quality = cellQuality(column, cell);
    const value = column.values[cell] ?? null;
    if (quality === 'good' && value !== null && median !== null) {
      pen.fillStyle = heatColour((value - median) / scale, palette);
      pen.fillRect(x + cell * cell_px, y, cell_px - gap, height);
      from = cell + 1;
    } else if (cell + 1 === cells || cellQuality(column, cell + 1) !== quality) {
      drawDoubt(pen, quality, x + from * cell_px, y, (cell + 1 - from) * cell_px - gap, height, palette);
      from = cell + 1;
    }
  }
}

/** Neighbours of the same quality share one hatching: in a single narrow cell nobody would see it. */
function drawDoubt(
  pen: CanvasRenderingContext2D,
  quality: string,
  x: number,
  y: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  const colour = quality === 'suspect' ? palette.warning : palette.line;
  pen.fillStyle = palette.surface;
  pen.fillRect(x, y, width, height);
  hatch(pen, x, y, width, height, colour);
  if (quality === 'stale' || width < NARROWEST_MARK_PX) return;
  pen.fillStyle = palette.surface;
  pen.fillRect(x + width / 2 - 6, y, 12, height);
  symbol(pen, quality === 'suspect' ? '!' : '?', x + width / 2, y + height / 2, colour);
}
