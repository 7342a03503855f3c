/**
 * What a profile's `sunspec` section means for one pack, resolved against the model tables: the driver
 * reads values through it, the image of a simulated unit is written through it.
 */

import { GatewayError } from '../../../core/errors.ts';
import { CELL_METRICS, PACK_METRICS } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import { holds, type OptionIs } from '../../profiles/option-is.ts';
import { MODELS } from './models.ts';
import type { NumberType, Point, PointGroup } from './points.ts';
import type { SunSpecSection } from './sunspec-section.ts';

export const BANK_MODEL = 802;
export const STRING_MODEL = 804;
export const MODULE_MODEL = 805;

/** A number at a place of a model, and where its decimal exponent stands (always in the fixed part). */
export interface NumberPoint {
  readonly model: number;
  readonly offset: number;
  readonly size: number;
  readonly type: NumberType;
  readonly scale_offset: number | undefined;
}

export interface PackPoint extends NumberPoint {
  /** Index of the PackMetric. */
  readonly metric: number;
  readonly sign: 1 | -1;
}

export interface CellPoint extends NumberPoint {
  /** Index of the CellMetric. */
  readonly metric: number;
  /** The value is this bit of the point. */
  readonly bit: number | undefined;
}

export interface AlarmBit {
  readonly bit: number;
  /** Index in the pack's `device_alarms`. */
  readonly alarm: number;
  readonly level: number;
}

export interface PackMap {
  /** 0: the whole bank; else the Idx of the string that is this pack. */
  readonly string: number;
  readonly max_registers: number;
  readonly pack: readonly PackPoint[];
  readonly cells: readonly CellPoint[];
  readonly alarm_point: NumberPoint | undefined;
  readonly alarm_bits: readonly AlarmBit[];
}

/** Throws GatewayError PROFILE_INVALID where the section names what no model has. */
export function packMap(binding: PackBinding): PackMap {
  const { profile, options } = binding;
  const section = profile.sunspec;
  const invalid = (what: string) => new GatewayError('PROFILE_INVALID', `profile ${profile.id}: ${what}`);
  if (!section) throw invalid('has no section `sunspec`, which a pack on a Modbus link needs');
  const string = Number(options.string ?? 0);
  const view = string === 0 ? section.bank : section.string;
  const name = string === 0 ? 'bank' : 'string';
  if (!view) throw invalid(`sunspec.string is missing, but option string is ${string}`);
  const point = (where: string, ref: string): NumberPoint => {
    const [model, pointName] = ref.split('.');
    const { fixed } = MODELS.get(Number(model))!;
    const found = numberPoint(Number(model), fixed, fixed, pointName);
    if (!found) throw invalid(`sunspec.${where}: model ${model} has no number '${pointName}'`);
    return found;
  };
  return {
    string,
    max_registers: section.max_registers ?? 125,
    pack: entriesOf(view.pack).map(([metric, source]) => ({
      ...point(`${name}.pack.${metric}`, typeof source === 'string' ? source : source.point),
      metric: PACK_METRICS.findIndex(known => known.name === metric),
      sign: typeof source === 'object' && turnsRound(options, source.negate_when, invalid) ? -1 : 1,
    })),
    cells: cellPoints(section, invalid),
    alarm_point: view.alarms === undefined ? undefined : point(`${name}.alarms`, view.alarms),
    alarm_bits: alarmBits(section, binding, invalid),
  };
}

function entriesOf<T>(sources: Readonly<Record<string, T | undefined>>): [string, T][] {
  return Object.entries(sources).filter((entry): entry is [string, T] => entry[1] !== undefined);
}

function turnsRound(
  options: PackBinding['options'],
  condition: OptionIs,
  invalid: (what: string) => GatewayError,
): boolean {
  if (options[condition.option] === undefined)
    throw invalid(`negate_when names '${condition.option}', which is no option of it`);
  return holds(condition, options);
}

function cellPoints(section: SunSpecSection, invalid: (what: string) => GatewayError): CellPoint[] {
  const { fixed, repeated } = MODELS.get(MODULE_MODEL)!;
  return entriesOf(section.cells).map(([metric, source]) => {
    const name = typeof source === 'string' ? source : source.point;
    const found = numberPoint(MODULE_MODEL, repeated!, fixed, name);
    if (!found) throw invalid(`sunspec.cells.${metric}: the cells of model 805 have no number '${name}'`);
    return {
      ...found,
      metric: CELL_METRICS.findIndex(known => known.name === metric),
      bit: typeof source === 'string' ? undefined : source.bit,
    };
  });
}

function alarmBits(
  section: SunSpecSection,
  binding: PackBinding,
  invalid: (what: string) => GatewayError,
): AlarmBit[] {
  return (section.alarm_bits ?? []).map(({ bit, code, level }) => {
    const alarm = binding.shape.device_alarms.indexOf(code);
    if (alarm < 0) throw invalid(`sunspec.alarm_bits: '${code}' is not one of device_alarms`);
    return { bit, alarm, level: DeviceAlarmLevel[level] };
  });
}

function numberPoint(
  model: number,
  group: PointGroup,
  scales: PointGroup,
  name: string,
): NumberPoint | undefined {
  const point: Point | undefined = group.points.get(name);
  if (!point || point.type === 'string') return undefined;
  return {
    model,
    offset: point.offset,
    size: point.size,
    type: point.type,
    scale_offset: point.scale === undefined ? undefined : scales.points.get(point.scale)?.offset,
  };
}
