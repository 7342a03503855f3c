/** History replies as lines of a chart. */
import type { HistoryReply } from '../../../core/contract/http.ts';

export type HistorySeries = 'cells' | 'voltage' | 'current' | 'charge' | 'temperature';
type Values = readonly (number | null)[];

export interface HistoryLine {
  readonly label: string;
  readonly values: Values;
  /** The envelope's lower edge is filled up to the line before it. */
  readonly role: 'line' | 'upper' | 'lower';
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
      const { lowest, highest } = envelope(reply.cells.voltage_v, reply.t_ms.length);
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
    lines: reply => [{ label: 'Pack voltage', values: reply.pack.voltage_v, role: 'line' }],
  },
  current: {
    title: 'Current',
    unit: 'A',
    decimals: 2,
    lines: reply => [
      { label: 'Current (positive while charging)', values: reply.pack.current_a, role: 'line' },
    ],
  },
  charge: {
    title: 'SoC',
    unit: '%',
    decimals: 1,
    lines: reply => [{ label: 'State of charge', values: reply.pack.soc_pct, role: 'line' }],
  },
  temperature: {
    title: 'Temp.',
    unit: '°C',
    decimals: 1,
    lines: reply => [{ label: 'Pack temperature', values: reply.pack.temperature_c, role: 'line' }],
  },
};

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
