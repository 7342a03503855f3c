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

/** Collects the bytes of a stream into frames; what is no Modbus breaks the stream for good. */
export class MbapReader {
  /** Set once the stream is out of step; nothing is read from then on. */
  broken = false;
  #rest: Uint8Array = NO_BYTES;

  /** Of a frame that has begun and not ended. */
  get pending_bytes(): number {
    return this.#rest.length;
  }

  get pending(): Uint8Array {
    return this.#rest;
  }

  /** Begins anew with what comes next; how many bytes are left out. */
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
    while (!this.broken && data.length - at >= HEADER_BYTES) {
      const length = (data[at + 4] << 8) | data[at + 5];
      if (data[at + 2] !== 0 || data[at + 3] !== 0 || length < 2 || length > MAX_LENGTH) this.broken = true;
      if (this.broken || data.length - at < 6 + length) break;
      const end = at + 6 + length;
      onFrame((data[at] << 8) | data[at + 1], data[at + 6], data.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#rest = at === data.length ? NO_BYTES : data.slice(at);
  }
}
