/** Healthy batteries raise nothing; each fault of the simulator raises exactly its alerts, within their delays. */
import { expect, test } from 'vitest';
import type { SimulationConfig } from '../../sim/simulation-config.ts';
import { type Raised, raisedWithin } from './simulated-site.ts';

type Fault = NonNullable<SimulationConfig['faults']>[number];
const FROM_HOURS = 1;

/** The rule, and within how many hours of the fault it is raised. */
type Expected = Readonly<Record<string, number>>;

const SCENARIOS: readonly [string, Fault, number, Expected][] = [
  [
    'a cell that overheats',
    { kind: 'overheating', pack: 'jk-1', cell: 4 },
    3,
    {
      'device_alarm/temperature_difference': 0.1,
      'device_alarm/temperature_high': 0.1,
      temperature_rise: 0.1,
      cell_temperature_spread: 0.1,
      cell_temperature_high: 0.1,
    },
  ],
  ['a sensor that hangs', { kind: 'stuck_sensor', pack: 'jk-2', cell: 2 }, 4, { values_untrusted: 1 }],
  ['a unit that dies', { kind: 'dead_unit', pack: 'fox-only' }, 3, { pack_silent: 0.02 }],
  [
    'a cell that is weak',
    { kind: 'weak_cell', pack: 'jk-0', cell: 3 },
    9,
    { 'device_alarm/cell_difference': 5, cell_voltage_spread_load: 5, weak_cell: 7 },
  ],
];

test.each(SCENARIOS)(
  '%s raises exactly its alerts',
  { timeout: 120_000 },
  async (_, fault, hours, expected) => {
    const after_s = FROM_HOURS * 3600;
    const raised = await raisedWithin(hours, { load: 'solar', faults: [{ ...fault, after_s }] });
    expect([...new Set(raised.map(({ rule_id }) => rule_id))].sort()).toEqual(Object.keys(expected).sort());
    for (const [rule_id, within_hours] of Object.entries(expected)) {
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
