/** History replies as lines of a chart. */
import type { HistoryReply } from '../../../core/contract/http.ts';
import { countOf } from './numbers.ts';
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
  readonly title: string;
  readonly unit: string;
  readonly decimals: number;
  lines(reply: HistoryReply): HistoryLine[];
}

export const HISTORY_SERIES: Readonly<Record<HistorySeries, SeriesKind>> = {
  cells: {
    title: 'Cells',
    unit: 'V',
    decimals: 3,
    lines: reply => {
      const { lowest } = envelope((reply.lowest ?? reply).cells.voltage_v, reply.t_ms.length);
      const { highest } = envelope((reply.highest ?? reply).cells.voltage_v, reply.t_ms.length);
      return [
        { label: 'Highest cell', values: highest, role: 'upper' },
        { label: 'Lowest cell', values: lowest, role: 'lower' },
      ];
    },
  },
  voltage: {
    title: 'Voltage',
    unit: 'V',
    decimals: 2,
    lines: reply => withBand(reply, 'voltage_v', 'Pack voltage'),
  },
  current: {
    title: 'Current',
    unit: 'A',
    decimals: 2,
    lines: reply => withBand(reply, 'current_a', 'Current (positive while charging)'),
  },
  charge: {
    title: 'SoC',
    unit: '%',
    decimals: 1,
    lines: reply => withBand(reply, 'soc_pct', 'State of charge'),
  },
  temperature: {
    title: 'Temp.',
    unit: '°C',
    decimals: 1,
    lines: reply => withBand(reply, 'temperature_c', 'Pack temperature'),
  },
};

/** A line; where its points are means of steps, with the band that the values of each step fill. */
function withBand(reply: HistoryReply, name: keyof HistoryReply['pack'], label: string): HistoryLine[] {
  const line: HistoryLine = { label, values: reply.pack[name], role: 'line' };
  const { lowest, highest } = reply;
  if (!lowest || !highest) return [line];
  return [
    { label: 'Highest', values: highest.pack[name], role: 'band-upper' },
    { label: 'Lowest', values: lowest.pack[name], role: 'band-lower' },
    { ...line, label: `${label}, mean` },
  ];
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
    return from === to ? from : `${from} – ${to}`;
  });
  const before = uncertain.length - named.length;
  if (before > 0) named.unshift(countOf(before, 'span before', 'spans before'));
  return `time not certain, ${named.join('; ')}`;
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
