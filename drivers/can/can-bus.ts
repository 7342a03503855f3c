/**
 * What a CAN bus is to the rest of this room, whatever carries it: SocketCAN, a replayed log, a bus inside
 * the process. A bus heals by itself (absent interface, bus-off); it reports its state and never throws at a frame.
 */

/** One data frame. Reused by the bus that delivers it: valid during the call only. */
export interface CanFrame {
  /** 11 or 29 bits. */
  id: number;
  extended: boolean;
  /** At least `length` bytes. */
  data: Uint8Array;
  /** Bytes that count: 0 to 8, up to 64 with CAN FD. */
  length: number;
  fd: boolean;
  /** Monotonic receive time. */
  rx_mono_ms: number;
}

/** An id to receive. */
export interface CanId {
  readonly id: number;
  readonly extended: boolean;
  /** Bits of the id that must fit (default: all), see `j1939Mask`. */
  readonly mask?: number;
}

/** up: frames can arrive. degraded: they can, but the bus reports a fault. down: they cannot. */
export type CanBusState = 'up' | 'degraded' | 'down';

export interface CanBusListener {
  /** Must not throw. */
  onFrame(frame: CanFrame): void;
  /** `reason`: one line on what is wrong and what to do; undefined while `up`. Repeats are possible. */
  onState(state: CanBusState, reason: string | undefined): void;
}

export interface CanBus {
  /** Where the bus is, for messages: `can0`, `vehicle.log`. */
  readonly name: string;
  /** Monotonically growing: error_frames, reopenings, drops and whatever else this bus can count. */
  readonly counters: Readonly<Record<string, number>>;
  /**
   * Begins to receive and returns; `ids` are those of interest, a bus may deliver others too; what may heal by itself is
   * reported through `onState`.
   * @throws GatewayError that a person must answer (CAN_UNAVAILABLE, CONFIG_INVALID).
   */
  open(ids: readonly CanId[], listener: CanBusListener): Promise<void>;
  /** Safe at any moment, also before `open` has returned, also twice. No call to the listener follows. */
  close(): Promise<void>;
  /** Opens again because nothing has come for long; buses that cannot stall do nothing. */
  restart(): void;
  /** Hands a frame to the bus if it takes it at once; false: not taken. Never blocks. Absent: receive only. */
  send?(frame: Pick<CanFrame, 'id' | 'extended' | 'data' | 'length'>): boolean;
}

/** One number per id, 11- and 29-bit ids apart: the key of routing tables. */
export function canKey(id: number, extended: boolean): number {
  return extended ? id + 0x20000000 : id;
}

export const EXACT_MASK = 0x1fffffff;

/**
 * Bits of a 29-bit id that name the J1939 parameter group: not the priority, not the source address, and below
 * PDU format 240 not the byte that is a destination address there (SAE J1939-21, 5.2).
 */
export function j1939Mask(id: number): number {
  return ((id >> 16) & 0xff) < 240 ? 0x03ff0000 : 0x03ffff00;
}

/** As people write ids: 2F4, 18F128F4. */
export function formatCanId(id: number, extended: boolean): string {
  return id
    .toString(16)
    .toUpperCase()
    .padStart(extended ? 8 : 3, '0');
}
