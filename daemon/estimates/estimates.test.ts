/** Estimates in the daemon: what a reading carries, when it is stored, what survives a restart and what a swap ends. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { madeDrive, madeModel, madeSeries } from '../../core/estimate/testing/made-cell.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { smallTopology } from '../store/testing/fixtures.ts';
import { Estimates } from './estimates.ts';
import { type EstimatePlan, noEstimates } from './plan.ts';

const CELLS = 4;
const STEP_MS = 4000;
const START_MS = Date.UTC(2026, 4, 6);
const model = madeModel('nmc', 100);
const own: EstimatePlan = {
  model,
  is_own: true,
  nominal_ah: 100,
  nominal_from: 'configuration',
  reason: undefined,
};
const series = madeSeries(model, madeDrive(3000, 100), { begin_soc: 0.9, dt_s: STEP_MS / 1000 });

class Site {
  readonly state: PackState;
  readonly judge: PackJudge;
  readonly estimates: Estimates;
  readonly reading: PackReading;
  t_ms = START_MS;
  mono_ms = 0;
  #next = 0;

  constructor(plan = own) {
    const topology = smallTopology(1, CELLS);
    const { shape } = topology.packs[0];
    this.state = new PackState(0, shape, 15_000);
    this.judge = new PackJudge(this.state, plausibleLimits());
    this.reading = new PackReading(0, shape);
    this.estimates = new Estimates({
      topology,
      packs: [this],
      plans: [plan],
      interval_ms: STEP_MS,
      wallMs: () => this.t_ms,
      log: silentLogger,
    });
  }

  run(count: number, capacity_ah?: number): this {
    for (let n = 0; n < count; n++) {
      const i = this.#next++;
      this.t_ms += STEP_MS;
      this.mono_ms += STEP_MS;
      this.state.setValue(PackMetric.current_a, series.current_a[i], this.mono_ms);
      this.state.setValue(PackMetric.voltage_v, series.voltage_v[i] * CELLS, this.mono_ms);
      this.state.setValue(PackMetric.soc_pct, 100 * (series.soc_ref?.[i] ?? 0), this.mono_ms);
      if (capacity_ah !== undefined)
        this.state.setValue(PackMetric.capacity_full_ah, capacity_ah, this.mono_ms);
      for (let cell = 0; cell < CELLS; cell++) {
        this.state.setCell(CellMetric.voltage_v, cell, series.voltage_v[i] + cell * 1e-4, this.mono_ms);
        this.state.setCell(CellMetric.temperature_c, cell, 20, this.mono_ms);
      }
      this.moment();
    }
    return this;
  }

  moment(): void {
    this.state.snapshotInto(this.reading, this.t_ms, this.mono_ms);
    this.judge.judge(this.reading);
    this.estimates.take(this.reading);
  }

  skipTo(i: number): void {
    this.#next = i;
  }

  /** What a reading shows. */
  get soc(): number {
    this.estimates.show(this.reading);
    return this.reading.column(CellMetric.estimated_soc_pct)[0];
  }

  get truth(): number {
    return 100 * (series.soc_ref?.[this.#next - 1] ?? 0);
  }
}

test('a reading carries the estimates of every cell and of the pack', () => {
  const site = new Site().run(1000);
  expect(site.soc).toBeCloseTo(site.truth, -1);
  const { reading } = site;
  expect(reading.columnQuality(CellMetric.estimated_soc_sd_pct)).toEqual(new Uint8Array(CELLS).fill(1));
  expect(reading.values[PackMetric.estimated_soc_pct]).toBeCloseTo(site.truth, -1);
  expect(reading.value_quality[PackMetric.estimated_soc_pct]).toBe(Quality.good);
  expect(reading.column(CellMetric.estimated_resistance_mohm)[0]).toBeGreaterThan(0);
  expect(site.estimates.basis(0)).toMatchObject({ reason: null, nominal_ah: 100, is_own_model: true });
});

test('the log has them in the first reading of a minute', () => {
  const site = new Site().run(500);
  site.estimates.showInLog(site.reading);
  let stored = 0;
  for (let n = 0; n < 150; n++) {
    site.run(1);
    site.estimates.showInLog(site.reading);
    if (site.reading.columnQuality(CellMetric.estimated_soc_pct)[0] === Quality.good) stored++;
  }
  expect(stored).toBe(10);
});

test('of a pack that is silent they are old', () => {
  const site = new Site().run(500);
  site.mono_ms += 120_000;
  site.state.snapshotInto(site.reading, site.t_ms, site.mono_ms);
  site.estimates.show(site.reading);
  expect(site.reading.value_quality[PackMetric.estimated_soc_pct]).toBe(Quality.stale);
});

test('they go on after a restart, over a gap of hours with less certainty', () => {
  const before = new Site().run(1500);
  const [kept] = before.estimates.remembered();
  expect(kept.hasAny()).toBe(true);
  const stored = JSON.parse(JSON.stringify(kept.toJSON()));
  const after = new Site();
  expect(after.estimates.remembered()[0].restore(stored)).toBe(true);
  after.t_ms = before.t_ms;
  after.skipTo(1500);
  after.run(5);
  expect(after.soc).toBeCloseTo(after.truth, -1);
  const odometer = after.estimates.reply(0).odometers.place;
  expect(odometer.ah_out).toBeGreaterThanOrEqual(before.estimates.reply(0).odometers.place.ah_out);
  expect(odometer.since_ms).toBe(before.estimates.reply(0).odometers.place.since_ms);

  const late = new Site();
  late.estimates.remembered()[0].restore(stored);
  late.t_ms = before.t_ms + 5 * 3_600_000;
  late.skipTo(2500);
  late.run(2);
  late.estimates.show(late.reading);
  const sdOf = ({ reading }: Site) => reading.column(CellMetric.estimated_soc_sd_pct)[0];
  expect(sdOf(late)).toBeGreaterThan(sdOf(after));
});

test('a document of version 1 is read as it was written', () => {
  const golden = JSON.parse(readFileSync(new URL('./testing/estimates-1.json', import.meta.url), 'utf8'));
  const site = new Site();
  const [kept] = site.estimates.remembered();
  expect(kept.restore(golden)).toBe(true);
  expect(kept.toJSON()).toEqual(golden);
  const { odometers, health } = site.estimates.reply(0);
  expect(odometers.place).toMatchObject({ ah_in: 812.5, kwh_out: 40.25, equivalent_full_cycles: 7.9 });
  expect(odometers.pack.band_hours[17]).toBe(12.5);
  expect(health.points).toEqual([{ t_ms: START_MS, soh_pct: 97.4, sd_pct: 2 }]);
  site.t_ms = START_MS + 3_600_000;
  site.run(1);
  expect(site.soc).toBeGreaterThan(0);
});

test('another pack in its place starts over; the place counts on', () => {
  const site = new Site().run(800);
  const { place, pack } = site.estimates.reply(0).odometers;
  expect(pack.ah_out).toBe(place.ah_out);
  site.judge.deviation.forget();
  site.run(10);
  const after = site.estimates.reply(0).odometers;
  expect(after.place.ah_out).toBeGreaterThanOrEqual(place.ah_out);
  expect(after.pack.hours).toBeLessThan(0.02);
});

test('the capacity of the device is taken once', () => {
  const by_device: EstimatePlan = { ...own, nominal_ah: undefined, nominal_from: 'device', is_own: false };
  const site = new Site(by_device);
  site.run(10);
  expect(site.estimates.basis(0)).toMatchObject({ nominal_ah: null });
  expect(site.estimates.basis(0).reason).toMatch(/^the capacity of its cells is unknown/);
  site.run(600, 96).run(10, 95);
  expect(site.estimates.basis(0)).toMatchObject({ nominal_ah: 96, nominal_from: 'device', reason: null });
});

test('why there are none is said, and nothing is shown', () => {
  const site = new Site(noEstimates('there is no cell model of chemistry "other"')).run(50);
  expect(site.soc).toBeNaN();
  expect(site.estimates.basis(0).reason).toBe('there is no cell model of chemistry "other"');
});

test.each([
  ['nothing', {}],
  ['a later version', { version: 2, odometers: {}, health: [] }],
  ['no odometers', { version: 1, health: [] }],
])('a document with %s is left out', (_, body) => {
  const site = new Site();
  const [kept] = site.estimates.remembered();
  expect(kept.restore(body)).toBe(false);
  site.run(500);
  expect(site.soc).toBeCloseTo(site.truth, -1);
});
