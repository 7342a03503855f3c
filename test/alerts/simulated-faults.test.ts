/** Healthy batteries raise nothing; each fault of the simulator raises exactly its alerts, within their delays. */
import { expect, test } from 'vitest';
import { SimulationFault } from '../../sim/simulation-config.ts';
import { FAULT_SCENARIOS } from './fault-scenarios.ts';
import { type Raised, raisedWithin } from './simulated-site.ts';

const FROM_HOURS = 1;

test('every fault of the simulator has a scenario', () => {
  const kinds = SimulationFault.properties.kind.anyOf.map(kind => kind.const);
  expect(Object.keys(FAULT_SCENARIOS).sort()).toEqual([...kinds].sort());
  for (const [kind, { fault }] of Object.entries(FAULT_SCENARIOS)) expect(fault.kind).toBe(kind);
});

test.each(Object.values(FAULT_SCENARIOS))(
  '$name raises exactly its alerts',
  { timeout: 120_000 },
  async ({ fault, hours, raises }) => {
    const faults = [{ ...fault, after_s: FROM_HOURS * 3600 }];
    const raised = await raisedWithin(FROM_HOURS + hours, { load: 'solar', faults });
    expect([...new Set(raised.map(({ rule_id }) => rule_id))].sort()).toEqual(Object.keys(raises).sort());
    for (const [rule_id, within_hours] of Object.entries(raises)) {
      const first = raised.find(one => one.rule_id === rule_id) as Raised;
      expect(first.pack_id).toBe(fault.pack);
      expect(first.after_hours).toBeGreaterThanOrEqual(FROM_HOURS);
      expect(first.after_hours).toBeLessThanOrEqual(FROM_HOURS + within_hours);
      if (rule_id === 'weak_cell') expect(first.message).toMatch(new RegExp(`^Cell ${fault.cell}\\b`));
    }
  },
);

test.each(['solar', 'drive'] as const)(
  'a healthy day of %s raises no alert',
  { timeout: 180_000 },
  async load => {
    expect(await raisedWithin(24, { load })).toEqual([]);
  },
);
