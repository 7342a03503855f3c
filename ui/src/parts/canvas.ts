/** A canvas that follows its box, the pixel density and the theme. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { theme } from './preferences.ts';

export interface Palette {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly neutral: string;
  readonly low: string;
  readonly high: string;
  readonly bar: string;
  readonly accent: string;
  readonly warning: string;
}

export type Draw = (pen: CanvasRenderingContext2D, width: number, height: number, palette: Palette) => void;

let palette: Palette | undefined;
let paletteTheme = '';

/** The colours of the theme on screen, as the style sheet has them. */
export function currentPalette(): Palette {
  if (palette && paletteTheme === theme.value) return palette;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  paletteTheme = theme.value;
  palette = {
    text: colour('text'),
    muted: colour('muted'),
    line: colour('line-strong'),
    surface: colour('surface'),
    neutral: colour('heat-neutral'),
    low: colour('heat-low'),
    high: colour('heat-high'),
    bar: colour('bar'),
    accent: colour('accent'),
    warning: colour('warning'),
  };
  return palette;
}

/** Draws at once, and again when size, theme or one of `inputs` changes. */
export function useCanvas(draw: Draw, inputs: readonly unknown[]): RefObject<HTMLCanvasElement | null> {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const shown = theme.value;
  useEffect(() => {
    const canvas = ref.current;
    if (canvas) paint(canvas, latest.current);
  }, [...inputs, shown]);
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return;
    const observer = new ResizeObserver(() => paint(canvas, latest.current));
    observer.observe(canvas);
    return () => observer.disconnect();
  }, []);
  return ref;
}

function paint(canvas: HTMLCanvasElement, draw: Draw): void {
  const fit = fitCanvas(canvas);
  if (!fit) return;
  fit.pen.clearRect(0, 0, fit.width, fit.height);
  draw(fit.pen, fit.width, fit.height, currentPalette());
}

/** As many pixels as its box has on this screen; undefined while it has none. A new size blanks it. */
export function fitCanvas(canvas: HTMLCanvasElement) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const pen = canvas.getContext('2d');
  if (!pen || width === 0 || height === 0) return undefined;
  const density = window.devicePixelRatio || 1;
  const [deviceWidth, deviceHeight] = [Math.round(width * density), Math.round(height * density)];
  const isBlank = canvas.width !== deviceWidth || canvas.height !== deviceHeight;
  if (canvas.width !== deviceWidth) canvas.width = deviceWidth;
  if (canvas.height !== deviceHeight) canvas.height = deviceHeight;
  pen.setTransform(density, 0, 0, density, 0, 0);
  return { pen, width, height, isBlank };
}

/** From -1 (far below the median) to 1 (far above). */
export function heatColour(share: number, palette: Palette): string {
  const size = Math.min(1, Math.abs(share));
  return mix(palette.neutral, share < 0 ? palette.low : palette.high, size);
}

export function symbol(pen: CanvasRenderingContext2D, text: string, x: number, y: number, colour: string) {
  pen.fillStyle = colour;
  pen.font = '700 15px system-ui, sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(text, x, y + 1);
}

/** Between two `#rrggbb` colours; `share` 0..1. */
export function mix(from: string, to: string, share: number): string {
  const channel = (at: number) => {
    const a = Number.parseInt(from.slice(at, at + 2), 16);
    const b = Number.parseInt(to.slice(at, at + 2), 16);
    return Math.round(a + (b - a) * share);
  };
  return `rgb(${channel(1)} ${channel(3)} ${channel(5)})`;
}

/** Diagonal lines over a box: the mark of a value that is old. */
export function hatch(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  colour: string,
) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, w, h);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (let at = -h; at < w; at += 7) {
    pen.moveTo(x + at, y + h);
    pen.lineTo(x + at + h, y);
  }
  pen.stroke();
  pen.restore();
}

export function dashedBox(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  colour: string,
) {
  pen.save();
  pen.setLineDash([3, 3]);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.strokeRect(x + 1, y + 1, w - 2, h - 2);
  pen.restore();
}

/** A small triangle that points up (highest) or down (lowest), centred at `x`, with its base at `y`. */
export function pointer(pen: CanvasRenderingContext2D, x: number, y: number, isUp: boolean, colour: string) {
  const height = isUp ? -6 : 6;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x - 4.5, y);
  pen.lineTo(x + 4.5, y);
  pen.lineTo(x, y + height);
  pen.fill();
}
