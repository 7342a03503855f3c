/** The fit as one SVG: of each drive the measured and the modelled voltage, and what lies between them; the curve. */
import type { FitCellResult } from './fit-cell.ts';

const WIDTH = 900;
const HEIGHT = 220;
const MARGIN = 60;
const POINTS = 800;

export function plotOfFit({ model, rows, residuals }: FitCellResult): string {
  const panels: string[] = [];
  if (model) {
    const lines = model.ocv.temperature_c.flatMap((c, i) =>
      c % 10 === 0 && c >= -20 && c <= 40
        ? [{ label: `${c} °C`, x: model.ocv.soc, y: model.ocv.middle_v[i] }]
        : [],
    );
    panels.push(panel(0, 'Open-circuit voltage (V) over state of charge', lines));
  }
  rows.forEach((drive, d) => {
    const every = Math.max(1, Math.floor(drive.length / POINTS));
    const at: number[] = [];
    for (let i = 0; i < drive.length; i += every) if (Number.isFinite(residuals[d][i])) at.push(i);
    const x = at.map(i => i);
    const measured = at.map(i => drive.voltage_v[i]);
    const modelled = at.map(i => drive.voltage_v[i] - residuals[d][i]);
    panels.push(
      panel(panels.length, `${drive.name}: voltage (V) over rows`, [
        { label: 'measured', x, y: measured },
        { label: 'modelled', x, y: modelled },
      ]),
      panel(panels.length + 1, `${drive.name}: measured minus modelled (mV)`, [
        { label: 'difference', x, y: at.map(i => 1000 * residuals[d][i]) },
      ]),
    );
  });
  const height = panels.length * (HEIGHT + MARGIN) + MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH + 2 * MARGIN} ${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>\n${panels.join('\n')}\n</svg>\n`;
}

interface Line {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

const COLOURS = ['#1b6ca8', '#c8553d', '#3c7a4e', '#7a5195', '#a67c00', '#444', '#0a9396'];

function panel(index: number, title: string, lines: readonly Line[]): string {
  const xs = lines.flatMap(({ x }) => x);
  const ys = lines.flatMap(({ y }) => y);
  const [x0, x1] = extent(xs);
  const [y0, y1] = extent(ys);
  const top = MARGIN + index * (HEIGHT + MARGIN);
  const px = (x: number) => (MARGIN + ((x - x0) / (x1 - x0)) * WIDTH).toFixed(1);
  const py = (y: number) => (top + HEIGHT - ((y - y0) / (y1 - y0)) * HEIGHT).toFixed(1);
  const paths = lines.map(({ x, y, label }, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const points = x.map((value, j) => `${px(value)},${py(y[j])}`).join(' ');
    const name = `<text x="${MARGIN + WIDTH - 90 * (lines.length - i)}" y="${top - 6}" fill="${colour}">${escaped(label)}</text>`;
    return `<polyline fill="none" stroke="${colour}" points="${points}"/>${name}`;
  });
  const axis = [y0, (y0 + y1) / 2, y1].map(
    y => `<text x="4" y="${Number(py(y)) + 4}">${Number(y.toPrecision(4))}</text>`,
  );
  return `<text x="${MARGIN}" y="${top - 6}">${escaped(title)}</text><rect x="${MARGIN}" y="${top}" width="${WIDTH}" height="${HEIGHT}" fill="none" stroke="#999"/>${axis.join('')}${paths.join('')}`;
}

function extent(values: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high > low ? [low, high] : [low - 1, low + 1];
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
