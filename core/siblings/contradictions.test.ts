/** What values of one pack say of each other: what is doubted, what is left good, and the words for it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric, type PackMetricName } from '../metrics.ts';
import { PackReading } from '../reading/pack-reading.ts';
import { markImplausible, plausibleLimits } from '../reading/plausibility.ts';
import { QUALITY_NAMES, Quality } from '../reading/quality.ts';
import { contradictionSentences, markContradictions } from './contradictions.ts';

type Values = Partial<Record<PackMetricName, number>>;

function judged(values: Values, cells: readonly number[] = [], slack_v = 0, cell_count = cells.length) {
  const reading = new PackReading(0, { cell_count, sensor_count: 0, device_alarms: [] });
  for (const [name, value] of Object.entries(values)) {
    reading.values[PackMetric[name as PackMetricName]] = value;
    reading.value_quality[PackMetric[name as PackMetricName]] = Quality.good;
  }
  cells.forEach((value, cell) => {
    reading.column(CellMetric.voltage_v)[cell] = value;
    reading.columnQuality(CellMetric.voltage_v)[cell] = Quality.good;
  });
  const implausible = markImplausible(reading, plausibleLimits());
  const contradictions = { found: 0, marked: 0 };
  markContradictions(reading, slack_v, contradictions);
  const names = (wanted: number) =>
    Object.keys(values).filter(name => reading.value_quality[PackMetric[name as PackMetricName]] === wanted);
  return {
    suspect: names(Quality.suspect),
    good: names(Quality.good),
    cells: Array.from(reading.columnQuality(CellMetric.voltage_v), quality => QUALITY_NAMES[quality]),
    marked: contradictions.marked + implausible,
    why: contradictionSentences(reading, contradictions.found),
  };
}

const SIXTEEN = Array<number>(16).fill(3.3);

test('a pack voltage far from the sum of its cells is suspect, and says so', () => {
  expect(judged({ voltage_v: 48, current_a: 10 }, SIXTEEN)).toMatchObject({
    suspect: ['voltage_v'],
    good: ['current_a'],
    why: ['cells add up to 52.8 V, the pack says 48.0 V'],
    marked: 1,
  });
  expect(new Set(judged({ voltage_v: 48 }, SIXTEEN).cells)).toEqual(new Set(['good']));
});

test('the answer to another request in place of voltage and current: both are suspect', () => {
  expect(judged({ voltage_v: 2.5, current_a: 2.4, soc_pct: 60 }, SIXTEEN)).toMatchObject({
    suspect: ['voltage_v', 'current_a'],
    good: ['soc_pct'],
  });
});

test('where the cells do not bear each other out either, they are suspect too', () => {
  const { suspect, cells } = judged({ voltage_v: 13.2 }, [3.3, 3.3, 0.9, 3.3]);
  expect(suspect).toEqual(['voltage_v']);
  expect(new Set(cells)).toEqual(new Set(['suspect']));
});

test('a healthy pack is good whatever its cells, its noise, and how far its voltage has just moved', () => {
  const pack = fc.record({
    cells: fc.array(fc.double({ min: 2.6, max: 3.6, noNaN: true }), { minLength: 1, maxLength: 100 }),
    error: fc.double({ min: -0.03, max: 0.03, noNaN: true }),
    skew: fc.double({ min: -0.07, max: 0.07, noNaN: true }),
  });
  fc.assert(
    fc.property(pack, ({ cells, error, skew }) => {
      const sum_v = cells.reduce((total, v) => total + v, 0);
      expect(judged({ voltage_v: sum_v * (1 + error) }, cells).marked).toBe(0);
      const moving = judged({ voltage_v: sum_v * (1 + error + skew) }, cells, Math.abs(skew) * sum_v * 1.1);
      expect(moving.marked).toBe(0);
    }),
  );
});

test('the slack of a moving voltage does not cover what no load explains', () => {
  expect(judged({ voltage_v: 30 }, SIXTEEN, 30).suspect).toEqual(['voltage_v']);
});

test('cells that are missing or doubted give no sum', () => {
  expect(judged({ voltage_v: 40 }, [3.3, 3.3, 9, 3.3]).suspect).toEqual([]);
  expect(judged({ voltage_v: 40 }, [3.3], 0, 4).suspect).toEqual([]);
});

test('lowest and highest cell stand for cells that are not reported', () => {
  const reported = { cell_voltage_min_v: 3.2, cell_voltage_max_v: 3.4 };
  expect(judged({ voltage_v: 52, ...reported }, [], 0, 16).marked).toBe(0);
  expect(judged({ voltage_v: 5.2, ...reported }, [], 0, 16)).toMatchObject({
    suspect: ['voltage_v'],
    why: ["16 cells of 3.200 to 3.400 V do not make the pack's 5.2 V"],
  });
  expect(judged({ cell_voltage_min_v: 3.5, cell_voltage_max_v: 3.2 }).suspect).toHaveLength(2);
});

test("a voltage far outside the device's own limits, as a high-voltage pack read at a tenth", () => {
  expect(
    judged({ voltage_v: 40.2, charge_voltage_limit_v: 416, discharge_voltage_limit_v: 330 }),
  ).toMatchObject({
    suspect: ['voltage_v', 'charge_voltage_limit_v', 'discharge_voltage_limit_v'],
    why: ['voltage 40.2 V does not fit a charge limit of 416.0 V'],
  });
  expect(judged({ voltage_v: 402, charge_voltage_limit_v: 41.6 }).suspect).toContain('voltage_v');
  expect(judged({ voltage_v: 40, discharge_voltage_limit_v: 330 }).why[0]).toContain('discharge limit');
  for (const voltage_v of [40, 52, 58.4])
    expect(judged({ voltage_v, charge_voltage_limit_v: 57.6, discharge_voltage_limit_v: 44 }).marked).toBe(0);
  expect(judged({ voltage_v: 52, charge_voltage_limit_v: 0, discharge_voltage_limit_v: 0 }).marked).toBe(0);
});

test('a pack of zeros is suspect in everything that is zero', () => {
  const zeros = { voltage_v: 0, current_a: 0, temperature_c: 0, soc_pct: 0, soh_pct: 0 };
  expect(judged({ ...zeros, charge_current_limit_a: 0 })).toMatchObject({
    good: [],
    why: ['the device reports nothing but zeros'],
  });
});

test('zeros that may be so are left alone: an empty pack in the cold, one that is off', () => {
  expect(judged({ voltage_v: 44, current_a: 0, temperature_c: 0, soc_pct: 0 }).marked).toBe(0);
  expect(judged({ voltage_v: 0, current_a: 0, soc_pct: 55, soh_pct: 99 }).marked).toBe(0);
});

test('all ones with a sign: one step below zero beside a voltage that cannot be', () => {
  const ones = { voltage_v: -0.01, current_a: -0.1, temperature_c: -0.1, discharge_current_limit_a: 0.1 };
  expect(judged(ones)).toMatchObject({ good: [], why: [expect.stringContaining('all ones')] });
  expect(judged({ ...ones, voltage_v: 52 }).marked).toBe(0);
  expect(judged({ ...ones, voltage_v: 655.35, charge_voltage_limit_v: 6553.5 }).good).toEqual([]);
});

test('7FFF is no voltage where another value says 7FFF too; a pack of 327.67 V may exist', () => {
  expect(judged({ voltage_v: 327.67, temperature_c: 3276.7, current_a: 3276.7 }).good).toEqual([]);
  expect(judged({ voltage_v: 327.67, temperature_c: 21, current_a: 3 }).marked).toBe(0);
});
