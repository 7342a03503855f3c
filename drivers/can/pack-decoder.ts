/** Writes a pack's frames into its PackState. No allocation per frame. */
import { CellMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import type { PackBinding } from '../driver.ts';
import type { CanFrame } from './can-bus.ts';
import { checksumFits } from './checksum.ts';
import {
  type MappedMessage,
  type Meaning,
  mapPack,
  type PackMapping,
  type SignalTarget,
  TargetKind,
} from './pack-mapping.ts';

const DEFAULT_STALE_MS = 3000;

/** `no_reading`: by its own word what it carries is none. */
export type DecodeResult = 'taken' | 'truncated' | 'wrong_checksum' | 'no_reading';

/** An alarm that several messages report: what each said last. */
interface SharedAlarm {
  /** By place of the message in the mapping; -1: nothing yet. */
  readonly levels: Int16Array;
  readonly reported_mono_ms: Float64Array;
}

export class PackDecoder {
  readonly binding: PackBinding;
  readonly mapping: PackMapping;
  readonly state: PackState;
  /** Monotonic time of the newest frame; -Infinity while the pack never spoke. */
  last_frame_mono_ms = Number.NEGATIVE_INFINITY;
  #first_frame_mono_ms = Number.POSITIVE_INFINITY;
  /** Newest frame of each message that comes only while an alarm is active. */
  readonly #alarmFrames = new Map<MappedMessage, number>();
  /** By alarm, where more than one message reports it. */
  readonly #shared = new Map<number, SharedAlarm>();
  #meanings: readonly Meaning[];

  /** @throws GatewayError PROFILE_INVALID */
  constructor(binding: PackBinding) {
    this.binding = binding;
    this.mapping = mapPack(binding);
    this.state = new PackState(binding.pack, binding.shape, DEFAULT_STALE_MS);
    this.#meanings = this.mapping.messages;
    this.#setStaleLimits();
    this.#findSharedAlarms();
  }

  /** Takes one frame of one of `mapping.messages`; of a truncated one what it carries. */
  decode(mapped: MappedMessage, frame: CanFrame): DecodeResult {
    if (mapped.checksum && !checksumFits(mapped.checksum, frame)) return 'wrong_checksum';
    const now = frame.rx_mono_ms;
    this.last_frame_mono_ms = now;
    if (now < this.#first_frame_mono_ms) this.#first_frame_mono_ms = now;
    if (mapped.is_identity) this.#identify(frame);
    const { decoder } = mapped;
    const { targets, alarms } = this.#meanings[mapped.index];
    decoder.decode(frame.data, frame.length);
    const { values, carried, carried_count } = decoder;
    const { no_reading } = mapped;
    const isTruncated = frame.length < mapped.message.length_bytes;
    // Cut off before it can say so, it may be none.
    if (
      no_reading &&
      (values[no_reading.signal] === no_reading.value || Number.isNaN(values[no_reading.signal]))
    ) {
      for (const signal of no_reading.keeps) {
        const target = targets[signal];
        if (target && !Number.isNaN(values[signal])) this.#write(target, values, now);
      }
      return isTruncated ? 'truncated' : 'no_reading';
    }
    for (let i = 0; i < carried_count; i++) {
      const target = targets[carried[i]];
      if (target) this.#write(target, values, now);
    }
    for (const { alarm, sources } of alarms) {
      let level = -1;
      for (const { signal, levels } of sources) level = highest(level, levelOf(values[signal], levels));
      if (level >= 0) this.#setAlarm(mapped.index, alarm, level, now);
    }
    if (mapped.sent_only_while_active) this.#alarmFrames.set(mapped, now);
    return isTruncated ? 'truncated' : 'taken';
  }

  /**
   * Where a message comes only while an alarm is active, its absence says "none" as long as the pack speaks.
   * Returns true when it wrote.
   */
  clearAbsentAlarms(now_mono_ms: number): boolean {
    let wrote = false;
    for (const mapped of this.mapping.messages) {
      if (!mapped.sent_only_while_active) continue;
      const since = this.#alarmFrames.get(mapped) ?? this.#first_frame_mono_ms;
      if (this.last_frame_mono_ms - since < mapped.stale_ms) continue;
      if (now_mono_ms - this.last_frame_mono_ms > mapped.stale_ms) continue;
      for (const { alarm } of this.#meanings[mapped.index].alarms)
        this.#setAlarm(mapped.index, alarm, DeviceAlarmLevel.none, this.last_frame_mono_ms);
      wrote = true;
    }
    return wrote;
  }

  #write(target: SignalTarget, values: Float64Array, now: number): void {
    const { state } = this;
    const physical = values[target.signal];
    // Not near also where either of the two is not in the frame.
    if (target.near >= 0 && !(Math.abs(physical - values[target.near]) <= target.near_within)) return;
    let value = physical / target.divisor;
    if (target.magnitude) value = Math.abs(value);
    if (target.one_when_zero) value = physical === 0 ? 1 : 0;
    if (target.absent.length > 0 && target.absent.includes(physical)) value = Number.NaN;
    if (target.mask >= 0 && !bitOf(values[target.mask], target.mask_bit)) value = Number.NaN;
    const suspect = target.flag >= 0 && values[target.flag] === target.flag_invalid;
    if (target.kind === TargetKind.pack) state.setValue(target.metric, value, now, suspect);
    else if (target.kind === TargetKind.cell) state.setCell(target.metric, target.index, value, now, suspect);
    else {
      state.setSensor(target.index, value, now, suspect);
      const cells = this.mapping.cells_of_sensor?.[target.index];
      if (cells) for (const cell of cells) state.setCell(CellMetric.temperature_c, cell, value, now, suspect);
    }
  }

  #setAlarm(message: number, alarm: number, level: number, now: number): void {
    const shared = this.#shared.get(alarm);
    if (!shared) {
      this.state.setDeviceAlarm(alarm, level, now);
      return;
    }
    const { levels, reported_mono_ms } = shared;
    levels[message] = level;
    reported_mono_ms[message] = now;
    let counted = level;
    for (let other = 0; other < levels.length; other++)
      if (now - reported_mono_ms[other] <= this.mapping.messages[other].stale_ms)
        counted = highest(counted, levels[other]);
    this.state.setDeviceAlarm(alarm, counted, now);
  }

  /** The device says which dialect it speaks; what it says later means that. */
  #identify({ data, length }: CanFrame): void {
    const { dialects } = this.mapping;
    if (!dialects) return;
    let text = '';
    for (let i = 0; i < Math.min(length, data.length); i++) text += String.fromCharCode(data[i]);
    text = text.trimStart().toUpperCase();
    const known = dialects.prefixes.find(([prefix]) => text.startsWith(prefix));
    const meanings = dialects.meanings.get(known ? known[1] : dialects.otherwise);
    if (meanings) this.#meanings = meanings;
  }

  #findSharedAlarms(): void {
    const { messages, dialects } = this.mapping;
    const reporters = new Map<number, Set<number>>();
    for (const meanings of [messages, ...(dialects?.meanings.values() ?? [])])
      meanings.forEach(({ alarms }, message) => {
        for (const { alarm } of alarms)
          reporters.set(alarm, (reporters.get(alarm) ?? new Set()).add(message));
      });
    for (const [alarm, { size }] of reporters)
      if (size > 1)
        this.#shared.set(alarm, {
          levels: new Int16Array(messages.length).fill(-1),
          reported_mono_ms: new Float64Array(messages.length).fill(Number.NEGATIVE_INFINITY),
        });
  }

  #setStaleLimits(): void {
    const { state, mapping } = this;
    const longest = { values: new Map<number, number>(), cells: new Map<number, number>(), sensors: 0 };
    const alarm_ms = new Map<number, number>();
    const widen = (limits: Map<number, number>, key: number, stale_ms: number) =>
      limits.set(key, Math.max(stale_ms, limits.get(key) ?? 0));
    for (const meanings of [mapping.messages, ...(mapping.dialects?.meanings.values() ?? [])])
      meanings.forEach(({ targets, alarms }, message) => {
        const { stale_ms } = mapping.messages[message];
        for (const target of targets) {
          if (target?.kind === TargetKind.pack) widen(longest.values, target.metric, stale_ms);
          else if (target?.kind === TargetKind.cell) widen(longest.cells, target.metric, stale_ms);
          else if (target) longest.sensors = Math.max(longest.sensors, stale_ms);
        }
        for (const { alarm } of alarms) widen(alarm_ms, alarm, stale_ms);
      });
    if (longest.sensors > 0) {
      state.setSensorStaleLimit(longest.sensors);
      if (mapping.cells_of_sensor) longest.cells.set(CellMetric.temperature_c, longest.sensors);
    }
    for (const [metric, stale_ms] of longest.values) state.setValueStaleLimit(metric, stale_ms);
    for (const [metric, stale_ms] of longest.cells) state.setCellStaleLimit(metric, stale_ms);
    for (const [alarm, stale_ms] of alarm_ms) state.setDeviceAlarmStaleLimit(alarm, stale_ms);
  }
}

function bitOf(mask: number, bit: number): boolean {
  return mask >= 0 && Math.floor(mask / 2 ** bit) % 2 === 1;
}

/** -1 where the frame did not carry the signal, `unknown` where the value has no level. */
function levelOf(value: number, levels: readonly number[]): number {
  if (Number.isNaN(value)) return -1;
  return levels[value] ?? DeviceAlarmLevel.unknown;
}

/** A known level counts more than an unknown one. */
function highest(a: number, b: number): number {
  if (a === DeviceAlarmLevel.unknown) return b < 0 ? a : b;
  if (b === DeviceAlarmLevel.unknown) return a < 0 ? b : a;
  return Math.max(a, b);
}
