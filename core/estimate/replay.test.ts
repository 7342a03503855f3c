/** Estimates of cells whose truth is known: from wrong starts, with holes and gaps, at any rate of samples; and what is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../testing/property-runs.ts';
import { replay } from './replay.ts';
import { pickRows, type Series } from './series/series.ts';
import { madeDrive, madeModel, madeSeries } from './testing/made-cell.ts';

const nmc = madeModel('nmc');
const lfp = madeModel('lfp');
const drive = madeSeries(nmc, madeDrive(9000, 3), { begin_soc: 0.95 });

function rmse({ soc_ref }: Series, soc: Float64Array, from = 0): number {
  let square = 0;
  for (let i = from; i < soc.length; i++) square += (soc[i] - (soc_ref?.[i] ?? 0)) ** 2;
  return Math.sqrt(square / (soc.length - from));
}

test('a wrong start is left behind, and the stated deviation covers the truth', () => {
  const starts = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(starts, fc.integer({ min: 1, max: 1000 }), (initial_soc, seed) => {
      const series = madeSeries(nmc, madeDrive(3000, 3, seed), { begin_soc: 0.8 });
      const { soc, soc_sd, problems } = replay(nmc, series, { initial_soc, capacity_ah: 3 });
      expect(problems).toEqual([]);
      expect(rmse(series, soc, 600)).toBeLessThan(0.02);
      for (let i = 600; i < soc.length; i += 100)
        expect(Math.abs(soc[i] - (series.soc_ref?.[i] ?? 0))).toBeLessThan(4 * soc_sd[i]);
    }),
    { numRuns: runsOf(20), seed: 7 },
  );
});

test.each([0.1, 1, 5, 20, 60])('samples every %d s', dt_s => {
  const currents = madeDrive(dt_s < 1 ? 20_000 : 3000, dt_s > 10 ? 0.15 : 3, 3);
  const series = madeSeries(nmc, currents, { begin_soc: 0.9, dt_s });
  const { soc, problems } = replay(nmc, series, { initial_soc: 0.7, capacity_ah: 3 });
  expect(problems).toEqual([]);
  expect(rmse(series, soc, Math.floor(soc.length / 5))).toBeLessThan(0.015);
});

test('an offset and a gain of the sensor do not carry the estimate away', () => {
  const wrong = { ...drive, current_a: drive.current_a.map(a => a * 1.01 + 0.05) };
  const { soc } = replay(nmc, wrong, { initial_soc: 0.75, capacity_ah: 3 });
  expect(rmse(drive, soc)).toBeLessThan(0.01);
});

test('missing values and a gap of hours cost certainty, not truth', () => {
  const holes: Series = {
    ...drive,
    current_a: drive.current_a.map((a, i) => (i % 7 === 3 ? Number.NaN : a)),
    voltage_v: drive.voltage_v.map((v, i) => (i % 5 === 0 ? Number.NaN : v)),
    temperature_c: drive.temperature_c.map((c, i) => (i % 100 === 0 ? c : Number.NaN)),
  };
  const { soc, problems } = replay(nmc, holes, { initial_soc: 0.9, capacity_ah: 3 });
  expect(problems).toEqual([]);
  expect(rmse(drive, soc, 600)).toBeLessThan(0.02);
  const rows = Array.from({ length: 8000 }, (_, i) => (i < 2000 ? i : i + 1000));
  const gap = pickRows(drive, rows);
  gap.time_s.forEach((t, i) => {
    if (i >= 2000) gap.time_s[i] = t + 6 * 3600;
  });
  const after = replay(nmc, gap, { initial_soc: 0.95, capacity_ah: 3 });
  expect(after.soc_sd[2000]).toBeGreaterThan(after.soc_sd[1999]);
  expect(rmse(gap, after.soc, 3000)).toBeLessThan(0.02);
});

test('on the flat of LFP the deviation stays honest', () => {
  const rest = madeSeries(lfp, Array(3600).fill(0), { begin_soc: 0.55 });
  const { soc, soc_sd } = replay(lfp, rest, { initial_soc: 0.75, capacity_ah: 3 });
  const last = soc.length - 1;
  expect(soc_sd[last]).toBeGreaterThan(0.04);
  expect(Math.abs(soc[last] - 0.55)).toBeLessThan(2.5 * soc_sd[last]);
});

test('without a figure to start from, nothing is said until the voltage says it', () => {
  const { soc, soc_sd } = replay(lfp, madeSeries(lfp, Array(50).fill(0), { begin_soc: 0.5 }), {
    initial_soc: undefined,
    capacity_ah: 3,
  });
  for (let i = 0; i < 50; i++) expect(Number.isNaN(soc[i])).toBe(Number.isNaN(soc_sd[i]));
  const begun = replay(nmc, drive, { initial_soc: undefined, capacity_ah: undefined });
  expect(rmse(drive, begun.soc, 600)).toBeLessThan(0.02);
});

const REFUSED: readonly [string, Series, typeof nmc, number, RegExp][] = [
  [
    'reversed current',
    { ...drive, current_a: drive.current_a.map(a => -a) },
    nmc,
    3,
    /falls when the current rises/,
  ],
  [
    'reversed current that stands still',
    {
      ...madeSeries(nmc, Array(5000).fill(-1), { begin_soc: 0.9 }),
      current_a: new Float64Array(5000).fill(1),
    },
    nmc,
    3,
    /% charged while the voltage went by -0\.\d+ V.*is the sign reversed/,
  ],
  ['NMC with a model of LFP', drive, lfp, 3, /found 3\.\d+ V in the middle, expected 2\.5 to 3\.65 V.*lfp/],
  [
    'LFP with a model of NMC',
    madeSeries(lfp, madeDrive(12_000, 3), { begin_soc: 0.95 }),
    nmc,
    3,
    /while the voltage moved by \d+ mV, expected \d+ mV at least.*not nmc/,
  ],
  ['millivolts', { ...drive, voltage_v: drive.voltage_v.map(v => v * 1000) }, nmc, 3, /millivolts\?/],
  ['half the capacity', drive, nmc, 1.5, /by the voltage, expected about the same: the capacity is wrong/],
  ['ten times the capacity', drive, nmc, 30, /found 30 Ah, expected about the 3 Ah/],
  [
    'no voltage',
    { ...drive, voltage_v: new Float64Array(drive.length).fill(Number.NaN) },
    nmc,
    3,
    /voltage: found 0 values/,
  ],
];

test.each(REFUSED)('%s is refused, and nothing is stated', (_, series, model, capacity_ah, message) => {
  const { soc, soc_sd, problems } = replay(model, series, { initial_soc: 0.9, capacity_ah });
  expect(problems.join('\n')).toMatch(message);
  expect(soc.every(Number.isNaN)).toBe(true);
  expect(soc_sd.every(Number.isNaN)).toBe(true);
});
