/** Physics of cells: what must hold for any chemistry, current and step. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../core/testing/property-runs.ts';
import { Random } from '../random.ts';
import { CellBank, MAX_STEP_S } from './cell-bank.ts';
import { CHEMISTRIES, type SimulatedChemistry } from './chemistry.ts';

const CELLS = 6;
const CAPACITY_AH = 100;
const chemistryName = fc.constantFrom<SimulatedChemistry>('lfp', 'nmc');
const step = fc.record({
  current_a: fc.double({ min: -50, max: 50, noNaN: true }),
  dt_s: fc.double({ min: 0.1, max: MAX_STEP_S, noNaN: true }),
});

function bankOf(name: SimulatedChemistry, seed = 1, soc = 0.5): CellBank {
  const bank = new CellBank(CELLS);
  bank.build(0, CELLS, CHEMISTRIES[name], CAPACITY_AH, soc, 25, new Random(seed, 0));
  return bank;
}

test('open-circuit curves rise everywhere, also beyond empty and full', () => {
  for (const { ocv } of Object.values(CHEMISTRIES)) {
    for (let soc = -0.1; soc < 1.1; soc += 0.0005) {
      expect(ocv.volt(soc + 0.0005)).toBeGreaterThan(ocv.volt(soc));
      expect(ocv.slope(soc)).toBeGreaterThan(0);
    }
  }
});

test('voltage stays within open-circuit voltage plus and minus what the currents so far can drop', () => {
  fc.assert(
    fc.property(chemistryName, fc.array(step, { minLength: 1, maxLength: 60 }), (name, steps) => {
      const bank = bankOf(name);
      const { ocv } = CHEMISTRIES[name];
      let most_a = 0;
      let most_r0_ohm = 0;
      for (const { current_a, dt_s } of steps) {
        bank.stepString(0, CELLS, CHEMISTRIES[name], current_a, dt_s, 25);
        most_a = Math.max(most_a, Math.abs(current_a));
        for (let c = 0; c < CELLS; c++) {
          most_r0_ohm = Math.max(most_r0_ohm, bank.r0_ohm[c]);
          const drop_v = Math.abs(bank.voltage_v[c] - ocv.volt(bank.soc[c]));
          expect(drop_v).toBeLessThanOrEqual(most_a * most_r0_ohm * 2.2 + 1e-12);
        }
      }
    }),
  );
});

test('charge is conserved: state of charge changes by the current alone, and by what leaks and bleeds', () => {
  fc.assert(
    fc.property(chemistryName, fc.array(step, { maxLength: 60 }), fc.boolean(), (name, steps, bleeding) => {
      const bank = bankOf(name);
      bank.balancing.fill(bleeding ? 1 : 0);
      const before = bank.soc.slice();
      const moved_as = new Float64Array(CELLS);
      for (const { current_a, dt_s } of steps) {
        bank.stepString(0, CELLS, CHEMISTRIES[name], current_a, dt_s, 25);
        for (let c = 0; c < CELLS; c++)
          moved_as[c] += (current_a - (bleeding ? 0.1 : 0) - bank.self_discharge_a[c]) * dt_s;
      }
      for (let c = 0; c < CELLS; c++)
        expect((bank.soc[c] - before[c]) * bank.capacity_as[c]).toBeCloseTo(moved_as[c], 4);
    }),
  );
});

test('no energy is made: a cycle that ends where it began has taken in more than it gave', () => {
  fc.assert(
    fc.property(
      chemistryName,
      fc.integer({ min: 5, max: 50 }),
      fc.integer({ min: 1, max: 100 }),
      (name, a, n) => {
        const bank = bankOf(name);
        const dt_s = 5;
        let taken_j = 0;
        for (const current_a of [a, -a])
          for (let k = 0; k < n; k++) {
            const before_v = bank.voltage_v[0];
            bank.stepString(0, CELLS, CHEMISTRIES[name], current_a, dt_s, 25);
            // At its first step the terminal voltage jumps with the current: take the end of that step.
            const mean_v = k === 0 ? bank.voltage_v[0] : (before_v + bank.voltage_v[0]) / 2;
            taken_j += mean_v * current_a * dt_s;
          }
        expect(taken_j).toBeGreaterThan(0);
      },
    ),
  );
});

test('a loaded string warms above its room and cools back to it', () => {
  const bank = bankOf('lfp');
  for (let k = 0; k < 100; k++) bank.stepString(0, CELLS, CHEMISTRIES.lfp, k % 2 ? 50 : -50, 30, 25);
  const warm_c = bank.temperature_c[2];
  expect(warm_c).toBeGreaterThan(26);
  for (let k = 0; k < 2000; k++) bank.stepString(0, CELLS, CHEMISTRIES.lfp, 0, 30, 25);
  expect(bank.temperature_c[2]).toBeCloseTo(25, 2);
});

test('a cold cell has more resistance than a warm one', () => {
  const [cold, warm] = [bankOf('lfp'), bankOf('lfp')];
  cold.temperature_c.fill(0);
  warm.temperature_c.fill(30);
  for (const bank of [cold, warm]) bank.stepString(0, CELLS, CHEMISTRIES.lfp, -20, 1, 25);
  expect(cold.r0_ohm[0]).toBeGreaterThan(warm.r0_ohm[0] * 1.3);
});

test('charging at the limit never lifts a cell above the charge voltage, however long the step', () => {
  fc.assert(
    fc.property(chemistryName, fc.double({ min: 0.5, max: MAX_STEP_S, noNaN: true }), (name, dt_s) => {
      const chemistry = CHEMISTRIES[name];
      const bank = bankOf(name, 2, 0.9);
      for (let t_s = 0; t_s < 7200; t_s += dt_s) {
        const current_a = Math.min(50, bank.chargeCurrentLimit(0, CELLS, chemistry, dt_s));
        bank.stepString(0, CELLS, chemistry, current_a, dt_s, 25);
        expect(Math.max(...bank.voltage_v)).toBeLessThan(chemistry.limits.charge_v + 0.01);
      }
      expect(Math.max(...bank.voltage_v)).toBeGreaterThan(chemistry.limits.charge_v - 0.02);
    }),
    { numRuns: runsOf(30) },
  );
});
