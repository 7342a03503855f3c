/** Test bench of this room: simulated packs, the drivers that read them, and time moved by hand. */
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import { shapeOf } from '../../drivers/profiles/shape.ts';
import { type ConnectionConfig, createDriver, makeWires } from '../../drivers/transports.ts';
import { createSimulation } from '../simulation.ts';
import type { SimulationConfig } from '../simulation-config.ts';

const { profiles } = loadProfiles();
export const CELLS = 10;
export const INTERVAL_MS = 2000;

export interface Bus {
  readonly connection: ConnectionConfig;
  readonly profile: string;
  readonly addresses: readonly (number | undefined)[];
}
export const JK: Bus = {
  connection: { id: 'jk', type: 'virtual-can' },
  profile: 'jk-can-v2',
  addresses: [0, 1, 2],
};
export const FOX: Bus = {
  connection: { id: 'fox', type: 'virtual-can' },
  profile: 'foxbms-2',
  addresses: [undefined],
};
export const LV: Bus = {
  connection: { id: 'lv', type: 'virtual-can' },
  profile: 'can-bus-bms-lv',
  addresses: [undefined],
};
export const SUN: Bus = {
  connection: { id: 'sun', type: 'virtual-modbus' },
  profile: 'sunspec-battery',
  addresses: [1, 2],
};

export function bindingsOf(
  buses: readonly Bus[],
): { connection: ConnectionConfig; bindings: PackBinding[] }[] {
  let pack = 0;
  return buses.map(({ connection, profile: id, addresses }) => {
    const profile = profiles.get(id)!;
    const options = Object.fromEntries(
      Object.entries(profile.options ?? {}).map(([name, option]) => [name, option.default]),
    );
    const bindings = addresses.map(
      (address): PackBinding => ({
        pack: pack++,
        pack_id: `${connection.id}-${address ?? 'only'}`,
        profile,
        address,
        shape: shapeOf(profile, Math.min(CELLS, profile.cells.max), profile.sensors?.max ? 2 : 0),
        options,
        sensor_of_cell: undefined,
      }),
    );
    return { connection, bindings };
  });
}

export function bench(
  buses: readonly Bus[],
  config: SimulationConfig = {},
  interval_ms = INTERVAL_MS,
  clock = new ManualClock(),
) {
  const wires = makeWires();
  const connections = bindingsOf(buses);
  const simulation = createSimulation({
    config: { start_hour: 12, ...config },
    connections,
    wires,
    clock,
    log: silentLogger,
    interval_ms,
  });
  const drivers = connections.map(({ connection, bindings }) =>
    createDriver(
      connection,
      bindings,
      { clock, log: silentLogger, interval_ms, onUpdate() {}, onLink() {} },
      wires,
    ),
  );
  const states = drivers.flatMap(driver => driver.packs);
  return {
    clock,
    wires,
    simulation,
    drivers,
    bindings: connections.flatMap(({ bindings }) => bindings),
    async start() {
      await simulation.start();
      for (const driver of drivers) await driver.start();
    },
    async stop() {
      for (const driver of drivers) await driver.stop();
      await simulation.stop();
    },
    /** Moves time on; what is under way on the wires happens in between. */
    async run(ms: number, step_ms = 50) {
      for (let passed = 0; passed < ms; passed += step_ms) {
        clock.advance(step_ms);
        for (let i = 0; i < 6; i++) await new Promise(resolve => setImmediate(resolve));
      }
    },
    snapshot(pack: number): PackReading {
      const reading = new PackReading(pack, states[pack].shape);
      states[pack].snapshotInto(reading, clock.wallMs(), clock.monoMs());
      return reading;
    },
    silent_ms: (pack: number) => clock.monoMs() - states[pack].last_update_mono_ms,
  };
}
