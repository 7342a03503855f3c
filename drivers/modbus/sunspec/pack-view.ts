/** One pack seen in the models of its unit: which blocks it needs, and how they become its PackState. */
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { PackState } from '../../../core/reading/pack-state.ts';
import type { ModelInstance } from './discovery.ts';
import type { ModelBlock } from './model-block.ts';
import { MODEL_HEADER, MODELS, repeatCount } from './models.ts';
import {
  type AlarmBit,
  type CellPoint,
  MODULE_MODEL,
  type NumberPoint,
  type PackMap,
  type PackPoint,
  STRING_MODEL,
} from './pack-map.ts';
import { readNumber, scaled } from './points.ts';

const MODULE = MODELS.get(MODULE_MODEL)!;
const CELL_GROUP = MODULE.repeated!;

interface BlockPoint<P> {
  readonly block: ModelBlock;
  readonly point: P;
}

interface ModuleCells {
  readonly block: ModelBlock;
  readonly first_cell: number;
  readonly count: number;
}

export class PackView {
  /** What the unit lacks or has too much of, in one line; undefined when it fits the configuration. */
  readonly mismatch: string | undefined;
  /** Cells the unit reports beyond the configured ones. */
  readonly extra_cells: number;
  readonly blocks: readonly ModelBlock[];
  readonly #state: PackState;
  readonly #pack: readonly BlockPoint<PackPoint>[];
  readonly #modules: readonly ModuleCells[];
  readonly #cell_points: readonly CellPoint[];
  readonly #alarm: BlockPoint<NumberPoint> | undefined;
  readonly #alarm_bits: readonly AlarmBit[];
  readonly #alarm_levels: Uint8Array;

  /** `blockOf` gives the one block of a model instance, shared by all packs of the unit. */
  constructor(
    map: PackMap,
    state: PackState,
    chain: readonly ModelInstance[],
    blockOf: (instance: ModelInstance) => ModelBlock,
  ) {
    const complaints: string[] = [];
    const missing = new Set<number>();
    const place = <P extends NumberPoint>(point: P): BlockPoint<P>[] => {
      const instance = instanceFor(chain, point.model, map.string);
      if (!instance) missing.add(point.model);
      if (!instance || !holds(instance, point)) return [];
      return [{ block: blockOf(instance), point }];
    };
    this.#state = state;
    this.#pack = map.pack.flatMap(place);
    this.#alarm = map.alarm_point && place(map.alarm_point)[0];
    this.#alarm_bits = map.alarm_bits;
    this.#alarm_levels = new Uint8Array(state.shape.device_alarms.length);
    this.#cell_points = map.cells;
    for (const model of missing) {
      complaints.push(`no model ${model}${model === STRING_MODEL ? ` with Idx ${map.string}` : ''}`);
    }
    const { modules, reported } = placeCells(map, chain, state.shape.cell_count, blockOf);
    this.#modules = modules;
    this.extra_cells = Math.max(0, reported - state.shape.cell_count);
    if (reported !== state.shape.cell_count) {
      complaints.push(`${reported} cells in model 805, ${state.shape.cell_count} configured`);
    }
    this.mismatch = complaints.length > 0 ? complaints.join('; ') : undefined;
    this.blocks = [
      ...new Set([
        ...this.#pack.map(({ block }) => block),
        ...(this.#alarm ? [this.#alarm.block] : []),
        ...modules.map(({ block }) => block),
      ]),
    ];
  }

  /** Forgets cells the unit does not report: they are missing, not old. */
  clearAbsentCells(mono_ms: number): void {
    const last = this.#modules.at(-1);
    const present = last ? last.first_cell + last.count : 0;
    for (const { metric } of this.#cell_points) {
      for (let cell = present; cell < this.#state.shape.cell_count; cell++) {
        this.#state.setCell(metric, cell, Number.NaN, mono_ms);
      }
    }
  }

  /** Writes what stands in the fresh blocks, as of `mono_ms`. */
  commit(mono_ms: number): void {
    for (const { block, point } of this.#pack) {
      if (!block.fresh) continue;
      const value = valueAt(block.registers, point, 0);
      this.#state.setValue(point.metric, point.sign < 0 ? 0 - value : value, mono_ms);
    }
    for (const module of this.#modules) if (module.block.fresh) this.#commitCells(module, mono_ms);
    if (this.#alarm?.block.fresh) this.#commitAlarms(this.#alarm, mono_ms);
  }

  #commitCells({ block, first_cell, count }: ModuleCells, mono_ms: number): void {
    for (const point of this.#cell_points) {
      for (let i = 0; i < count; i++) {
        const value = valueAt(block.registers, point, MODULE.fixed.size + i * CELL_GROUP.size);
        const shown = point.bit === undefined || Number.isNaN(value) ? value : (value >>> point.bit) & 1;
        this.#state.setCell(point.metric, first_cell + i, shown, mono_ms);
      }
    }
  }

  #commitAlarms({ block, point }: BlockPoint<NumberPoint>, mono_ms: number): void {
    const bits = readNumber(block.registers, point.offset, point.type);
    const levels = this.#alarm_levels.fill(
      Number.isNaN(bits) ? DeviceAlarmLevel.unknown : DeviceAlarmLevel.none,
    );
    if (!Number.isNaN(bits)) {
      for (const { bit, alarm, level } of this.#alarm_bits) {
        if ((bits >>> bit) & 1) levels[alarm] = Math.max(levels[alarm], level);
      }
    }
    for (let alarm = 0; alarm < levels.length; alarm++) {
      this.#state.setDeviceAlarm(alarm, levels[alarm], mono_ms);
    }
  }
}

function valueAt(registers: Uint16Array, point: NumberPoint, base: number): number {
  const raw = readNumber(registers, base + point.offset, point.type);
  if (point.scale_offset === undefined) return raw;
  return scaled(raw, readNumber(registers, point.scale_offset, 'sf'));
}

function instanceFor(
  chain: readonly ModelInstance[],
  model: number,
  string: number,
): ModelInstance | undefined {
  return chain.find(({ id, head }) => id === model && (id !== STRING_MODEL || head[2] === string));
}

/** Older or shortened models may end before a point or its scale factor. */
function holds(instance: ModelInstance, point: NumberPoint): boolean {
  const last = Math.max(point.offset + point.size - 1, point.scale_offset ?? 0);
  return last < MODEL_HEADER + instance.length;
}

function placeCells(
  map: PackMap,
  chain: readonly ModelInstance[],
  cell_count: number,
  blockOf: (instance: ModelInstance) => ModelBlock,
): { modules: ModuleCells[]; reported: number } {
  const instances = chain
    .filter(({ id, head }) => id === MODULE_MODEL && (map.string === 0 || head[2] === map.string))
    .sort((a, b) => a.head[2] - b.head[2] || a.head[3] - b.head[3]);
  const modules: ModuleCells[] = [];
  let reported = 0;
  for (const instance of instances) {
    const count = repeatCount(MODULE, instance.length);
    const wanted = Math.min(count, cell_count - reported);
    if (wanted > 0) modules.push({ block: blockOf(instance), first_cell: reported, count: wanted });
    reported += count;
  }
  return { modules, reported };
}
