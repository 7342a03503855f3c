/** For tests: profiles that stand for the kinds there are, and an environment that says nothing. */
import type { LoadedProfiles } from '../../../drivers/profiles/load.ts';
import type { Profile } from '../../../drivers/profiles/profile.ts';
import { type Environment, readEnvironment } from '../environment.ts';

const common = { vendor: 'Acme', models: [], source: 'Acme paper', directory: '/' };

const PROFILES: readonly Profile[] = [
  {
    ...common,
    id: 'acme-can',
    title: 'Acme with addresses on CAN',
    transport: 'can',
    address: { min: 0, max: 11, default: 0 },
    cells: { max: 24 },
    sensors: { max: 5 },
    device_alarms: [{ code: 'cell_over_voltage', label: 'Cell OV' }],
    options: {
      sign: { values: [1, -1], default: 1, doc: 'Sign of the current' },
      firmware: { values: ['v1', 'v2'], default: 'v2', doc: 'Which firmware' },
    },
  },
  { ...common, id: 'solo-can', title: 'One device per bus', transport: 'can', cells: { max: 216 } },
  {
    ...common,
    id: 'acme-modbus',
    title: 'Acme on Modbus',
    transport: 'modbus',
    address: { min: 1, max: 247, default: 1 },
    cells: { max: 200 },
    options: { string: { values: [0, 1, 2], default: 0, doc: 'Which string', selects_part: true } },
  },
];

export const testProfiles: LoadedProfiles = {
  profiles: new Map(PROFILES.map(one => [one.id, one])),
  problems: [],
  faults: new Map(),
};
export const quietEnvironment: Environment = readEnvironment({ BMS_STATE_DIR: '/state' });
