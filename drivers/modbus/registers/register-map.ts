/**
 * A profile's `registers` section worked out for one pack: which words of which block carry what. The driver
 * reads values through it, the image of a simulated unit is written through it.
 */

import { GatewayError } from '../../../core/errors.ts';
import { CELL_METRICS, PACK_METRICS } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import { holds, type OptionIs } from '../../profiles/option-is.ts';
import { type ByteOrder, type RawType, sizeOf } from './raw-number.ts';
import type { AlarmSource, PackSource, Reference, RegistersSection, Row } from './registers-section.ts';

export interface MapBlock {
  readonly name: string;
  readonly code: 1 | 2 | 3 | 4;
  /** Map address of element 0; element i stands at `first + i * step`. */
  readonly first: number;
  readonly step: number;
  /** Registers or coils. */
  readonly length: number;
  readonly every: number;
  readonly stale_ms: number | undefined;
}

/** A number at a place of a block. */
export interface Field {
  /** Index in the map's blocks. */
  readonly block: number;
  /** Element of the block. */
  readonly at: number;
  readonly type: RawType;
  readonly order: ByteOrder;
  /** The number is this bit; -1: all of it. */
  readonly bit: number;
}

/** A field with its meaning: value = (raw + add) * multiplier / divisor * 10^(scale register). */
export interface ValueField extends Field {
  readonly add: number;
  readonly multiplier: number;
  readonly divisor: number;
  /** Element of the same block with the decimal exponent; -1: none. */
  readonly scale_at: number;
  readonly absent: readonly number[];
}

export interface PackField extends ValueField {
  readonly metric: number;
}

export interface FieldRow {
  /** Cell or sensor of the first field. */
  readonly first: number;
  /** CellMetric; unused for sensors. */
  readonly metric: number;
  readonly fields: readonly ValueField[];
  readonly present_bits: Field | undefined;
  readonly first_bit: number;
  readonly present_count: Field | undefined;
}

export interface AlarmField extends Field {
  /** Index in the pack's device_alarms. */
  readonly alarm: number;
  readonly level: number;
  /** The bit of a raised alarm. */
  readonly active: number;
}

export interface RegisterMap {
  readonly section: RegistersSection;
  readonly blocks: readonly MapBlock[];
  readonly pack: readonly PackField[];
  readonly cells: readonly FieldRow[];
  readonly sensors: readonly FieldRow[];
  readonly alarms: readonly AlarmField[];
}

/** Throws GatewayError PROFILE_INVALID where the profile has no such section. */
export function registerMap(binding: PackBinding): RegisterMap {
  const { profile, options, shape } = binding;
  const section = profile.registers;
  if (!section) {
    const what = 'has no section `registers`, which a pack on a Modbus link needs';
    throw new GatewayError('PROFILE_INVALID', `profile ${profile.id}: ${what}`);
  }
  return new MapBuilder(section, options).build(shape.cell_count, shape.sensor_count, shape.device_alarms);
}

type Options = PackBinding['options'];

class MapBuilder {
  readonly #section: RegistersSection;
  readonly #options: Options;
  readonly #blocks: readonly MapBlock[];

  constructor(section: RegistersSection, options: Options) {
    this.#section = section;
    this.#options = options;
    this.#blocks = blocksOf(section);
  }

  build(cell_count: number, sensor_count: number, device_alarms: readonly string[]): RegisterMap {
    const { pack, cells, sensors = [], alarms = [] } = this.#section;
    return {
      section: this.#section,
      blocks: this.#blocks,
      pack: Object.entries(pack).flatMap(([name, sources]) => this.#packField(name, sources)),
      cells: Object.entries(cells ?? {}).flatMap(([name, row]) =>
        this.#holds(row.use_when)
          ? [
              this.#row(
                row,
                0,
                cell_count,
                CELL_METRICS.findIndex(known => known.name === name),
              ),
            ]
          : [],
      ),
      sensors: this.#sensorRows(sensors, sensor_count),
      alarms: alarms.flatMap(source =>
        this.#holds(source.use_when) ? this.#alarmFields(source, device_alarms) : [],
      ),
    };
  }

  #packField(name: string, sources: PackSource | readonly PackSource[]): PackField[] {
    const metric = PACK_METRICS.findIndex(known => known.name === name);
    const source = packSources(sources).find(({ use_when }) => this.#holds(use_when));
    return source ? [{ ...this.#value(source, source, source.bit), metric }] : [];
  }

  #sensorRows(rows: readonly Row[], sensor_count: number): FieldRow[] {
    let first = 0;
    return rows.flatMap(row => {
      if (!this.#holds(row.use_when)) return [];
      const placed = this.#row(row, first, sensor_count, 0);
      first += row.count;
      return placed.fields.length > 0 ? [placed] : [];
    });
  }

  #row(row: Row, first: number, wanted: number, metric: number): FieldRow {
    const count = Math.max(0, Math.min(row.count, wanted - first));
    const fields = Array.from({ length: count }, (_, i) => {
      const { at, bit } = placeInRow(row, this.#stepOf(row.block), i);
      return this.#value({ ...row, type: row.type === 'bits' ? 'u16' : row.type, at }, row, bit);
    });
    return {
      first,
      metric,
      fields,
      present_bits: row.present_bits && this.#field(row.present_bits),
      first_bit: row.present_bits?.first_bit ?? 0,
      present_count: row.present_count && this.#field(row.present_count),
    };
  }

  #alarmFields(source: AlarmSource, device_alarms: readonly string[]): AlarmField[] {
    const coils = isCoilBlock(this.#section, source.block);
    return Object.entries(source.bits).map(([key, target]) => {
      const { code, level } =
        typeof target === 'string' ? ({ code: target, level: 'alarm' } as const) : target;
      const place = coils ? { ...source, at: source.at + Number(key) } : source;
      return {
        ...this.#field(place, coils ? undefined : Number(key)),
        alarm: device_alarms.indexOf(code),
        level: DeviceAlarmLevel[level],
        active: source.active ?? 1,
      };
    });
  }

  #value(place: Reference, scaling: PackSource | Row, bit: number | undefined): ValueField {
    const { scale = 1, add = 0, scale_at, absent = [], negate_when } = scaling;
    const field = this.#field(place, bit);
    const { first, step } = this.#blocks[field.block];
    const sign = negate_when && this.#holds(negate_when) ? -1 : 1;
    // Dividing by a whole number gives the decimal nearest to what the device means: 3.287 from 3287.
    const divisor = Math.round(1 / scale);
    const exact = divisor > 1 && Math.abs(1 / divisor - scale) < scale * 1e-12;
    return {
      ...field,
      add,
      multiplier: exact ? sign : sign * scale,
      divisor: exact ? divisor : 1,
      scale_at: scale_at === undefined ? -1 : (scale_at - first) / step,
      absent,
    };
  }

  #field({ block, at, type, order }: Reference, bit = -1): Field {
    const index = this.#blocks.findIndex(({ name }) => name === block);
    const { first, step } = this.#blocks[index];
    return {
      block: index,
      at: (at - first) / step,
      type: isCoilBlock(this.#section, block) ? 'coil' : (type ?? 'u16'),
      order: order ?? this.#section.order ?? 'ABCD',
      bit,
    };
  }

  #stepOf(block: string): number {
    return this.#blocks.find(({ name }) => name === block)!.step;
  }

  #holds(condition: OptionIs | undefined): boolean {
    return condition === undefined || holds(condition, this.#options);
  }
}

export function packSources(sources: PackSource | readonly PackSource[]): readonly PackSource[] {
  return Array.isArray(sources) ? sources : [sources as PackSource];
}

export function isCoilBlock(section: RegistersSection, block: string): boolean {
  return (section.blocks[block]?.code ?? 3) <= 2;
}

/** Map address (and bit, in a row of bits) of the i-th number of a row. */
export function placeInRow(row: Row, step: number, i: number): { at: number; bit: number | undefined } {
  if (row.type === 'bits') return { at: row.at + (i >> 4) * step, bit: i & 15 };
  const stride = row.stride ?? step * sizeOf(row.type ?? 'u16');
  return { at: row.at + i * stride, bit: undefined };
}

function blocksOf(section: RegistersSection): MapBlock[] {
  return Object.entries(section.blocks).map(([name, { code, first, last, every = 1, stale_ms }]) => {
    const step = code <= 2 ? 1 : (section.address_step ?? 1);
    const length = Math.floor((last - first) / step) + 1;
    return { name, code: code as MapBlock['code'], first, step, length, every, stale_ms };
  });
}
