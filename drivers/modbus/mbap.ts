/**
 * Modbus on TCP, framing alone: the MBAP header (transaction, protocol 0, length, unit) before each PDU.
 * Source: MODBUS Messaging on TCP/IP, 3.1.3.
 */

export interface MbapFrame {
  readonly transaction: number;
  readonly unit: number;
  readonly pdu: Uint8Array;
}

const HEADER_BYTES = 7;
/** Unit and PDU: the PDU has at least a function code and at most 253 bytes. */
const MAX_LENGTH = 254;
/** So many bytes without one that is awaited are no Modbus at all. */
const MAX_STRAY_BYTES = 1024;
const NO_BYTES = new Uint8Array(0);

export function encodeMbap(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + pdu.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, transaction);
  view.setUint16(4, pdu.length + 1);
  bytes[6] = unit;
  bytes.set(pdu, HEADER_BYTES);
  return bytes;
}

/** Which frames are awaited: what stands between two of them is known by it, and passed over. */
export interface AwaitedFrames {
  /** A frame with this number would answer something, in time or late. */
  isKnown(transaction: number): boolean;
  /** There is the beginning of an awaited frame, and of no other. */
  beginsAt(data: Uint8Array, at: number): boolean;
}

/** Collects the bytes of a stream into frames; what is no Modbus breaks the stream for good. */
export class MbapReader {
  /** Set once the stream is out of step; nothing is read from then on. */
  broken = false;
  /** Bytes before awaited frames that belong to none. */
  passed_over_bytes = 0;
  readonly #awaited: AwaitedFrames | undefined;
  #rest: Uint8Array = NO_BYTES;

  /** With `awaited`, stray bytes before a frame break nothing. */
  constructor(awaited?: AwaitedFrames) {
    this.#awaited = awaited;
  }

  /** Of a frame that has begun and not ended, or of none. */
  get pending_bytes(): number {
    return this.#rest.length;
  }

  get pending(): Uint8Array {
    return this.#rest;
  }

  /** Begins again with what comes next; how many bytes are left out. */
  restart(): number {
    const left_out = this.#rest.length;
    this.#rest = NO_BYTES;
    this.broken = false;
    return left_out;
  }

  /** Frames completed by these bytes; a PDU may be a view into `bytes`. */
  push(bytes: Uint8Array): MbapFrame[] {
    const frames: MbapFrame[] = [];
    this.read(bytes, (transaction, unit, pdu) => frames.push({ transaction, unit, pdu }));
    return frames;
  }

  /** The same without a list; `onFrame` must not push. */
  read(bytes: Uint8Array, onFrame: (transaction: number, unit: number, pdu: Uint8Array) => void): void {
    if (this.broken) return;
    let data = bytes;
    if (this.#rest.length > 0) {
      data = new Uint8Array(this.#rest.length + bytes.length);
      data.set(this.#rest);
      data.set(bytes, this.#rest.length);
    }
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const transaction = transactionAt(data, at);
      const length = lengthAt(data, at);
      const is_header = length > 0;
      const is_known = is_header && this.#awaited?.isKnown(transaction);
      if (this.#awaited && !is_known && !(is_header && this.#staysInStep(data, at + 6 + length))) {
        const next = findAwaited(this.#awaited, data, at + 1);
        if (next > at) {
          this.passed_over_bytes += next - at;
          at = next;
          continue;
        }
      }
      if (!is_header) {
        this.broken = !this.#awaited || data.length - at > MAX_STRAY_BYTES;
        break;
      }
      if (data.length - at < 6 + length) break;
      const end = at + 6 + length;
      onFrame(transaction, data[at + 6], data.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#rest = at === data.length ? NO_BYTES : data.slice(at);
  }

  /**
   * Whether what ends at `end` was a frame, though nobody waits for it (a reply that was sent twice): whole frames follow
   * from there, up to one that is known, or to the end of the data.
   */
  #staysInStep(data: Uint8Array, end: number): boolean {
    let at = end;
    while (data.length - at >= HEADER_BYTES) {
      const length = lengthAt(data, at);
      if (length === 0) return false;
      if (this.#awaited?.isKnown(transactionAt(data, at))) return true;
      at += 6 + length;
    }
    return at === data.length;
  }
}

function transactionAt(data: Uint8Array, at: number): number {
  return (data[at] << 8) | data[at + 1];
}

/** Of the unit and PDU, as the header there says; 0: there is no header. */
function lengthAt(data: Uint8Array, at: number): number {
  const length = (data[at + 4] << 8) | data[at + 5];
  return data[at + 2] === 0 && data[at + 3] === 0 && length >= 2 && length <= MAX_LENGTH ? length : 0;
}

/** Where the first awaited frame begins; -1: nowhere. */
function findAwaited(awaited: AwaitedFrames, data: Uint8Array, from: number): number {
  for (let at = from; at + HEADER_BYTES < data.length; at++) if (awaited.beginsAt(data, at)) return at;
  return -1;
}
