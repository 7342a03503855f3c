/** A pack's cells as one strip: how far each is from the pack's median, and which cannot be trusted. */
import type { CellColumn } from '../../../core/contract/model.ts';
import { columnStats, type ScaledMetric } from '../format/cells.ts';
import { formatNumber } from '../format/numbers.ts';
import { cellQuality, countQuality, describeQuality } from '../format/quality.ts';
import { t } from '../texts/texts.ts';
import {
  type Draw,
  dashedBox,
  hatch,
  heatColour,
  type Palette,
  pointer,
  symbol,
  useCanvas,
} from './canvas.ts';

const NARROWEST_CELL_PX = 9;
const GAP_PX = 2;

interface HeatStripProps {
  readonly column: CellColumn;
  readonly metric: ScaledMetric;
  /** Half the width of the colour scale, in the metric's unit. */
  readonly scale: number;
}

export function HeatStrip({ column, metric, scale }: HeatStripProps) {
  const ref = useCanvas(
    (pen, width, height, palette) => drawStrip(column, scale)(pen, width, height, palette),
    [column.values.join(), column.quality, scale],
  );
  return <canvas ref={ref} class="heat-strip" role="img" aria-label={describeStrip(column, metric)} />;
}

function drawStrip(column: CellColumn, scale: number): Draw {
  return (pen, width, height, palette) => {
    const count = column.values.length;
    if (count === 0) return;
    const perRow = Math.min(count, Math.max(1, Math.floor(width / NARROWEST_CELL_PX)));
    const rows = Math.ceil(count / perRow);
    const cellWidth = width / perRow;
    const rowHeight = height / rows;
    const gap = cellWidth > 12 ? GAP_PX : 1;
    const stats = columnStats(column);
    for (let cell = 0; cell < count; cell++) {
      const x = (cell % perRow) * cellWidth;
      const y = Math.floor(cell / perRow) * rowHeight;
      const box = [x, y, cellWidth - gap, rowHeight - (rows > 1 ? 1 : 0)] as const;
      drawCell(pen, box, column, cell, stats.median, scale, palette);
      if (rows > 1 || scaleIsFlat(stats.min, stats.max)) continue;
      const middle = x + (cellWidth - gap) / 2;
      if (cell === stats.max_cell) pointer(pen, middle, 8, true, palette.text);
      if (cell === stats.min_cell) pointer(pen, middle, height - 8, false, palette.text);
    }
  };
}

function scaleIsFlat(min: number | null, max: number | null): boolean {
  return min === null || max === null || min === max;
}

function drawCell(
  pen: CanvasRenderingContext2D,
  [x, y, w, h]: readonly [number, number, number, number],
  column: CellColumn,
  cell: number,
  median: number | null,
  scale: number,
  palette: Palette,
): void {
  const quality = cellQuality(column, cell);
  const value = column.values[cell] ?? null;
  if (quality === 'missing' || value === null) {
    dashedBox(pen, x, y, w, h, palette.line);
    symbol(pen, '?', x + w / 2, y + h / 2, palette.muted);
    return;
  }
  pen.fillStyle = palette.surface;
  if (quality === 'good') {
    pen.fillStyle = median === null ? palette.neutral : heatColour((value - median) / scale, palette);
  }
  pen.fillRect(x, y, w, h);
  if (quality === 'stale') hatch(pen, x, y, w, h, palette.line);
  if (quality === 'suspect') {
    dashedBox(pen, x, y, w, h, palette.warning);
    symbol(pen, '!', x + w / 2, y + h / 2, palette.warning);
  }
}

export const UNITS: Readonly<Record<ScaledMetric, { unit: string; decimals: number }>> = {
  voltage_v: { unit: 'V', decimals: 3 },
  temperature_c: { unit: '°C', decimals: 1 },
};

function describeStrip(column: CellColumn, metric: ScaledMetric): string {
  const { unit, decimals } = UNITS[metric];
  const { min, max, min_cell, max_cell } = columnStats(column);
  const doubts = describeQuality(countQuality(column));
  const text = t().cellViews;
  const counted = t().counts.cells(column.values.length);
  const suffix = doubts ? text.andDoubts(doubts) : '';
  if (min_cell === undefined || max_cell === undefined) {
    return text.noneGood(counted) + suffix;
  }
  const low = text.lowestCell(min_cell + 1, `${formatNumber(min, decimals)} ${unit}`);
  const high = text.highestCell(max_cell + 1, `${formatNumber(max, decimals)} ${unit}`);
  return text.extremes(counted, low, high) + suffix;
}

interface HeatLegendProps {
  readonly metric: ScaledMetric;
  readonly scale: number;
  readonly columns: readonly CellColumn[];
}

/** What the colours mean, and those marks that stand in one of the strips. */
export function HeatLegend({ metric, scale, columns }: HeatLegendProps) {
  const edge =
    metric === 'voltage_v' ? `${formatNumber(scale * 1000, 0)} mV` : `${formatNumber(scale, 0)} °C`;
  const { stale, suspect, missing } = t().qualities;
  const has = (letter: string) => columns.some(column => column.quality.includes(letter));
  return (
    <div class="heat-legend">
      <span class="heat-scale">
        <span>−{edge}</span>
        <span class="heat-ramp" aria-hidden="true" />
        <span>+{edge}</span>
        <span>{t().cellViews.fromMedian}</span>
      </span>
      {has('s') && <HeatKey kind="stale" mark="" word={stale.inText} />}
      {has('u') && <HeatKey kind="suspect" mark="!" word={suspect.inText} />}
      {has('m') && <HeatKey kind="missing" mark="?" word={missing.inText} />}
    </div>
  );
}

function HeatKey({ kind, mark, word }: { kind: string; mark: string; word: string }) {
  return (
    <span class="heat-key">
      <span class={`swatch swatch-${kind}`} aria-hidden="true">
        {mark}
      </span>
      {word}
    </span>
  );
}
