/** Every cell's voltage as a bar, scaled around lowest and highest so that millivolts can be seen. */
import type { CellColumn } from '../../../core/contract/model.ts';
import { barRange, type ColumnStats, columnStats, roundTicks } from '../format/cells.ts';
import { formatNumber } from '../format/numbers.ts';
import { cellQuality } from '../format/quality.ts';
import { t } from '../texts/texts.ts';
import { dashedBox, hatch, mix, type Palette, pointer, useCanvas } from './canvas.ts';

const NARROWEST_RANGE_V = 0.02;
/** Deviations up to the first are usual and get no colour; from the second on it is full. */
const USUAL_DEVIATION_V = 0.006;
const CLEAR_DEVIATION_V = 0.03;
const LEFT_PX = 46;
const FOOT_PX = 20;
const HEAD_PX = 16;

interface CellBarsProps {
  readonly column: CellColumn;
  readonly onPick: (cell_no: number) => void;
}

export function CellBars({ column, onPick }: CellBarsProps) {
  const stats = columnStats(column);
  const range = barRange(stats, NARROWEST_RANGE_V);
  const ref = useCanvas(
    (pen, width, height, palette) => {
      if (range) new BarDrawing(pen, width, height, palette, column, stats, range).draw();
    },
    [column.values.join(), column.quality],
  );
  const text = t().cellViews;
  if (!range) return <p class="quiet cell-bars">{text.noBars}</p>;
  const pick = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = (event.clientX - box.left - LEFT_PX) / (box.width - LEFT_PX);
    const cell = Math.floor(share * column.values.length);
    if (cell >= 0 && cell < column.values.length) onPick(cell + 1);
  };
  return (
    <figure class="cell-bars">
      <canvas ref={ref} onClick={pick} role="img" aria-label={text.bars} />
      <figcaption>{text.barsKey(formatNumber(stats.median, 3))}</figcaption>
    </figure>
  );
}

class BarDrawing {
  readonly #pen: CanvasRenderingContext2D;
  readonly #width: number;
  readonly #height: number;
  readonly #palette: Palette;
  readonly #column: CellColumn;
  readonly #stats: ColumnStats;
  readonly #range: { bottom: number; top: number };

  constructor(
    pen: CanvasRenderingContext2D,
    width: number,
    height: number,
    palette: Palette,
    column: CellColumn,
    stats: ColumnStats,
    range: { bottom: number; top: number },
  ) {
    this.#pen = pen;
    this.#width = width;
    this.#height = height;
    this.#palette = palette;
    this.#column = column;
    this.#stats = stats;
    this.#range = range;
  }

  draw(): void {
    this.#drawAxis();
    const count = this.#column.values.length;
    const step = (this.#width - LEFT_PX) / count;
    const gap = step > 14 ? 4 : step > 4 ? 1 : 0;
    for (let cell = 0; cell < count; cell++) this.#drawBar(cell, LEFT_PX + cell * step, step - gap);
    const labelEvery = [1, 2, 5, 10, 20, 50, 100, 500].find(every => every * step >= 22) ?? 1000;
    this.#textStyle('center', this.#palette.muted);
    for (let cell = 0; cell < count; cell++) {
      if (cell > 0 && (cell + 1) % labelEvery !== 0) continue;
      this.#pen.fillText(String(cell + 1), LEFT_PX + cell * step + (step - gap) / 2, this.#height - 6);
    }
    this.#drawMedian();
  }

  #y(value: number): number {
    const { bottom, top } = this.#range;
    const share = Math.max(0, Math.min(1, (value - bottom) / (top - bottom)));
    return this.#foot - share * (this.#foot - HEAD_PX);
  }

  get #foot(): number {
    return this.#height - FOOT_PX;
  }

  #textStyle(align: CanvasTextAlign, colour: string): void {
    this.#pen.font = '500 12px system-ui, sans-serif';
    this.#pen.textAlign = align;
    this.#pen.textBaseline = 'alphabetic';
    this.#pen.fillStyle = colour;
  }

  #drawAxis(): void {
    const { bottom, top } = this.#range;
    const pen = this.#pen;
    for (const value of roundTicks(bottom, top)) {
      const y = Math.round(this.#y(value)) + 0.5;
      pen.strokeStyle = this.#palette.line;
      pen.globalAlpha = 0.35;
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(LEFT_PX, y);
      pen.lineTo(this.#width, y);
      pen.stroke();
      pen.globalAlpha = 1;
      this.#textStyle('right', this.#palette.muted);
      pen.fillText(formatNumber(value, 3), LEFT_PX - 6, y + 4);
    }
  }

  #drawMedian(): void {
    if (this.#stats.median === null) return;
    const pen = this.#pen;
    const y = Math.round(this.#y(this.#stats.median)) + 0.5;
    pen.save();
    pen.setLineDash([5, 4]);
    pen.strokeStyle = this.#palette.text;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(LEFT_PX, y);
    pen.lineTo(this.#width, y);
    pen.stroke();
    pen.restore();
  }

  #drawBar(cell: number, x: number, w: number): void {
    const palette = this.#palette;
    const value = this.#column.values[cell] ?? null;
    const quality = cellQuality(this.#column, cell);
    if (quality === 'good' && value !== null) this.#drawGood(cell, value, x, w);
    else if (quality === 'stale' && value !== null) this.#drawOld(value, x, w);
    else if (quality === 'suspect') this.#drawDoubt(x, w, '!', palette.warning);
    else this.#drawDoubt(x, w, '?', palette.line);
  }

  #drawGood(cell: number, value: number, x: number, w: number): void {
    const pen = this.#pen;
    const y = this.#y(value);
    pen.fillStyle = deviationColour(value, this.#stats, this.#palette);
    pen.fillRect(x, y, w, this.#foot - y);
    if (this.#stats.min === this.#stats.max) return;
    if (cell === this.#stats.max_cell) pointer(pen, x + w / 2, y - 3, true, this.#palette.text);
    if (cell === this.#stats.min_cell) pointer(pen, x + w / 2, y - 9, false, this.#palette.text);
  }

  #drawOld(value: number, x: number, w: number): void {
    const pen = this.#pen;
    const y = this.#y(value);
    pen.strokeStyle = this.#palette.line;
    pen.lineWidth = 1.5;
    pen.strokeRect(x + 1, y, w - 2, this.#foot - y);
    hatch(pen, x, y, w, this.#foot - y, this.#palette.line);
  }

  #drawDoubt(x: number, w: number, mark: '?' | '!', colour: string): void {
    const pen = this.#pen;
    dashedBox(pen, x, HEAD_PX, w, this.#foot - HEAD_PX, colour);
    pen.font = '700 18px system-ui, sans-serif';
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillStyle = colour;
    pen.fillText(mark, x + w / 2, (HEAD_PX + this.#foot) / 2);
  }
}

/** The further from the median, the more of the colour that the strips use for low or high. */
function deviationColour(value: number, { median }: ColumnStats, palette: Palette): string {
  if (median === null) return palette.bar;
  const beyond_v = Math.abs(value - median) - USUAL_DEVIATION_V;
  const share = Math.max(0, Math.min(1, beyond_v / (CLEAR_DEVIATION_V - USUAL_DEVIATION_V)));
  return mix(palette.bar, value < median ? palette.low : palette.high, share);
}
