/** The virtual site: every simulated pack, grouped into batteries whose packs carry their load together. */
import type { PackShape } from '../core/reading/pack-reading.ts';
import { DriveLoad } from './load/drive.ts';
import type { Load } from './load/load.ts';
import { SolarLoad } from './load/solar.ts';
import { CellBank, MAX_STEP_S } from './physics/cell-bank.ts';
import { CHEMISTRIES, type SimulatedChemistry } from './physics/chemistry.ts';
import { SimulatedPack } from './physics/pack.ts';
import { Random } from './random.ts';

/** What the fleet must know of one pack. */
export interface PackPlan {
  readonly pack: number;
  readonly shape: PackShape;
  readonly battery: number;
  readonly chemistry: SimulatedChemistry;
  readonly sensor_of_cell: readonly number[] | undefined;
}

export interface FleetOptions {
  readonly seed: number;
  readonly load: 'solar' | 'drive';
  /** Local time of day at the start, 0..24. */
  readonly start_hour: number;
  readonly capacity_ah: number;
}

interface Battery {
  readonly packs: SimulatedPack[];
  /** Mean room temperature at each pack: the top of a rack is warmer. */
  readonly room_c: number[];
  readonly load: Load;
  readonly conductance: Float64Array;
}

/** A weak cell's resistance and capacity, times those of a sound one. */
const WEAK_RESISTANCE = 15;
const WEAK_CAPACITY = 0.7;

const FLEET_STREAM = 0;
const LOAD_STREAM = 1_000_000;
const PACK_STREAM = 2_000_000;

export class Fleet {
  readonly bank: CellBank;
  readonly packs: readonly SimulatedPack[];
  readonly #batteries: readonly Battery[];
  #hour: number;

  constructor(plans: readonly PackPlan[], options: FleetOptions) {
    this.#hour = options.start_hour;
    this.bank = new CellBank(plans.reduce((sum, plan) => sum + plan.shape.cell_count, 0));
    const random = new Random(options.seed, FLEET_STREAM);
    const batteries = new Map<number, Battery>();
    const soc_order = shuffled(plans.length, random);
    let first = 0;
    this.packs = plans.map((plan, k) => {
      const battery = batteries.get(plan.battery) ?? newBattery(plan.battery, options);
      batteries.set(plan.battery, battery);
      const chemistry = CHEMISTRIES[plan.chemistry];
      const soc = 0.32 + (0.56 * (soc_order[k] + random.next())) / plans.length;
      const room_c = random.between(18, 27);
      const cells = plan.shape.cell_count;
      const ambient_c = this.#ambient(room_c);
      this.bank.build(first, cells, chemistry, options.capacity_ah, soc, ambient_c, random);
      const pack = new SimulatedPack(this.bank, {
        pack: plan.pack,
        shape: plan.shape,
        first,
        chemistry,
        capacity_ah: options.capacity_ah,
        sensor_of_cell: plan.sensor_of_cell,
        random: new Random(options.seed, PACK_STREAM + k),
      });
      first += cells;
      battery.packs.push(pack);
      battery.room_c.push(room_c);
      return pack;
    });
    this.#batteries = [...batteries.values()].map(battery => ({
      ...battery,
      conductance: new Float64Array(battery.packs.length),
    }));
    this.measure(0, 0);
  }

  /** Moves everything on by `dt_s` of simulated time, in steps short enough to stay stable. */
  step(dt_s: number): void {
    const steps = Math.max(1, Math.ceil(dt_s / MAX_STEP_S));
    for (let k = 0; k < steps; k++) {
      this.#hour = (this.#hour + dt_s / steps / 3600) % 24;
      for (const battery of this.#batteries) this.#stepBattery(battery, dt_s / steps);
    }
  }

  clearFaults(): void {
    this.bank.resistance_factor.fill(1);
    this.bank.capacity_factor.fill(1);
    this.bank.hot.fill(0);
    for (const pack of this.packs) pack.unfreeze();
  }

  /** Puts a fault on one cell (counting from 0) of the pack at `index`. */
  setFault(kind: 'weak_cell' | 'overheating' | 'stuck_sensor', index: number, cell: number): void {
    const pack = this.packs[index];
    const c = pack.first + cell;
    if (kind === 'stuck_sensor') pack.freeze(cell);
    else if (kind === 'overheating') this.bank.hot[c] = 1;
    else {
      this.bank.resistance_factor[c] = WEAK_RESISTANCE;
      this.bank.capacity_factor[c] = WEAK_CAPACITY;
    }
  }

  measure(t_ms: number, mono_ms: number): void {
    for (const pack of this.packs) pack.measure(t_ms, mono_ms);
  }

  /**
   * The battery's current is split by conductance over the packs whose contactor is closed; what a pack's
   * limits refuse is not carried by the others. No currents flow between packs: as behind one converter
   * a pack, which is why packs of one battery may differ in charge.
   */
  #stepBattery(battery: Battery, dt_s: number): void {
    const { packs, conductance, load, room_c } = battery;
    let sum_conductance = 0;
    let sum_ah = 0;
    let sum_soc = 0;
    for (let k = 0; k < packs.length; k++) {
      const pack = packs[k];
      pack.updateLimits(dt_s);
      conductance[k] = pack.contactor_closed ? 1 / pack.resistanceOhm() : 0;
      sum_conductance += conductance[k];
      sum_ah += pack.capacity_ah;
      sum_soc += pack.soc_estimate;
    }
    const wanted_a = load.next(dt_s, sum_soc / packs.length) * sum_ah;
    for (let k = 0; k < packs.length; k++) {
      const share = sum_conductance > 0 ? conductance[k] / sum_conductance : 0;
      packs[k].step(wanted_a * share, dt_s, this.#ambient(room_c[k]));
    }
  }

  /** Room temperature through the day, warmest in the afternoon. */
  #ambient(room_c: number): number {
    return room_c + 2.5 * Math.sin((2 * Math.PI * (this.#hour - 9)) / 24);
  }
}

function newBattery(battery: number, options: FleetOptions): Battery {
  const random = new Random(options.seed, LOAD_STREAM + battery);
  const load = options.load === 'drive' ? new DriveLoad(random) : new SolarLoad(options.start_hour, random);
  return { packs: [], room_c: [], load, conductance: new Float64Array(0) };
}

/** 0..count-1 in random order: spreads the packs evenly over the range of charge. */
function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.between(0, i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
