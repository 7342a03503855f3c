/**
 * A profile's `registers` section worked out for one pack: which words of which block carry what. The driver
 * reads values through it, the image of a simulated unit is written through it.
 */

import { GatewayError } from '../../../core/errors.ts';
import { CELL_METRICS, PACK_METRICS } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import { holds, type OptionIs } from '../../profiles/option-is.ts';
import type { Profile } from '../../profiles/profile.ts';
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
  /** Asked for from end to end, whatever is wanted of it. */
  readonly whole: boolean;
  /** Element whose number says that the reply is no reading. */
  readonly no_reading: { readonly at: number; readonly is: number } | undefined;
}

/** A number at a place of a block. */
export interface Field {
  /** Index in the map's blocks. */
  readonly block: number;
  /** Element of the block. */
  readonly at: number;
  readonly type: RawType;
  readonly order: ByteOrder;
  /** The number is this bit and those above it, `width` together; -1: all of it. */
  readonly bit: number;
  readonly width: number;
}

/** A field with its meaning: value = (raw + add) * multiplier / divisor * 10^(scale register). */
export interface ValueField extends Field {
  readonly add: number;
  readonly multiplier: number;
  readonly divisor: number;
  /** Element of the same block with the decimal exponent; -1: none. */
  readonly scale_at: number;
  readonly absent: readonly number[];
  /** Element of the same block with the direction of a number without sign. */
  readonly direction:
    | { readonly at: number; readonly negative: number; readonly otherwise: number }
    | undefined;
}

export interface PackField extends ValueField {
  readonly metric: number;
}

/** A pack metric that is one of the others divided by another. */
export interface DerivedField {
  readonly metric: number;
  readonly dividend: PackField;
  readonly divisor: PackField;
  readonly scale: number;
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
  /** The count is the product of both. */
  readonly present_times: Field | undefined;
}

export interface AlarmField extends Field {
  /** Index in the pack's device_alarms. */
  readonly alarm: number;
  readonly level: number;
  /** The bit, or number, of a raised alarm. */
  readonly active: number;
  /** What stands there while there is none. */
  readonly rest: number;
  /** Numbers by which the device does not have this alarm. */
  readonly absent: readonly number[];
}

export interface RegisterMap {
  readonly section: RegistersSection;
  readonly blocks: readonly MapBlock[];
  readonly pack: readonly PackField[];
  readonly derived: readonly DerivedField[];
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
  return new MapBuilder(section, profile.options ?? {}, options).build(
    shape.cell_count,
    shape.sensor_count,
    shape.device_alarms,
  );
}

type Options = PackBinding['options'];

class MapBuilder {
  readonly #section: RegistersSection;
  readonly #options: Options;
  readonly #blocks: readonly MapBlock[];

  constructor(section: RegistersSection, known: NonNullable<Profile['options']>, options: Options) {
    this.#section = section;
    this.#options = options;
    this.#blocks = blocksOf(section, known, options);
  }

  build(cell_count: number, sensor_count: number, device_alarms: readonly string[]): RegisterMap {
    const { pack: sources, cells, sensors = [], alarms = [] } = this.#section;
    const pack = Object.entries(sources).flatMap(([name, of]) => this.#packField(name, of));
    return {
      section: this.#section,
      blocks: this.#blocks,
      pack,
      derived: this.#derived(pack),
      cells: Object.entries(cells ?? {}).flatMap(([name, rows]) => {
        const metric = CELL_METRICS.findIndex(known => known.name === name);
        return this.#rows(rowsOf(rows), cell_count, metric);
      }),
      sensors: this.#rows(sensors, sensor_count, 0).filter(({ fields }) => fields.length > 0),
      alarms: alarms.flatMap(source =>
        this.#holds(source.use_when) ? this.#alarmFields(source, device_alarms) : [],
      ),
    };
  }

  #packField(name: string, sources: PackSource | readonly PackSource[]): PackField[] {
    const metric = PACK_METRICS.findIndex(known => known.name === name);
    const source = packSources(sources).find(({ use_when }) => this.#holds(use_when));
    return source ? [{ ...this.#value(source, source, partOf(source)), metric }] : [];
  }

  #derived(pack: readonly PackField[]): DerivedField[] {
    return Object.entries(this.#section.derived ?? {}).flatMap(([name, { ratio, scale = 1 }]) => {
      const [dividend, divisor] = ratio.map(of =>
        pack.find(({ metric }) => PACK_METRICS[metric].name === of),
      );
      const metric = PACK_METRICS.findIndex(known => known.name === name);
      const is_free = !pack.some(field => field.metric === metric);
      return dividend && divisor && is_free ? [{ metric, dividend, divisor, scale }] : [];
    });
  }

  /** Numbered through. */
  #rows(rows: readonly Row[], wanted: number, metric: number): FieldRow[] {
    let first = 0;
    return rows.flatMap(row => {
      if (!this.#holds(row.use_when)) return [];
      const placed = this.#row(row, first, wanted, metric);
      first += row.count;
      return [placed];
    });
  }

  #row(row: Row, first: number, wanted: number, metric: number): FieldRow {
    const count = Math.max(0, Math.min(row.count, wanted - first));
    const fields = Array.from({ length: count }, (_, i) => {
      const { at, bit, type } = placeInRow(row, this.#stepOf(row.block), i);
      return this.#value({ ...row, type, at }, row, bit === undefined ? undefined : [bit, 1]);
    });
    return {
      first,
      metric,
      fields,
      present_bits: row.present_bits && this.#field(row.present_bits),
      first_bit: row.present_bits?.first_bit ?? 0,
      present_count: row.present_count && this.#field(row.present_count),
      present_times: row.present_count?.times && this.#field(row.present_count.times),
    };
  }

  #alarmFields(source: AlarmSource, device_alarms: readonly string[]): AlarmField[] {
    const coils = isCoilBlock(this.#section, source.block);
    const { active = 1, rest = 0, absent = [], code = '', levels = {} } = source;
    const by_number = Object.entries(levels).map(([number, level]) => ({
      ...this.#field(source),
      alarm: device_alarms.indexOf(code),
      level: DeviceAlarmLevel[level],
      active: Number(number),
      rest,
      absent,
    }));
    const by_bit = Object.entries(source.bits ?? {}).map(([key, target]) => {
      const { code, level } =
        typeof target === 'string' ? ({ code: target, level: 'alarm' } as const) : target;
      const place = coils ? { ...source, at: source.at + Number(key) } : source;
      return {
        ...this.#field(place, coils ? undefined : [Number(key), 1]),
        alarm: device_alarms.indexOf(code),
        level: DeviceAlarmLevel[level],
        active,
        rest: 1 - active,
        absent: [],
      };
    });
    return [...by_number, ...by_bit];
  }

  #value(place: Reference, scaling: PackSource | Row, bits: Bits | undefined): ValueField {
    const { scale = 1, scale_at, absent = [], negate_when } = scaling;
    const field = this.#field(place, bits);
    const { step } = this.#blocks[field.block];
    const { first } = this.#section.blocks[place.block];
    const invert = 'invert' in scaling && scaling.invert === true;
    const negative = 'negative_when' in scaling ? scaling.negative_when : undefined;
    const is_turned = (scaling.negate ?? false) !== (negate_when !== undefined && this.#holds(negate_when));
    const sign = invert || is_turned ? -1 : 1;
    // Dividing by a whole number gives the decimal nearest to what the device means: 3.287 from 3287.
    const divisor = Math.round(1 / scale);
    const exact = divisor > 1 && Math.abs(1 / divisor - scale) < scale * 1e-12;
    return {
      ...field,
      // Of one bit: 0 becomes 1, 1 becomes 0.
      add: invert ? -1 : (scaling.add ?? 0),
      multiplier: exact ? sign : sign * scale,
      divisor: exact ? divisor : 1,
      scale_at: scale_at === undefined ? -1 : (scale_at - first) / step,
      absent,
      direction: negative && {
        at: (negative.at - first) / step,
        negative: negative.is,
        otherwise: negative.otherwise,
      },
    };
  }

  #field({ block, at, type, order }: Reference, [bit, width]: Bits = [-1, 1]): Field {
    const index = this.#blocks.findIndex(({ name }) => name === block);
    const { step } = this.#blocks[index];
    const { first } = this.#section.blocks[block];
    return {
      block: index,
      at: (at - first) / step,
      type: isCoilBlock(this.#section, block) ? 'coil' : (type ?? 'u16'),
      order: order ?? this.#section.order ?? 'ABCD',
      bit,
      width,
    };
  }

  #stepOf(block: string): number {
    return this.#blocks.find(({ name }) => name === block)!.step;
  }

  #holds(condition: OptionIs | undefined): boolean {
    return condition === undefined || holds(condition, this.#options);
  }
}

type Bits = readonly [first: number, count: number];

function partOf({ bit, bits }: PackSource): Bits | undefined {
  return bits ?? (bit === undefined ? undefined : [bit, 1]);
}

export function rowsOf(rows: Row | readonly Row[]): readonly Row[] {
  return Array.isArray(rows) ? rows : [rows as Row];
}

export function packSources(sources: PackSource | readonly PackSource[]): readonly PackSource[] {
  return Array.isArray(sources) ? sources : [sources as PackSource];
}

export function isCoilBlock(section: RegistersSection, block: string): boolean {
  return (section.blocks[block]?.code ?? 3) <= 2;
}

/** Map address and type (and bit, in a row of bits) of the i-th number of a row. */
export function placeInRow(
  row: Row,
  step: number,
  i: number,
): { at: number; bit: number | undefined; type: Reference['type'] } {
  const { type, groups } = row;
  const group = groups ? Math.floor(i / groups.of) : 0;
  const first = row.at + group * (groups?.stride ?? 0);
  const place = i - group * (groups?.of ?? 0);
  if (type === 'bits') return { at: first + (place >> 4) * step, bit: place & 15, type: 'u16' };
  if (type === 'u8' || type === 's8') {
    const half = (place & 1) === 0 ? 'high' : 'low';
    return { at: first + (place >> 1) * step, bit: undefined, type: `${type}_${half}` };
  }
  const stride = row.stride ?? step * sizeOf(type ?? 'u16');
  return { at: first + place * stride, bit: undefined, type };
}

function blocksOf(
  section: RegistersSection,
  known: NonNullable<Profile['options']>,
  options: Options,
): MapBlock[] {
  return Object.entries(section.blocks).map(([name, block]) => {
    const { code, first, last, every = 1, stale_ms, whole = false, plus, no_reading_when } = block;
    const step = code <= 2 ? 1 : (section.address_step ?? 1);
    const length = Math.floor((last - first) / step) + 1;
    const place = plus ? (known[plus.option]?.values.indexOf(options[plus.option] as string) ?? 0) : 0;
    return {
      name,
      code: code as MapBlock['code'],
      first: first + (plus ? Math.max(0, place) * plus.each : 0),
      step,
      length,
      every,
      stale_ms,
      whole,
      no_reading: no_reading_when && { at: (no_reading_when.at - first) / step, is: no_reading_when.is },
    };
  });
}
