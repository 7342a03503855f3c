/** What each fault of the simulator must raise, and within how many hours of its begin; nothing else. */
import type { SimulationFault } from '../../sim/simulation-config.ts';

export interface FaultScenario {
  readonly name: string;
  readonly fault: Pick<SimulationFault, 'kind' | 'pack' | 'cell'>;
  /** After so long all of them are there. */
  readonly hours: number;
  readonly raises: Readonly<Record<string, number>>;
  /** What comes later, when the fault stays for days. */
  readonly later?: readonly string[];
}

export const FAULT_SCENARIOS: Readonly<Record<SimulationFault['kind'], FaultScenario>> = {
  overheating: {
    name: 'a cell that overheats',
    fault: { kind: 'overheating', pack: 'jk-1', cell: 4 },
    hours: 2,
    raises: {
      'device_alarm/temperature_difference': 0.1,
      'device_alarm/temperature_high': 0.1,
      temperature_rise: 0.1,
      cell_temperature_spread: 0.1,
      cell_temperature_high: 0.1,
    },
  },
  stuck_sensor: {
    name: 'a sensor that hangs',
    fault: { kind: 'stuck_sensor', pack: 'jk-2', cell: 2 },
    hours: 3,
    raises: { values_untrusted: 1 },
  },
  dead_unit: {
    name: 'a unit that dies',
    fault: { kind: 'dead_unit', pack: 'fox-only' },
    hours: 2,
    raises: { pack_silent: 0.02 },
  },
  weak_cell: {
    name: 'a cell that is weak',
    fault: { kind: 'weak_cell', pack: 'jk-0', cell: 3 },
    hours: 8,
    raises: { 'device_alarm/cell_difference': 5, cell_voltage_spread_load: 5, weak_cell: 7 },
    // Its device learns at the next full charge that there is less in the pack.
    later: ['soh_low'],
  },
};
