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
