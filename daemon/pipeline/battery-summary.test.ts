/** What people see of a battery: its state, and which packs need attention first. */
import { expect, test } from 'vitest';
import type { PackSummary } from '../../core/contract/model.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { summariseBattery } from './battery-summary.ts';
import { summarisePack } from './summary.ts';

const shape = { cell_count: 2, sensor_count: 0, device_alarms: [] };
const battery = { battery: 0, id: 'b1', name: 'Rack 1', chemistry: 'lfp', packs: [0, 1, 2] } as const;

function pack(no: number, state: PackSummary['state'], reason: string | null): PackSummary {
  const node = {
    pack: no,
    id: `p${no}`,
    name: `Rack 1, pack ${no}`,
    battery: 0,
    battery_id: 'b1',
    profile_id: 'x',
    connection_id: 'c',
    address: no,
    shape,
  };
  const context = {
    link_reason: undefined,
    doubts: [],
    no_estimate_reason: null,
    last_update_ms: null,
    alerts: { critical: 0, warning: 0, info: 0 },
    ill_cell_nos: [],
  };
  return { ...summarisePack(node, new PackReading(no, shape), context), state, reason };
}

const ok = pack(1, 'ok', null);
const dead = pack(3, 'offline', 'unit 3: no reply');
const doubtful = pack(2, 'degraded', 'cell voltages: 1 of 2 suspect');

test('a battery that is well gives no reason', () => {
  expect(summariseBattery(battery, [ok, ok])).toMatchObject({ state: 'ok', packs_ok: 2, reason: null });
});

test('the reason counts the packs that are not well and quotes the worst of them', () => {
  expect(summariseBattery(battery, [ok, doubtful, ok])).toMatchObject({
    state: 'degraded',
    reason: '1 of 3 packs degraded: Rack 1, pack 2: cell voltages: 1 of 2 suspect',
  });
  expect(summariseBattery(battery, [ok, doubtful, dead])).toMatchObject({
    state: 'degraded',
    reason: '1 of 3 packs offline, 1 degraded: Rack 1, pack 3: unit 3: no reply',
  });
  expect(summariseBattery(battery, [dead])).toMatchObject({
    state: 'offline',
    reason: '1 of 1 pack offline: Rack 1, pack 3: unit 3: no reply',
  });
});

test('lowest, highest, hottest and the widest spread each say which pack and cell; packs may differ in charge', () => {
  const full: PackSummary = {
    ...ok,
    cell_voltage_min_v: 3.34,
    cell_voltage_max_v: 3.345,
    cell_voltage_spread_v: 0.005,
    cell_temperature_max_c: 24,
    lowest_cell_no: 1,
    highest_cell_no: 2,
    hottest_cell_no: 2,
  };
  const weak: PackSummary = {
    ...full,
    id: 'p2',
    cell_voltage_min_v: 3.24,
    cell_voltage_max_v: 3.298,
    cell_voltage_spread_v: 0.058,
    cell_temperature_max_c: 47,
    hottest_cell_no: null,
    hottest_sensor_no: 4,
    cell_deviation_v: 0.057,
    deviating_cell_no: 1,
    cells_out_of_line: [1],
  };
  expect(summariseBattery(battery, [full, weak, dead])).toMatchObject({
    packs_answering: 2,
    packs: [{ id: 'p1', name: 'Rack 1, pack 1' }, { id: 'p2' }, { id: 'p3' }],
    cell_voltage_spread_v: 0.058,
    lowest_cell: { pack_index: 1, cell_no: 1, sensor_no: null },
    highest_cell: { pack_index: 0, cell_no: 2, sensor_no: null },
    widest_spread: { pack_index: 1, cell_no: 1, sensor_no: null },
    hottest_cell: { pack_index: 1, cell_no: null, sensor_no: 4 },
    cell_deviation_v: 0.057,
    cells_out_of_line: 1,
    worst_cell: { pack_index: 1, cell_no: 1, sensor_no: null },
  });
  expect(summariseBattery(battery, [dead])).toMatchObject({ lowest_cell: null, worst_cell: null });
});
