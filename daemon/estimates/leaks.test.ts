/** From the currents and voltages of a fortnight to the cell that leaks, through the filter that estimates every cell. */
import { expect, test } from 'vitest';
import { madeModel, madeSeries } from '../../core/estimate/testing/made-cell.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { smallTopology } from '../store/testing/fixtures.ts';
import { Estimates } from './estimates.ts';

const CELLS = 8;
const LEAKING = 5;
const LEAK_A = 0.02;
const NOMINAL_AH = 100;
const STEP_S = 60;
const DAY_STEPS = 86_400 / STEP_S;
const START_MS = Date.UTC(2026, 4, 6);

/** Full by noon, used in the evening: in four parts of a day charging, rest, discharging, rest. */
const PART_CURRENTS_A = [10, 0, -10, 0];
const daily = (days: number) =>
  Array.from(
    { length: days * DAY_STEPS },
    (_, i) => PART_CURRENTS_A[Math.floor((4 * (i % DAY_STEPS)) / DAY_STEPS)],
  );

test.each([
  ['a leak of 20 mA in NMC', 'nmc', LEAK_A, 1, [LEAKING + 1]],
  ['none in NMC, one cell has aged', 'nmc', 0, 0.85, []],
  ['none in LFP, one cell has aged', 'lfp', 0, 0.85, []],
] as const)('%s', (_, chemistry, leak_a, health, expected) => {
  const model = madeModel(chemistry, NOMINAL_AH);
  const currents_a = daily(11);
  const load = { begin_soc: 0.3, dt_s: STEP_S };
  const sound = madeSeries(model, currents_a, load);
  const leaking = madeSeries(
    model,
    currents_a.map(current_a => current_a - leak_a),
    { ...load, health },
  );
  const topology = smallTopology(1, CELLS);
  const { shape } = topology.packs[0];
  const state = new PackState(0, shape, 150_000);
  const judge = new PackJudge(state, plausibleLimits());
  const plan = {
    model,
    is_own: true,
    nominal_ah: NOMINAL_AH,
    nominal_from: 'configuration',
    reason: undefined,
  } as const;
  const estimates = new Estimates({
    topology,
    packs: [{ state, judge }],
    plans: [plan],
    interval_ms: STEP_S * 1000,
    wallMs: () => START_MS,
    log: silentLogger,
  });
  const reading = new PackReading(0, shape);
  for (let i = 0; i < currents_a.length; i++) {
    const mono_ms = (i + 1) * STEP_S * 1000;
    state.setValue(PackMetric.current_a, currents_a[i], mono_ms);
    for (let cell = 0; cell < CELLS; cell++) {
      const series = cell === LEAKING ? leaking : sound;
      state.setCell(CellMetric.voltage_v, cell, series.voltage_v[i] + (cell % 3) * 5e-4, mono_ms);
      state.setCell(CellMetric.temperature_c, cell, 20, mono_ms);
    }
    state.snapshotInto(reading, START_MS + mono_ms, mono_ms);
    judge.judge(reading);
    estimates.take(reading);
  }
  const { leaks } = estimates.reply(0);
  expect(leaks?.map(({ cell_no }) => cell_no)).toEqual(expected);
  for (const { leak_ma } of leaks ?? []) {
    expect(leak_ma).toBeGreaterThan(0.75 * 1000 * LEAK_A);
    expect(leak_ma).toBeLessThan(1.25 * 1000 * LEAK_A);
  }
  // Nobody has to wait for it: what is learnt is in what is kept.
  expect(estimates.remembered()[0].toJSON()).toMatchObject({ drift: { version: 1 } });
});
