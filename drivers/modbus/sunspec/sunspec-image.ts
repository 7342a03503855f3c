/**
 * A unit's register map that shows a PackReading: the inverse of a profile's `sunspec` section, for
 * virtual units. Models 1, 802, 803, 804 and one 805 that holds all cells.
 */
import { DeviceAlarmLevel, type PackReading } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import type { UnitImage } from '../register-image.ts';
import { RegisterImage } from '../register-image.ts';
import { MODEL_HEADER, MODELS, type Model } from './models.ts';
import { MODULE_MODEL, type NumberPoint, type PackMap, packMap } from './pack-map.ts';
import { largestOf, type NumberType, scaled, writeNumber, writeText } from './points.ts';

const BASE_ADDRESS = 40_000;
/** Finest step of the points that share a scale factor; coarser when a value would not fit. */
const FINEST_EXPONENT: Readonly<Record<string, number>> = {
  V_SF: -2,
  A_SF: -2,
  AMax_SF: -1,
  SoC_SF: -2,
  SoH_SF: -1,
  CellV_SF: -4,
  ModTmp_SF: -1,
  Tmp_SF: -1,
};

export function createSunSpecImage(binding: PackBinding): UnitImage {
  const map = packMap(binding);
  const { cell_count } = binding.shape;
  const models = new Map<number, Uint16Array>([
    [1, blankModel(1, 0)],
    [802, blankModel(802, 0)],
    [803, blankModel(803, 1)],
    [804, blankModel(804, 1)],
    [MODULE_MODEL, blankModel(MODULE_MODEL, cell_count)],
  ]);
  describeUnit(models, binding, map);
  const registers = joinChain([...models.values()]);
  let at = 2;
  const windows = new Map<number, Uint16Array>();
  for (const [id, { length }] of models) {
    windows.set(id, registers.subarray(at, at + length));
    at += length;
  }
  const writer = new ReadingWriter(map, windows);
  return {
    image: new RegisterImage({ address: BASE_ADDRESS, registers }),
    write: reading => writer.write(reading),
  };
}

/** A model in which nothing is implemented but ID and L. */
function blankModel(id: number, repeats: number): Uint16Array {
  const { fixed, repeated } = MODELS.get(id)!;
  const registers = new Uint16Array(fixed.size + repeats * (repeated?.size ?? 0));
  for (let i = -1; i < repeats; i++) {
    const group = i < 0 ? fixed : repeated!;
    const base = i < 0 ? 0 : fixed.size + i * group.size;
    for (const { offset, type } of group.points.values()) {
      if (type !== 'string') writeNumber(registers, base + offset, type, Number.NaN);
    }
  }
  registers[0] = id;
  registers[1] = registers.length - MODEL_HEADER;
  return registers;
}

function joinChain(models: readonly Uint16Array[]): Uint16Array {
  const length = models.reduce((sum, model) => sum + model.length, 0);
  const chain = new Uint16Array(2 + length + 2);
  chain.set([0x5375, 0x6e53]);
  let at = 2;
  for (const model of models) {
    chain.set(model, at);
    at += model.length;
  }
  chain.set([0xffff, 0], at);
  return chain;
}

/** What does not change with readings: names, counts and indices. */
function describeUnit(models: Map<number, Uint16Array>, binding: PackBinding, map: PackMap): void {
  const { cell_count } = binding.shape;
  const string = map.string || 1;
  const put = (model: number, values: Record<string, number>) => {
    const { points } = MODELS.get(model)!.fixed;
    for (const [name, value] of Object.entries(values)) {
      const { offset, type } = points.get(name)!;
      writeNumber(models.get(model)!, offset, type as NumberType, value);
    }
  };
  const name = (point: string, text: string) => {
    const { offset, size } = MODELS.get(1)!.fixed.points.get(point)!;
    writeText(models.get(1)!, offset, size, text);
  };
  name('Mn', 'Simulated');
  name('Md', binding.profile.id);
  name('SN', binding.pack_id);
  put(1, { DA: binding.address ?? 1 });
  put(802, { Typ: 4, State: 3, LocRemCtl: 0, AlmRst: 0 });
  put(803, { NStr: 1, NStrCon: 1 });
  put(804, { Idx: string, NMod: 1, St: 3 });
  put(MODULE_MODEL, { StrIdx: string, ModIdx: 0, NCell: cell_count });
  const { fixed, repeated } = MODELS.get(803)!;
  const { offset, type } = repeated!.points.get('StrNMod')!;
  writeNumber(models.get(803)!, fixed.size + offset, type as NumberType, 1);
}

/** Raw numbers of one model that share a scale factor. */
interface ScaleGroup {
  readonly registers: Uint16Array;
  readonly scale_offset: number;
  readonly finest: number;
  readonly pack: PackMap['pack'];
  readonly cells: PackMap['cells'];
}

class ReadingWriter {
  readonly #map: PackMap;
  readonly #models: ReadonlyMap<number, Uint16Array>;
  readonly #groups: readonly ScaleGroup[];
  /** Alarm bits that are the only one of their alarm, whatever its level. */
  readonly #lonely_bits: ReadonlySet<number>;

  constructor(map: PackMap, models: ReadonlyMap<number, Uint16Array>) {
    this.#map = map;
    this.#models = models;
    const groups = new Map<string, ScaleGroup>();
    for (const { model, scale_offset } of [...map.pack, ...map.cells]) {
      if (scale_offset === undefined) continue;
      const finest = FINEST_EXPONENT[scaleName(MODELS.get(model)!, scale_offset)] ?? 0;
      const isOf = (point: NumberPoint) => point.scale_offset === scale_offset && point.model === model;
      const points = { pack: map.pack.filter(isOf), cells: map.cells.filter(isOf) };
      groups.set(`${model}.${scale_offset}`, {
        registers: models.get(model)!,
        scale_offset,
        finest,
        ...points,
      });
    }
    this.#groups = [...groups.values()];
    const { alarm_bits } = map;
    this.#lonely_bits = new Set(
      alarm_bits
        .filter(({ bit, alarm }) => alarm_bits.every(other => other.alarm !== alarm || other.bit === bit))
        .map(({ bit }) => bit),
    );
  }

  write(reading: PackReading): void {
    for (const group of this.#groups) this.#chooseScale(group, reading);
    for (const point of this.#map.pack) {
      const registers = this.#models.get(point.model)!;
      writeScaled(registers, point, 0, point.sign * reading.values[point.metric]);
    }
    this.#writeCells(reading);
    this.#writeAlarms(reading);
  }

  #chooseScale(group: ScaleGroup, reading: PackReading): void {
    let exponent = group.finest;
    for (const point of group.pack) exponent = coarsen(exponent, point.type, reading.values[point.metric]);
    for (const point of group.cells) {
      for (const value of reading.column(point.metric)) exponent = coarsen(exponent, point.type, value);
    }
    writeNumber(group.registers, group.scale_offset, 'sf', exponent);
  }

  #writeCells(reading: PackReading): void {
    const { fixed, repeated } = MODELS.get(MODULE_MODEL)!;
    const registers = this.#models.get(MODULE_MODEL)!;
    for (const point of this.#map.cells) {
      const column = reading.column(point.metric);
      for (let cell = 0; cell < column.length; cell++) {
        const value = point.bit === undefined ? column[cell] : column[cell] * 2 ** point.bit;
        writeScaled(registers, point, fixed.size + cell * repeated!.size, value);
      }
    }
  }

  #writeAlarms(reading: PackReading): void {
    const { alarm_point, alarm_bits } = this.#map;
    if (!alarm_point) return;
    const levels = reading.device_alarm_level;
    const known = levels.length === 0 || levels.some(level => level !== DeviceAlarmLevel.unknown);
    let bits = 0;
    for (const { bit, alarm, level } of alarm_bits) {
      const raised = levels[alarm] === DeviceAlarmLevel.warning || levels[alarm] === DeviceAlarmLevel.alarm;
      if (levels[alarm] === level || (raised && this.#lonely_bits.has(bit))) bits += 2 ** bit;
    }
    const registers = this.#models.get(alarm_point.model)!;
    writeNumber(registers, alarm_point.offset, alarm_point.type, known ? bits : Number.NaN);
  }
}

function scaleName(model: Model, scale_offset: number): string {
  return [...model.fixed.points.values()].find(({ offset }) => offset === scale_offset)!.name;
}

/** The finest exponent, not finer than `exponent`, at which the value fits its register. */
function coarsen(exponent: number, type: NumberType, value: number): number {
  let fitting = exponent;
  while (fitting < 10 && Math.round(scaled(Math.abs(value), -fitting)) > largestOf(type)) fitting++;
  return fitting;
}

function writeScaled(registers: Uint16Array, point: NumberPoint, base: number, value: number): void {
  const exponent = point.scale_offset === undefined ? 0 : (registers[point.scale_offset] << 16) >> 16;
  writeNumber(registers, base + point.offset, point.type, Math.round(scaled(value, -exponent)));
}
