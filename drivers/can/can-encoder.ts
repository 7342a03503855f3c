/**
 * A pack's truth into the frames its device family would send: the inverse of the pack decoder, for the
 * simulator and for tests. Nothing here ever reaches a battery.
 */
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { DeviceAlarmLevel } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { PackBinding } from '../driver.ts';
import { putChecksum } from './checksum.ts';
import { MessageEncoder } from './dbc/message-encoder.ts';
import { type MappedMessage, mapPack, type SignalTarget, TargetKind } from './pack-mapping.ts';
import type { SentFrame } from './virtual-bus.ts';

/**
 * Every frame is one reused object: valid during `emit` only. A reply over ISO-TP goes out whole, not yet in frames.
 */
export interface CanEncoder {
  /**
   * Emits one frame per message, for multiplexed messages one per multiplexer value the pack needs.
   * A message none of whose values the reading has is left out; a missing value beside others goes out as
   * the device's own "none" where it has one, else as raw 0.
   */
  frames(reading: PackReading, emit: (frame: SentFrame) => void): void;
  /** The same by message, for a sender that keeps each message's own period. */
  readonly messages: readonly CanMessageEncoder[];
}

export interface CanMessageEncoder {
  readonly name: string;
  /** From the DBC; of a multiplexed message the time of the whole sweep. Undefined where nobody gives it. */
  readonly cycle_ms: number | undefined;
  frames(reading: PackReading, emit: (frame: SentFrame) => void): void;
}

/** @throws GatewayError PROFILE_INVALID */
export function createCanEncoder(binding: PackBinding): CanEncoder {
  const messages = mapPack(binding).messages.map(mapped => new MappedMessageEncoder(mapped));
  return {
    messages,
    frames(reading, emit) {
      for (const message of messages) message.frames(reading, emit);
    },
  };
}

/** What goes out in one frame: a multiplexer value, or the whole of a plain message. */
interface FramePlan {
  /** Multiplexer signal and the value it takes; -1: none. */
  readonly mux_signal: number;
  readonly mux_value: number;
  readonly targets: readonly SignalTarget[];
}

class MappedMessageEncoder implements CanMessageEncoder {
  readonly name: string;
  readonly cycle_ms: number | undefined;
  readonly #mapped: MappedMessage;
  readonly #encoder: MessageEncoder;
  readonly #plans: readonly FramePlan[];
  readonly #frame: SentFrame;

  constructor(mapped: MappedMessage) {
    this.#mapped = mapped;
    this.name = mapped.message.name;
    this.cycle_ms = mapped.message.cycle_ms;
    this.#encoder = new MessageEncoder(mapped.message);
    this.#plans = plansOf(mapped);
    const { id, extended, message } = mapped;
    this.#frame = { id, extended, data: new Uint8Array(message.length_bytes), length: message.length_bytes };
  }

  frames(reading: PackReading, emit: (frame: SentFrame) => void): void {
    const alarms = this.#alarmsToSend(reading);
    for (const plan of this.#plans) {
      if (!alarms && !plan.targets.some(target => hasSomethingToSay(target, reading))) continue;
      const { data } = this.#frame;
      data.fill(0);
      if (this.#mapped.reply_head) data.set(this.#mapped.reply_head.subarray(0, data.length));
      if (plan.mux_signal >= 0) this.#encoder.putRaw(data, plan.mux_signal, plan.mux_value);
      this.#putTargets(plan.targets, reading);
      if (alarms) this.#putAlarms(reading);
      if (this.#mapped.checksum) putChecksum(this.#mapped.checksum, this.#frame);
      emit(this.#frame);
    }
  }

  #putTargets(targets: readonly SignalTarget[], reading: PackReading): void {
    const { data } = this.#frame;
    const { signals } = this.#mapped.message;
    let mask = 0;
    for (const target of targets) {
      const value = truthOf(target, reading);
      const absent = Number.isNaN(value);
      const sent = target.one_when_zero ? 1 - value : value;
      if (!absent) this.#encoder.put(data, target.signal, sent * target.divisor);
      else if (target.absent.length > 0) this.#encoder.put(data, target.signal, target.absent[0]);
      if (target.mask >= 0 && !absent) {
        mask += 2 ** target.mask_bit;
        this.#encoder.putRaw(data, target.mask, mask);
      }
      if (target.flag >= 0) {
        const { scale, offset } = signals[target.flag];
        const invalid = (target.flag_invalid - offset) / scale;
        const suspect = truthQualityOf(target, reading) === Quality.suspect;
        this.#encoder.putRaw(data, target.flag, suspect ? invalid : 1 - invalid);
      }
    }
  }

  #alarmsToSend({ device_alarm_level }: PackReading): boolean {
    const { alarms, sent_only_while_active } = this.#mapped;
    const quiet: number = sent_only_while_active ? DeviceAlarmLevel.none : -1;
    return alarms.some(({ alarm }) => {
      const level = device_alarm_level[alarm];
      return level !== DeviceAlarmLevel.unknown && level > quiet;
    });
  }

  #putAlarms({ device_alarm_level }: PackReading): void {
    for (const { alarm, sources } of this.#mapped.alarms) {
      const level = device_alarm_level[alarm];
      if (level === DeviceAlarmLevel.none || level === DeviceAlarmLevel.unknown) continue;
      // A device that knows but one level shows that.
      const source =
        sources.find(({ levels }) => levels.includes(level)) ??
        sources.find(({ levels }) => levels.length > 1);
      if (!source) continue;
      const raw = Math.max(source.levels.indexOf(level), 1);
      this.#encoder.putRaw(this.#frame.data, source.signal, raw);
    }
  }
}

function plansOf({ message, targets, alarms }: MappedMessage): FramePlan[] {
  const used = new Set(alarms.flatMap(({ sources }) => sources.map(({ signal }) => signal)));
  for (const target of targets) if (target) used.add(target.signal);
  const plans = new Map<string, { mux_signal: number; mux_value: number; targets: SignalTarget[] }>();
  for (const signal of [...used].sort((a, b) => a - b)) {
    const { mux } = message.signals[signal];
    const mux_signal = mux ? message.signals.findIndex(other => other.name === mux.switch) : -1;
    const mux_value = mux ? mux.ranges[0][0] : 0;
    const key = `${mux_signal}:${mux_value}`;
    const plan = plans.get(key) ?? { mux_signal, mux_value, targets: [] };
    plans.set(key, plan);
    const target = targets[signal];
    if (target) plan.targets.push(target);
  }
  return [...plans.values()];
}

function hasSomethingToSay(target: SignalTarget, reading: PackReading): boolean {
  return (
    !Number.isNaN(truthOf(target, reading)) || (target.kind !== TargetKind.pack && target.absent.length > 0)
  );
}

function truthOf(target: SignalTarget, reading: PackReading): number {
  if (target.kind === TargetKind.pack) return reading.values[target.metric];
  if (target.kind === TargetKind.cell) return reading.column(target.metric)[target.index];
  return reading.sensors[target.index];
}

function truthQualityOf(target: SignalTarget, reading: PackReading): number {
  if (target.kind === TargetKind.pack) return reading.value_quality[target.metric];
  if (target.kind === TargetKind.cell) return reading.columnQuality(target.metric)[target.index];
  return reading.sensor_quality[target.index];
}
