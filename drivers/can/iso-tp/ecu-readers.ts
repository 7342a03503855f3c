/** All devices of one bus that are read over ISO-TP: one reader each, and whose reply is whose. */
import type { Clock } from '../../../core/clock/clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { type CanBus, type CanFrame, type CanId, canKey, formatCanId } from '../can-bus.ts';
import type { PackDecoder } from '../pack-decoder.ts';
import type { MappedMessage } from '../pack-mapping.ts';
import { EcuReader } from './ecu-reader.ts';

interface HasDecoder {
  readonly decoder: PackDecoder;
}

/** Gets each whole reply as if it were a frame of its message. */
type Decode<Slot> = (slot: Slot, mapped: MappedMessage, reply: CanFrame) => void;

export class EcuReaders<Slot extends HasDecoder> {
  readonly #all: EcuReader[] = [];
  readonly #bySlot = new Map<Slot, EcuReader[]>();
  readonly #byId = new Map<number, EcuReader[]>();

  /** @throws GatewayError CONFIG_INVALID (two packs would answer under one id) */
  constructor(
    connection_id: string,
    bus: CanBus,
    clock: Clock,
    slots: readonly Slot[],
    decode: Decode<Slot>,
  ) {
    const taken = new Map<string, string>();
    for (const slot of slots) {
      const { mapping, binding } = slot.decoder;
      const byName = new Map(mapping.messages.map(mapped => [mapped.message.name, mapped]));
      for (const link of mapping.iso_tp) {
        const { reply_id, extended, reply_address } = link;
        const place = `${canKey(reply_id, extended)} ${reply_address ?? ''}`;
        const other = taken.get(place);
        if (other !== undefined)
          throw new GatewayError(
            'CONFIG_INVALID',
            `connection ${connection_id}: packs ${other} and ${binding.pack_id} both answer with CAN id ${formatCanId(reply_id, extended)}, which such packs cannot change; give each a bus of its own`,
          );
        taken.set(place, binding.pack_id);
        const reply = {
          id: reply_id,
          extended,
          data: new Uint8Array(0),
          length: 0,
          fd: false,
          rx_mono_ms: 0,
        };
        const reader = new EcuReader(bus, clock, link, (read, message, length, rx_mono_ms) => {
          const mapped = byName.get(read.message);
          if (mapped) decode(slot, mapped, Object.assign(reply, { data: message, length, rx_mono_ms }));
        });
        this.#all.push(reader);
        this.#bySlot.set(slot, [...(this.#bySlot.get(slot) ?? []), reader]);
        for (const { id } of reader.ids()) {
          const key = canKey(id, extended);
          this.#byId.set(key, [...(this.#byId.get(key) ?? []), reader]);
        }
      }
    }
  }

  ids(): CanId[] {
    return this.#all.flatMap(reader => reader.ids());
  }

  start(isUp: () => boolean): void {
    for (const reader of this.#all) reader.start(isUp);
  }

  stop(): void {
    for (const reader of this.#all) reader.stop();
  }

  /** True: the frame belongs to one of the devices. */
  take(frame: CanFrame): boolean {
    const readers = this.#byId.get(canKey(frame.id, frame.extended));
    if (!readers) return false;
    let isTaken = false;
    for (const reader of readers) if (reader.take(frame)) isTaken = true;
    return isTaken;
  }

  /** Why a pack is not asked now; undefined: it is, or never was. */
  holdingBack(slot: Slot, mono_ms: number): string | undefined {
    for (const reader of this.#bySlot.get(slot) ?? []) {
      const reason = reader.holdingBack(mono_ms);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Of all devices together; empty where there is none. */
  counters(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { counters } of this.#all)
      for (const [name, count] of Object.entries(counters)) sums[name] = (sums[name] ?? 0) + count;
    return sums;
  }
}
