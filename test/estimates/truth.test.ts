/**
 * Estimates against the truth of the simulator, whose curves and resistances are its own: over hours, with each of its
 * faults and with what people configure wrongly, the truth lies in the band that is stated, or nothing is stated.
 */
import { expect, test } from 'vitest';
import { ofAnyMake } from '../../core/estimate/model/variants.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { CELLS, EstimatedPack, type Moment, type SimulatedPackOptions, shipped } from './simulated-pack.ts';

/** A fault of the measurement needs so long to be recognised. */
const FOUND_HOURS = 1;
/** Of two standard deviations; a few moments may lie beside it: one of all cells, and one in twenty. */
const LEAST_INSIDE = 0.95;
const FAR = 3;

class Account {
  shown = 0;
  inside = 0;
  all = 0;
  worst = 0;

  readonly take = ({ estimator, truth }: Moment) => {
    const soc = truth.column(CellMetric.soc_pct);
    for (let cell = 0; cell < CELLS; cell++) {
      this.all++;
      const sd = estimator.soc_sd_pct[cell];
      if (Number.isNaN(estimator.soc_pct[cell])) continue;
      this.shown++;
      const off = Math.abs(estimator.soc_pct[cell] - soc[cell]);
      if (off <= 2 * sd + 0.1) this.inside++;
      this.worst = Math.max(this.worst, off / sd);
    }
  };

  expectHonest(): void {
    expect(this.inside).toBeGreaterThanOrEqual(LEAST_INSIDE * this.shown - CELLS);
  }
}

test.each<[string, SimulatedPackOptions]>([
  ['LFP in a house', { chemistry: 'lfp', load: 'solar', seed: 1 }],
  ['LFP in a vehicle', { chemistry: 'lfp', load: 'drive', seed: 2 }],
  ['NMC in a house', { chemistry: 'nmc', load: 'solar', seed: 3 }],
  ['NMC in a vehicle', { chemistry: 'nmc', load: 'drive', seed: 4 }],
])('a healthy pack of %s: the truth lies in the band', (_, options) => {
  const pack = new EstimatedPack(options);
  const account = new Account();
  pack.run(26, account.take);
  account.expectHonest();
  expect(account.worst).toBeLessThan(FAR);
  expect(account.shown).toBeGreaterThan(0.7 * account.all);
  expect(pack.estimator.reason).toBeUndefined();
  expect(pack.estimator.fit.isConfirmed).toBe(true);
});

test.each(['weak_cell', 'overheating', 'stuck_sensor'] as const)(
  '%s: the truth lies in the band, or nothing is stated of the cell',
  kind => {
    const pack = new EstimatedPack({ seed: 5 });
    pack.run(3);
    pack.fleet.setFault(kind, 0, 3);
    pack.run(FOUND_HOURS);
    const account = new Account();
    pack.run(18, account.take);
    account.expectHonest();
    expect(account.shown).toBeGreaterThan(0.5 * account.all);
    if (kind !== 'weak_cell') return;
    expect(pack.estimator.reason).toMatch(/^its resistance is [\d.]+ times that of its siblings \(cell 4\)$/);
    expect(pack.estimator.soc_pct[3]).toBeNaN();
    expect(pack.estimator.soc_pct[2]).toBeGreaterThan(0);
  },
);

const reversed: SimulatedPackOptions['change'] = reading => {
  reading.values[PackMetric.current_a] *= -1;
};

test.each<[string, SimulatedPackOptions, RegExp]>([
  [
    'LFP with a model of NMC',
    { chemistry: 'lfp', model: ofAnyMake(shipped('nmc')) },
    /counted|not yet confirmed/,
  ],
  [
    'NMC with a model of LFP',
    { chemistry: 'nmc', model: ofAnyMake(shipped('lfp')) },
    /lie outside 2\.5 to 3\.75 V|counted|not yet confirmed/,
  ],
  ['a reversed current, LFP', { chemistry: 'lfp', change: reversed }, /is its sign reversed/],
  ['a reversed current, NMC', { chemistry: 'nmc', change: reversed }, /is its sign reversed/],
])('%s is recognised and said, and nothing false is stated', (_, options, reason) => {
  const pack = new EstimatedPack({ seed: 6, ...options });
  const account = new Account();
  const reasons = new Set<string>();
  pack.run(20, moment => {
    account.take(moment);
    if (moment.hour > 6 && moment.estimator.reason) reasons.add(moment.estimator.reason);
  });
  account.expectHonest();
  expect(account.shown).toBeLessThan(0.1 * account.all);
  expect([...reasons].some(found => reason.test(found))).toBe(true);
});

test('a capacity of twice as much is recognised by the figure of the device', () => {
  const pack = new EstimatedPack({ seed: 1, nominal_ah: 200 });
  const account = new Account();
  const reasons = new Set<string>();
  pack.run(12, moment => {
    account.take(moment);
    reasons.add(moment.estimator.reason ?? '');
  });
  expect([...reasons].join()).toMatch(/does not move as 200 Ah would: the capacity is wrong/);
  account.expectHonest();
});

test('without a figure of the device nothing is stated before charge and voltage have moved together', () => {
  const silent: SimulatedPackOptions['change'] = reading => {
    reading.values[PackMetric.soc_pct] = Number.NaN;
  };
  const pack = new EstimatedPack({ seed: 1, change: silent });
  pack.run(1);
  expect(pack.estimator.reason).toMatch(/not yet confirmed: the device reports no state of charge/);
  pack.run(20);
  expect(pack.estimator.reason).toBeUndefined();
});
