/** Test bench of this room: bindings of the shipped profile, and a driver whose time is moved by hand. */
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import type { Driver, LinkEvent, PackBinding } from '../../driver.ts';
import { loadProfiles } from '../../profiles/load.ts';
import type { Profile } from '../../profiles/profile.ts';
import { shapeOf } from '../../profiles/shape.ts';
import type { ModbusConnection } from '../connections.ts';
import { createModbusDriver } from '../modbus-driver.ts';
import { VirtualModbusHub } from '../virtual-link.ts';

let shipped: Profile | undefined;

function sunspecProfile(): Profile {
  if (shipped) return shipped;
  const { profiles, problems } = loadProfiles();
  const profile = profiles.get('sunspec-battery');
  if (!profile) throw new Error(`sunspec-battery: ${problems.map(problem => problem.message).join('; ')}`);
  shipped = profile;
  return profile;
}

export function bindingOf(settings: {
  pack?: number;
  cells: number;
  address?: number;
  options?: PackBinding['options'];
}): PackBinding {
  const profile = sunspecProfile();
  const { pack = 0, cells, address = 1, options } = settings;
  return {
    pack,
    pack_id: `pack-${pack}`,
    profile,
    address,
    shape: shapeOf(profile, cells),
    options: { string: 0, positive_current_is: 'discharge', ...options },
    sensor_of_cell: undefined,
  };
}

export interface Bench {
  readonly clock: ManualClock;
  readonly hub: VirtualModbusHub;
  readonly driver: Driver;
  readonly events: LinkEvent[];
  readonly updates: number[];
  /** Moves time on in small steps, letting everything under way happen in between. */
  run(ms: number): Promise<void>;
  snapshot(index: number): PackReading;
}

export function startVirtual(
  bindings: readonly PackBinding[],
  settings: Partial<ModbusConnection> & { interval_ms?: number; clock?: ManualClock } = {},
): Bench {
  const { interval_ms = 1000, clock = new ManualClock(), ...timing } = settings;
  const hub = new VirtualModbusHub();
  const events: LinkEvent[] = [];
  const updates: number[] = [];
  const connection = { id: 'link', type: 'virtual-modbus', ...timing } as ModbusConnection;
  const context = {
    clock,
    log: silentLogger,
    interval_ms,
    onUpdate: (pack: number) => updates.push(pack),
    onLink: (event: LinkEvent) => events.push(event),
  };
  const driver = createModbusDriver(connection, bindings, context, hub);
  const started = driver.start();
  return {
    clock,
    hub,
    driver,
    events,
    updates,
    async run(ms) {
      await started;
      for (let passed = 0; passed <= ms; passed += 10) {
        for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve));
        if (passed < ms) clock.advance(Math.min(10, ms - passed));
      }
    },
    snapshot(index) {
      const state = driver.packs[index];
      const reading = new PackReading(state.pack, state.shape);
      state.snapshotInto(reading, clock.wallMs(), clock.monoMs());
      return reading;
    },
  };
}
