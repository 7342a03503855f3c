/** Writes a pack's frames into its PackState. No allocation per frame. */
import { CellMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import type { PackBinding } from '../driver.ts';
import type { CanFrame } from './can-bus.ts';
import {
  type MappedMessage,
  mapPack,
  type PackMapping,
  type SignalTarget,
  TargetKind,
} from './pack-mapping.ts';

const DEFAULT_STALE_MS = 3000;

export class PackDecoder {
  readonly binding: PackBinding;
  readonly mapping: PackMapping;
  readonly state: PackState;
  /** Monotonic time of the newest frame; -Infinity while the pack never spoke. */
  last_frame_mono_ms = Number.NEGATIVE_INFINITY;
  #first_frame_mono_ms = Number.POSITIVE_INFINITY;
  /** Newest frame of each message that comes only while an alarm is active. */
  readonly #alarmFrames = new Map<MappedMessage, number>();

  /** @throws GatewayError PROFILE_INVALID */
  constructor(binding: PackBinding) {
    this.binding = binding;
    this.mapping = mapPack(binding);
    this.state = new PackState(binding.pack, binding.shape, DEFAULT_STALE_MS);
    this.#setStaleLimits();
  }

  /** Takes one frame of one of `mapping.messages`. Returns false where the frame was shorter than its message. */
  decode(mapped: MappedMessage, frame: CanFrame): boolean {
    const { decoder, targets, alarms } = mapped;
    const now = frame.rx_mono_ms;
    this.last_frame_mono_ms = now;
    if (now < this.#first_frame_mono_ms) this.#first_frame_mono_ms = now;
    decoder.decode(frame.data, frame.length);
    const { values, carried, carried_count } = decoder;
    for (let i = 0; i < carried_count; i++) {
      const target = targets[carried[i]];
      if (target) this.#write(target, values, now);
    }
    for (const { alarm, sources } of alarms) {
      let level = -1;
      for (const { signal, levels } of sources) level = highest(level, levelOf(values[signal], levels));
      if (level >= 0) this.state.setDeviceAlarm(alarm, level, now);
    }
    if (mapped.sent_only_while_active) this.#alarmFrames.set(mapped, now);
    return frame.length >= mapped.message.length_bytes;
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
      for (const { alarm } of mapped.alarms)
        this.state.setDeviceAlarm(alarm, DeviceAlarmLevel.none, this.last_frame_mono_ms);
      wrote = true;
    }
    return wrote;
  }

  #write(target: SignalTarget, values: Float64Array, now: number): void {
    const { state } = this;
    const physical = values[target.signal];
    let value = physical / target.divisor;
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

  #setStaleLimits(): void {
    const { state, mapping } = this;
    const longest = new Map<number, number>();
    let sensors_ms = 0;
    for (const { targets, alarms, stale_ms } of mapping.messages) {
      for (const target of targets) {
        if (target?.kind === TargetKind.pack) state.setValueStaleLimit(target.metric, stale_ms);
        else if (target?.kind === TargetKind.cell)
          longest.set(target.metric, Math.max(stale_ms, longest.get(target.metric) ?? 0));
        else if (target) sensors_ms = Math.max(sensors_ms, stale_ms);
      }
      for (const { alarm } of alarms) state.setDeviceAlarmStaleLimit(alarm, stale_ms);
    }
    if (sensors_ms > 0) {
      state.setSensorStaleLimit(sensors_ms);
      if (mapping.cells_of_sensor) longest.set(CellMetric.temperature_c, sensors_ms);
    }
    for (const [metric, stale_ms] of longest) state.setCellStaleLimit(metric, stale_ms);
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
