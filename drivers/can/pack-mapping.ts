/**
 * A profile's CAN section worked out for one pack: which signal of which frame goes where, in which unit and
 * sign. Driver and simulator read the same mapping, one forwards, one backwards.
 */
import { GatewayError } from '../../core/errors.ts';
import { CELL_METRICS, type Metric, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../core/reading/pack-reading.ts';
import type { PackBinding } from '../driver.ts';
import {
  alarmSources,
  type CanProfile,
  canProfileOf,
  checkCanProfile,
  nameWithNumber,
  numberInName,
  packSources,
  unitDivisor,
} from './can-profile.ts';
import type { AlarmLevelName, NumberedSignals, OptionIs } from './can-section.ts';
import type { DbcMessage, DbcSignal } from './dbc/dbc-model.ts';
import type { MessageDecoder } from './dbc/message-decoder.ts';

export const TargetKind = { pack: 0, cell: 1, sensor: 2 } as const;

/** Where one signal goes. */
export interface SignalTarget {
  /** Index into the message's signals. */
  readonly signal: number;
  readonly kind: (typeof TargetKind)[keyof typeof TargetKind];
  /** PackMetric or CellMetric; unused for sensors. */
  readonly metric: number;
  /** Cell or sensor, from 0. */
  readonly index: number;
  /** SI value = physical value of the DBC / divisor; negative where the sign turns. */
  readonly divisor: number;
  /** Physical values that mean "none". */
  readonly absent: readonly number[];
  /** Signal that flags this one invalid, and the value by which it does; -1: none. */
  readonly flag: number;
  readonly flag_invalid: number;
  /** Signal whose bit says that this one exists; -1: none. */
  readonly mask: number;
  readonly mask_bit: number;
}

/** A device alarm and the signals that raise it; the highest level counts. */
export interface AlarmTarget {
  readonly alarm: number;
  readonly sources: readonly { readonly signal: number; readonly levels: readonly number[] }[];
}

export interface MappedMessage {
  readonly message: DbcMessage;
  readonly decoder: MessageDecoder;
  /** On the bus, device address included. */
  readonly id: number;
  readonly extended: boolean;
  /** By signal index; undefined where a signal goes nowhere. */
  readonly targets: readonly (SignalTarget | undefined)[];
  readonly alarms: readonly AlarmTarget[];
  readonly stale_ms: number;
  readonly sent_only_while_active: boolean;
}

export interface PackMapping {
  readonly binding: PackBinding;
  readonly messages: readonly MappedMessage[];
  /** Cells whose temperature each sensor gives; undefined where the installer did not say. */
  readonly cells_of_sensor: readonly (readonly number[])[] | undefined;
}

const SHORTEST_STALE_MS = 3000;
const LONGEST_STALE_MS = 60_000;
/** For messages whose cycle time nobody gives. */
const DEFAULT_STALE_MS = 10_000;

/** @throws GatewayError PROFILE_INVALID with every problem of the profile. */
export function mapPack(binding: PackBinding): PackMapping {
  const problems = checkOnce(binding);
  if (problems.length > 0) throw new GatewayError('PROFILE_INVALID', problems.join('\n'));
  const canProfile = canProfileOf(binding.profile);
  const messages = canProfile.dbc.messages
    .map(message => mapMessage(canProfile, binding, message))
    .filter(mapped => mapped.alarms.length > 0 || mapped.targets.some(target => target !== undefined));
  return { binding, messages, cells_of_sensor: cellsOfSensor(binding) };
}

const checked = new WeakMap<CanProfile, string[]>();

function checkOnce({ profile }: PackBinding): string[] {
  const canProfile = canProfileOf(profile);
  let problems = checked.get(canProfile);
  if (!problems) {
    problems = checkCanProfile(profile);
    checked.set(canProfile, problems);
  }
  return problems;
}

function mapMessage(canProfile: CanProfile, binding: PackBinding, message: DbcMessage): MappedMessage {
  const { section } = canProfile;
  const mapping = section.messages[message.name] ?? {};
  const targets = new Array<SignalTarget | undefined>(message.signals.length).fill(undefined);
  for (const [name, source] of Object.entries(mapping.pack ?? {})) {
    for (const option of packSources(source)) {
      if (!holds(binding, option.use_when, true)) continue;
      const signal = message.signals.findIndex(other => other.name === option.signal);
      const metric = PACK_METRICS.findIndex(other => other.name === name);
      const negative = holds(binding, option.negate_when, false);
      targets[signal] = {
        ...plainTarget(message.signals[signal], signal, PACK_METRICS[metric], option.absent_raw),
        kind: TargetKind.pack,
        metric,
        ...(negative
          ? { divisor: -(unitDivisor(PACK_METRICS[metric], message.signals[signal].unit) ?? 1) }
          : {}),
      };
    }
  }
  for (const [name, numbered] of Object.entries(section.cells ?? {})) {
    const metric = CELL_METRICS.findIndex(other => other.name === name);
    const place = { kind: TargetKind.cell, metric, count: binding.shape.cell_count };
    mapNumbered(binding, message, numbered, place, targets);
  }
  if (section.sensors) {
    const place = { kind: TargetKind.sensor, metric: 0, count: binding.shape.sensor_count };
    mapNumbered(binding, message, section.sensors, place, targets);
  }
  const decoder = canProfile.decoders.get(message.name);
  if (!decoder) throw new GatewayError('PROFILE_INVALID', `no decoder for message ${message.name}`);
  return {
    message,
    decoder,
    id: message.id + (section.id_plus_address ? (binding.address ?? 0) : 0),
    extended: message.extended,
    targets,
    alarms: mapAlarms(canProfile, binding, message),
    stale_ms: mapping.stale_ms ?? staleLimit(message.cycle_ms),
    sent_only_while_active: mapping.sent_only_while_active ?? false,
  };
}

function staleLimit(cycle_ms: number | undefined): number {
  if (cycle_ms === undefined) return DEFAULT_STALE_MS;
  return Math.min(LONGEST_STALE_MS, Math.max(SHORTEST_STALE_MS, 3 * cycle_ms));
}

function plainTarget(
  definition: DbcSignal,
  signal: number,
  metric: Metric,
  absent_raw: readonly number[] | undefined,
): SignalTarget {
  return {
    signal,
    kind: TargetKind.pack,
    metric: 0,
    index: 0,
    divisor: unitDivisor(metric, definition.unit) ?? 1,
    // The decoder's own arithmetic, so that equality holds.
    absent: (absent_raw ?? []).map(raw => raw * definition.scale + definition.offset),
    flag: -1,
    flag_invalid: 0,
    mask: -1,
    mask_bit: 0,
  };
}

function mapNumbered(
  binding: PackBinding,
  message: DbcMessage,
  numbered: NumberedSignals,
  place: { kind: SignalTarget['kind']; metric: number; count: number },
  targets: (SignalTarget | undefined)[],
): void {
  const metric: Metric = place.kind === TargetKind.cell ? CELL_METRICS[place.metric] : SENSOR_METRIC;
  const flags = numbered.invalid_flags;
  const invalid = flags?.invalid_is.find(({ when }) => holds(binding, when, false));
  const indexOf = (name: string) => message.signals.findIndex(other => other.name === name);
  message.signals.forEach((definition, signal) => {
    const number = numberInName(numbered.signals, definition.name);
    if (number === undefined) return;
    const index = number - numbered.first;
    if (index < 0 || index >= place.count) return;
    const flag = flags && invalid ? indexOf(nameWithNumber(flags.signals, number)) : -1;
    targets[signal] = {
      ...plainTarget(definition, signal, metric, numbered.absent_raw),
      kind: place.kind,
      metric: place.metric,
      index,
      flag,
      flag_invalid: flag < 0 || !invalid ? 0 : physical(message.signals[flag], invalid.raw),
      mask: numbered.present_mask === undefined ? -1 : indexOf(numbered.present_mask),
      mask_bit: index,
    };
  });
}

function physical({ scale, offset }: DbcSignal, raw: number): number {
  return raw * scale + offset;
}

function mapAlarms({ section }: CanProfile, { shape }: PackBinding, message: DbcMessage): AlarmTarget[] {
  const alarms: AlarmTarget[] = [];
  for (const [code, source] of Object.entries(section.messages[message.name]?.alarms ?? {})) {
    const alarm = shape.device_alarms.indexOf(code);
    if (alarm < 0) continue;
    const sources = alarmSources(source).map(({ signal, levels }) => ({
      signal: message.signals.findIndex(other => other.name === signal),
      levels: (levels ?? section.alarm_levels ?? []).map((level: AlarmLevelName) => DeviceAlarmLevel[level]),
    }));
    alarms.push({ alarm, sources });
  }
  return alarms;
}

function holds({ options }: PackBinding, condition: OptionIs | undefined, otherwise: boolean): boolean {
  return condition === undefined ? otherwise : options[condition.option] === condition.is;
}

function cellsOfSensor({ sensor_of_cell, shape }: PackBinding): number[][] | undefined {
  if (!sensor_of_cell) return undefined;
  const cells: number[][] = Array.from({ length: shape.sensor_count }, () => []);
  sensor_of_cell.slice(0, shape.cell_count).forEach((sensor, cell) => {
    cells[sensor]?.push(cell);
  });
  return cells;
}
