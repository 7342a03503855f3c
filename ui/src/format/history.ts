/** History replies as lines of a chart. */
import type { HistoryReply } from '../../../core/contract/http.ts';
import { t } from '../texts/texts.ts';
import { formatMoment } from './time.ts';

export type HistorySeries = 'cells' | 'voltage' | 'current' | 'charge' | 'temperature';
type Values = readonly (number | null)[];

export interface HistoryLine {
  readonly label: string;
  readonly values: Values;
  /** The lower edge of an envelope or of a band is filled up to the line before it. */
  readonly role: 'line' | 'upper' | 'lower' | 'band-upper' | 'band-lower';
}

interface SeriesKind {
  readonly unit: string;
  readonly decimals: number;
  /** `cell_no`: the one to be drawn beside the extremes. */
  lines(reply: HistoryReply, cell_no?: number): HistoryLine[];
}

export const HISTORY_SERIES: Readonly<Record<HistorySeries, SeriesKind>> = {
  cells: {
    unit: 'V',
    decimals: 3,
    lines: (reply, cell_no) => {
      const text = t().history.series.cells;
      const own = cell_no === undefined ? undefined : reply.cells.voltage_v[cell_no - 1];
      const { lowest } = envelope((reply.lowest ?? reply).cells.voltage_v, reply.t_ms.length);
      const { highest } = envelope((reply.highest ?? reply).cells.voltage_v, reply.t_ms.length);
      return [
        { label: text.highest, values: highest, role: 'upper' },
        { label: text.lowest, values: lowest, role: 'lower' },
        ...(own && cell_no !== undefined
          ? [{ label: t().history.cell(cell_no), values: own, role: 'line' as const }]
          : []),
      ];
    },
  },
  voltage: {
    unit: 'V',
    decimals: 2,
    lines: reply => withBand(reply, 'voltage_v', t().history.series.voltage.line),
  },
  current: {
    unit: 'A',
    decimals: 2,
    lines: reply => withBand(reply, 'current_a', t().history.series.current.line),
  },
  charge: {
    unit: '%',
    decimals: 1,
    lines: reply => withBand(reply, 'soc_pct', t().history.series.charge.line),
  },
  temperature: {
    unit: '°C',
    decimals: 1,
    lines: reply => withBand(reply, 'temperature_c', t().history.series.temperature.line),
  },
};

/** A line; where its points are means of steps, with the band that the values of each step fill. */
function withBand(reply: HistoryReply, name: keyof HistoryReply['pack'], label: string): HistoryLine[] {
  const line: HistoryLine = { label, values: reply.pack[name], role: 'line' };
  const { lowest, highest } = reply;
  if (!lowest || !highest) return [line];
  const text = t().history;
  return [
    { label: text.highest, values: highest.pack[name], role: 'band-upper' },
    { label: text.lowest, values: lowest.pack[name], role: 'band-lower' },
    { ...line, label: text.mean(label) },
  ];
}

export interface HistorySpan {
  readonly from_ms: number;
  readonly to_ms: number;
}

/** The span that an address asks for; undefined: none, or none that there can be. */
export function spanAsked({ from, to }: Readonly<Record<string, string>>): HistorySpan | undefined {
  const [from_ms, to_ms] = [Number(from || Number.NaN), Number(to || Number.NaN)];
  const isSpan =
    Number.isSafeInteger(from_ms) && Number.isSafeInteger(to_ms) && from_ms >= 0 && from_ms < to_ms;
  return isSpan ? { from_ms, to_ms } : undefined;
}

/** Whether a point has readings whose time is uncertain; a step has all those up to the next one. */
export function isUncertain({ uncertain, resolution_ms }: HistoryReply, t_ms: number): boolean {
  const last_ms = t_ms + Math.max(0, resolution_ms - 1);
  return uncertain.some(([from_ms, to_ms]) => from_ms <= last_ms && to_ms >= t_ms);
}

const SPANS_NAMED = 2;

/** When times are uncertain, in words; undefined where all are certain. */
export function uncertainText({ uncertain }: HistoryReply, now_ms: number): string | undefined {
  if (uncertain.length === 0) return undefined;
  // The newest ones: of old ones less can be done.
  const named = uncertain.slice(-SPANS_NAMED).map(([from_ms, to_ms]) => {
    const [from, to] = [formatMoment(from_ms, now_ms), formatMoment(to_ms, now_ms)];
    return from === to ? from : t().common.fromTo(from, to);
  });
  const before = uncertain.length - named.length;
  if (before > 0) named.unshift(t().history.spansBefore(before));
  return t().history.uncertain(named.join('; '));
}

/** Lowest and highest over the cells at every moment; null where no cell has a value. */
export function envelope(
  cells: readonly Values[],
  length: number,
): { lowest: (number | null)[]; highest: (number | null)[] } {
  const lowest: (number | null)[] = new Array(length).fill(null);
  const highest: (number | null)[] = new Array(length).fill(null);
  for (const series of cells) {
    for (let at = 0; at < length; at++) {
      const value = series[at] ?? null;
      if (value === null) continue;
      const low = lowest[at];
      const high = highest[at];
      if (low === null || value < low) lowest[at] = value;
      if (high === null || value > high) highest[at] = value;
    }
  }
  return { lowest, highest };
}
