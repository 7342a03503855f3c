/** Estimates on one core: 100,000 cells at one sample a second, what a cell takes of memory, a year of one pack. */
import { readFileSync } from 'node:fs';
import { HealthCells } from '../core/estimate/health/health-cells.ts';
import { KalmanCells } from '../core/estimate/kalman/kalman-cells.ts';
import { readModel } from '../core/estimate/model/model-file.ts';
import { ModelTables } from '../core/estimate/model/tables.ts';
import { silentLogger } from '../core/log.ts';
import { CellMetric, PackMetric } from '../core/metrics.ts';
import { PackReading } from '../core/reading/pack-reading.ts';
import { PackState } from '../core/reading/pack-state.ts';
import { plausibleLimits } from '../core/reading/plausibility.ts';
import { PackJudge } from '../core/siblings/pack-judge.ts';
import { Estimates } from '../daemon/estimates/estimates.ts';
import { shippedModel } from '../daemon/estimates/shipped-models.ts';
import { smallTopology } from '../daemon/store/testing/fixtures.ts';
import { bestRate, perSecond } from './rate.ts';

const CELLS = 100_000;
const GOAL_CORES = 0.5;
const PACK_CELLS = 16;
/** A year of one pack, one sample in 10 s. */
const YEAR_SAMPLES = (365 * 86_400) / 10;
const GOAL_YEAR_S = 60;

export async function benchEstimate(): Promise<string[]> {
  const file = new URL('../core/estimate/models/lfp.yaml', import.meta.url);
  const { model } = readModel(file.pathname, readFileSync(file, 'utf8'));
  if (!model) throw new Error('the shipped model cannot be read');
  const tables = new ModelTables(model);
  globalThis.gc?.();
  const before = process.memoryUsage().arrayBuffers;
  const cells = new KalmanCells(tables, CELLS, model.nominal_ah);
  const health = new HealthCells(cells);
  const bytes = (process.memoryUsage().arrayBuffers - before) / CELLS;
  for (let cell = 0; cell < CELLS; cell++) cells.start(cell, 0.5, 0.2);
  let moment = 0;
  const round = (count: number, dt_s: number) => {
    const a = 40 * Math.sin(moment++ / 50);
    for (let cell = 0; cell < count; cell++) {
      const v = 3.3 + 0.0006 * a + 0.0001 * (cell % 16);
      cells.step(cell, dt_s, a, v, 25);
      health.step(cell, dt_s, a, v, false);
    }
  };
  for (let i = 0; i < 3; i++) round(CELLS, 1);
  const rate = await bestRate(5, CELLS, () => round(CELLS, 1));
  const cores = CELLS / rate;
  const rounds = 20_000;
  const pack = await bestRate(3, rounds * PACK_CELLS, () => {
    for (let i = 0; i < rounds; i++) round(PACK_CELLS, 10);
  });
  const year_s = (YEAR_SAMPLES * PACK_CELLS) / pack;
  const running = await benchRunning();
  return [
    `running ${perSecond(running, 'cells')}: as the gateway does it, 100,000 cells at 1 Hz take ${(CELLS / running).toFixed(2)} of a core (goal ${GOAL_CORES})`,
    `steps   ${perSecond(rate, 'cells')}: 100,000 cells at 1 Hz take ${cores.toFixed(2)} of a core (goal ${GOAL_CORES})`,
    `memory  ${bytes.toFixed(0)} bytes a cell`,
    `year    of a pack of ${PACK_CELLS} cells, a sample in 10 s, in ${year_s.toFixed(0)} s (goal ${GOAL_YEAR_S})`,
  ];
}

const RUNNING_PACKS = 500;

/** With all that surrounds the filter in the gateway: quality, moments, trust, odometer, what is shown. */
async function benchRunning(): Promise<number> {
  const nodes = smallTopology(RUNNING_PACKS, PACK_CELLS);
  const states = nodes.packs.map(({ pack, shape }) => new PackState(pack, shape, 60_000));
  const packs = states.map(state => ({ state, judge: new PackJudge(state, plausibleLimits()) }));
  const plan = {
    model: shippedModel('lfp'),
    is_own: false,
    nominal_ah: 100,
    nominal_from: 'configuration',
    reason: undefined,
  } as const;
  const estimates = new Estimates({
    topology: nodes,
    packs,
    plans: packs.map(() => plan),
    interval_ms: 1000,
    wallMs: () => 0,
    log: silentLogger,
  });
  const readings = nodes.packs.map(({ pack, shape }) => new PackReading(pack, shape));
  let mono_ms = 0;
  const report = () => {
    mono_ms += 1000;
    const a = 30 * Math.sin(mono_ms / 50_000);
    for (const state of states) {
      state.setValue(PackMetric.current_a, a, mono_ms);
      state.setValue(PackMetric.soc_pct, 50, mono_ms);
      for (let cell = 0; cell < PACK_CELLS; cell++) {
        state.setCell(CellMetric.voltage_v, cell, 3.3 + 0.0006 * a + 0.0001 * cell, mono_ms);
        state.setCell(CellMetric.temperature_c, cell, 25, mono_ms);
      }
      state.snapshotInto(readings[state.pack], mono_ms, mono_ms);
    }
  };
  let least_ms = Number.POSITIVE_INFINITY;
  for (let moment = 0; moment < 40; moment++) {
    report();
    const start_ms = performance.now();
    for (const reading of readings) {
      estimates.take(reading);
      estimates.showInLog(reading);
      estimates.show(reading);
    }
    // The first ones are compiled, and begin the filters.
    if (moment >= 10) least_ms = Math.min(least_ms, performance.now() - start_ms);
  }
  return ((RUNNING_PACKS * PACK_CELLS) / least_ms) * 1000;
}
