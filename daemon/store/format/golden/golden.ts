/** What golden files hold: stored bytes as hexadecimal text, beside what they mean. */
import { CELL_METRICS, PACK_METRICS } from '../../../../core/metrics.ts';
import type { PackReading } from '../../../../core/reading/pack-reading.ts';
import { qualityLetters } from '../../../../core/reading/quality.ts';
import type { Rollup } from '../rollup-block.ts';

/** null: missing. Qualities as letters, one per value (core/reading/quality.ts). Quantities by their names. */
export interface ReadingMeaning {
  readonly cell_count: number;
  /** These three not in version 1. */
  readonly newest_age_ms?: number | null;
  readonly oldest_age_ms?: number | null;
  readonly is_repeated?: boolean;
  readonly values: Readonly<Record<string, number | null>>;
  readonly value_quality: Readonly<Record<string, string>>;
  readonly cells: Readonly<Record<string, readonly (number | null)[]>>;
  readonly cell_quality: Readonly<Record<string, string>>;
  readonly sensors: readonly (number | null)[];
  readonly sensor_quality: string;
  readonly device_alarm_level: readonly number[];
}

export interface RollupMeaning {
  readonly readings: readonly number[];
  /** Of each series, by step: how many good values, their sum, lowest and highest; null where there were none. */
  readonly series: readonly {
    readonly count: readonly number[];
    readonly mean: readonly (number | null)[];
    readonly lowest: readonly (number | null)[];
    readonly highest: readonly (number | null)[];
  }[];
}

export interface Golden {
  readonly readings: readonly ({ readonly bytes: string } & ReadingMeaning)[];
  readonly block: {
    readonly bytes: string;
    readonly records: readonly { kind: number; pack_key: number; t_ms: number; body: string }[];
  };
  readonly chunk: {
    readonly bytes: string;
    /** The first five rows, their bodies as they are. */
    readonly verbatim_bytes: string;
    readonly rows: readonly { rel_seq: number; t_ms: number; body: string }[];
  };
  readonly rollup: {
    readonly bytes: string;
    readonly start_ms: number;
    readonly step_ms: number;
  } & RollupMeaning;
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);

/** Quantities that are missing throughout are left out. */
export function meaningOf(reading: PackReading): ReadingMeaning {
  const values: Record<string, number | null> = {};
  const value_quality: Record<string, string> = {};
  const cells: Record<string, (number | null)[]> = {};
  const cell_quality: Record<string, string> = {};
  PACK_METRICS.forEach(({ name }, m) => {
    if (reading.value_quality[m] === 0) return;
    values[name] = orNull(reading.values[m]);
    value_quality[name] = qualityLetters(reading.value_quality.subarray(m, m + 1));
  });
  CELL_METRICS.forEach(({ name }, m) => {
    if (reading.columnQuality(m).every(quality => quality === 0)) return;
    cells[name] = Array.from(reading.column(m), orNull);
    cell_quality[name] = qualityLetters(reading.columnQuality(m));
  });
  return {
    cell_count: reading.shape.cell_count,
    newest_age_ms: orNull(reading.newest_age_ms),
    oldest_age_ms: orNull(reading.oldest_age_ms),
    is_repeated: reading.is_repeated,
    values,
    value_quality,
    cells,
    cell_quality,
    sensors: Array.from(reading.sensors, orNull),
    sensor_quality: qualityLetters(reading.sensor_quality),
    device_alarm_level: [...reading.device_alarm_level],
  };
}

export function rollupMeaning(rollup: Rollup): RollupMeaning {
  return {
    readings: [...rollup.readings],
    series: rollup.series.map(({ count, sum, lowest, highest }) => ({
      count: [...count],
      mean: Array.from(sum, (value, step) => orNull(value / count[step])),
      lowest: Array.from(lowest, orNull),
      highest: Array.from(highest, orNull),
    })),
  };
}
