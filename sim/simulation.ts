/**
 * The simulator: a virtual site behind the virtual connections of the configuration. Physics moves on once
 * a period; each pack's BMS then says what it measured in the bytes of its own profile, on virtual CAN buses
 * and virtual Modbus links, so that the drivers read it as they read hardware.
 */
import type { Clock, TimerHandle } from '../core/clock/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { PackReading, PackShape } from '../core/reading/pack-reading.ts';
import type { Chemistry } from '../core/topology/topology.ts';
import type { PackBinding } from '../drivers/driver.ts';
import {
  type ConnectionConfig,
  isVirtual,
  transportNameOf,
  type VirtualWires,
} from '../drivers/transports.ts';
import { FaultBoard, type FaultView } from './faults.ts';
import { Fleet } from './fleet.ts';
import type { SimulatedPack } from './physics/pack.ts';
import type { VirtualDevice } from './simulated-transport.ts';
import type { SimulationConfig } from './simulation-config.ts';
import { simulatedTransport } from './transports.ts';

export interface SimulationOptions {
  readonly config: SimulationConfig;
  /** All connections; packs on others than virtual ones are left alone. */
  readonly connections: readonly {
    readonly connection: ConnectionConfig;
    readonly bindings: readonly PackBinding[];
  }[];
  /** Packs with the same number carry their load together (default: each pack alone). */
  readonly battery_of_pack?: (pack: number) => number;
  /** Cell chemistry by pack (default lfp; `other` is simulated as lfp). */
  readonly chemistry_of_pack?: (pack: number) => Chemistry;
  readonly wires: VirtualWires;
  readonly clock: Clock;
  readonly log: Logger;
  /** New values this often; devices broadcast at least every 2 s whatever it is, as real ones do. */
  readonly interval_ms: number;
  /** CAN messages keep their own periods, as other programs expect of a device (default: all once a period). */
  readonly own_periods?: boolean;
}

/** Faults at run time. */
export interface SimulationFaults {
  faults(): readonly FaultView[];
  /** A GatewayError BAD_REQUEST names what was found and expected. Returns the fault's id. */
  addFault(fault: unknown): string;
  removeFault(id: string): boolean;
}

const MAX_PERIOD_MS = 2000;
const MIN_SLOT_MS = 100;
/** Messages that come faster than this come at this pace. */
const OWN_PERIOD_SLOT_MS = 20;
/** Nodes broadcast in this first part of a period, so that each period ends with fresh values of all. */
const BROADCAST_PART = 0.9;
/** Cells behind a device that reports none: a 48 V battery of lithium iron phosphate. */
const UNREPORTED_CELLS = 16;

/** Throws CONFIG_INVALID when a fault of the configuration names what is not there. */
export function createSimulation(options: SimulationOptions): Simulation {
  return new Simulation(options);
}

export class Simulation {
  readonly control: SimulationFaults;
  readonly #options: SimulationOptions;
  readonly #bound: readonly { connection: ConnectionConfig; binding: PackBinding }[];
  readonly #fleet: Fleet;
  readonly #faults: FaultBoard;
  readonly #dead: Uint8Array;
  readonly #period_ms: number;
  readonly #slot_count: number;
  #devices: VirtualDevice[] = [];
  /** Devices to publish by slot of the period; answering devices stand in slot 0. */
  #slots: VirtualDevice[][] = [];
  #slot = 0;
  #due_mono_ms = 0;
  #timer: TimerHandle | undefined;

  constructor(options: SimulationOptions) {
    const { config, clock, interval_ms } = options;
    this.#options = options;
    this.#bound = options.connections
      .filter(({ connection }) => isVirtual(connection))
      .flatMap(({ connection, bindings }) => bindings.map(binding => ({ connection, binding })))
      .filter(({ binding }) => binding.profile.fault === undefined);
    refuseSharedPlaces(this.#bound);
    this.#period_ms = interval_ms / Math.ceil(interval_ms / MAX_PERIOD_MS);
    const slot_ms = options.own_periods ? OWN_PERIOD_SLOT_MS : MIN_SLOT_MS;
    this.#slot_count = Math.max(1, Math.floor(this.#period_ms / slot_ms));
    this.#fleet = new Fleet(
      this.#bound.map(({ binding }) => ({
        pack: binding.pack,
        shape: withCells(binding.shape),
        battery: options.battery_of_pack?.(binding.pack) ?? binding.pack,
        chemistry: options.chemistry_of_pack?.(binding.pack) === 'nmc' ? 'nmc' : 'lfp',
        sensor_of_cell: binding.sensor_of_cell,
      })),
      {
        seed: config.seed ?? 1,
        load: config.load ?? 'solar',
        start_hour: config.start_hour ?? localHour(clock.wallMs()),
        capacity_ah: config.capacity_ah ?? 100,
      },
    );
    this.#dead = new Uint8Array(this.#bound.length);
    this.#faults = new FaultBoard(
      this.#bound.map(({ binding }) => ({
        pack_id: binding.pack_id,
        cell_count: withCells(binding.shape).cell_count,
      })),
    );
    this.control = this.#makeControl();
    config.faults?.forEach((fault, i) => {
      this.#faults.add(fault, clock.monoMs(), `simulation.faults[${i}]`, 'CONFIG_INVALID');
    });
    this.#advance();
  }

  /** Attaches every device and begins to run. */
  async start(): Promise<void> {
    if (this.#timer) return;
    const { wires, clock, log, own_periods = false } = this.#options;
    this.#detach();
    // One by one: when a profile turns out to be broken, stop() still takes off those before it.
    this.#bound.forEach(({ connection, binding }, index) => {
      const source = {
        reading: this.#fleet.packs[index].measured,
        isDead: () => this.#dead[index] === 1,
      };
      const transport = transportNameOf(connection);
      const own_clock = own_periods ? clock : undefined;
      this.#devices.push(
        simulatedTransport(transport).attachDevice(
          connection.id,
          binding,
          source,
          wires[transport],
          own_clock,
        ),
      );
    });
    this.#slots = spreadOverSlots(this.#devices, this.#slot_count, own_periods);
    this.#slot = 0;
    this.#due_mono_ms = clock.monoMs();
    log.info({ packs: this.#bound.length, cells: this.#fleet.bank.count }, 'simulating a fleet');
    this.#turn();
  }

  /** Takes every device off its wire. Safe at any moment, also twice. */
  async stop(): Promise<void> {
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#detach();
  }

  /** What is so in a pack: no noise, no converter steps, no stuck sensor. Reused; copy to keep. */
  truth(pack: number): PackReading {
    return this.#packOf(pack).truth;
  }

  /** What a pack's BMS measured and puts on the wire. Reused; copy to keep. */
  measured(pack: number): PackReading {
    return this.#packOf(pack).measured;
  }

  #detach(): void {
    for (const device of this.#devices) device.detach();
    this.#devices = [];
    this.#slots = [];
  }

  #packOf(pack: number): SimulatedPack {
    const index = this.#bound.findIndex(({ binding }) => binding.pack === pack);
    if (index < 0) throw new GatewayError('NOT_FOUND', `pack ${pack} is not simulated`);
    return this.#fleet.packs[index];
  }

  /** One slot of the period: in the first the physics moves on, in each some of the nodes broadcast. */
  #turn(): void {
    const { clock } = this.#options;
    if (this.#slot === 0) this.#advance();
    for (const device of this.#slots[this.#slot]) device.publish();
    this.#slot = (this.#slot + 1) % this.#slot_count;
    const now_ms = clock.monoMs();
    this.#due_mono_ms += this.#period_ms / this.#slot_count;
    // After a long pause of the process the site goes on from now rather than hurrying after.
    if (now_ms - this.#due_mono_ms > this.#period_ms) this.#due_mono_ms = now_ms;
    this.#timer = clock.setTimer(() => this.#turn(), Math.max(0, this.#due_mono_ms - now_ms));
  }

  #advance(): void {
    const { clock, config } = this.#options;
    this.#applyFaults();
    this.#fleet.step((this.#period_ms / 1000) * (config.time_scale ?? 1));
    this.#fleet.measure(clock.wallMs(), clock.monoMs());
  }

  #applyFaults(): void {
    this.#dead.fill(0);
    this.#fleet.clearFaults();
    for (const { kind, index, cell } of this.#faults.activeAt(this.#options.clock.monoMs())) {
      if (kind === 'dead_unit') this.#dead[index] = 1;
      else this.#fleet.setFault(kind, index, cell);
    }
  }

  #makeControl(): SimulationFaults {
    const { clock } = this.#options;
    return {
      faults: () => this.#faults.list(clock.monoMs()),
      addFault: fault => {
        const id = this.#faults.add(fault, clock.monoMs(), 'fault', 'BAD_REQUEST');
        this.#applyFaults();
        return id;
      },
      removeFault: id => {
        const removed = this.#faults.remove(id);
        this.#applyFaults();
        return removed;
      },
    };
  }
}

/** A virtual device shows one pack. */
function refuseSharedPlaces(bound: readonly { connection: ConnectionConfig; binding: PackBinding }[]): void {
  const pack_at = new Map<string, string>();
  for (const { connection, binding } of bound) {
    const place_on_wire = simulatedTransport(transportNameOf(connection)).placeOf?.(binding);
    if (place_on_wire === undefined) continue;
    const place = `${place_on_wire} on ${connection.id}`;
    const other = pack_at.get(place);
    if (other !== undefined)
      throw new GatewayError(
        'CONFIG_INVALID',
        `packs ${other} and ${binding.pack_id}: found both at ${place}, expected one pack for each simulated unit`,
      );
    pack_at.set(place, binding.pack_id);
  }
}

/** A device that reports no single cell has cells all the same. */
function withCells(shape: PackShape): PackShape {
  return shape.cell_count > 0 ? shape : { ...shape, cell_count: UNREPORTED_CELLS };
}

/** Broadcasting devices evenly over the first part of the period, or in every slot; the others at its start. */
function spreadOverSlots(
  devices: readonly VirtualDevice[],
  slot_count: number,
  in_every_slot: boolean,
): VirtualDevice[][] {
  const slots: VirtualDevice[][] = Array.from({ length: slot_count }, () => []);
  const broadcasting = devices.filter(device => device.broadcasts);
  const used = Math.max(1, Math.floor(slot_count * BROADCAST_PART));
  slots[0].push(...devices.filter(device => !device.broadcasts));
  if (in_every_slot) for (const slot of slots) slot.push(...broadcasting);
  else
    broadcasting.forEach((device, k) => {
      slots[Math.floor((k * used) / broadcasting.length)].push(device);
    });
  return slots;
}

function localHour(wall_ms: number): number {
  const at = new Date(wall_ms);
  return at.getHours() + at.getMinutes() / 60 + at.getSeconds() / 3600;
}
