/**
 * The LAWICEL ASCII protocol ("slcan") of USB adapters such as CANable and CANUSB: bytes to frames and back.
 * A line is a letter and hex digits and ends with CR; BEL is the adapter's "no".
 */
import type { CanFrame } from './can-bus.ts';
import type { SentFrame } from './virtual-bus.ts';

const CR = 0x0d;
const LF = 0x0a;
const BEL = 0x07;
/** T, 8 digits of id, length, 16 digits of data, 8 of a time stamp: 34; some room for answers to V and N. */
const MAX_LINE_CHARACTERS = 64;

/** Setup command by bit rate. */
const SPEED_COMMANDS = {
  10000: 'S0',
  20000: 'S1',
  50000: 'S2',
  100000: 'S3',
  125000: 'S4',
  250000: 'S5',
  500000: 'S6',
  800000: 'S7',
  1000000: 'S8',
} as const;

export type SlcanBitrate = keyof typeof SPEED_COMMANDS;
export const SLCAN_BITRATES = Object.keys(SPEED_COMMANDS).map(Number) as SlcanBitrate[];

export function speedCommand(bitrate_bps: SlcanBitrate): string {
  return SPEED_COMMANDS[bitrate_bps];
}

export interface SlcanListener {
  /** The frame is reused: valid during the call only; `rx_mono_ms` is for the listener to set. */
  onFrame(frame: CanFrame): void;
  /** CR or BEL that ends no frame: the answer to a command. `text` is what stood before it. */
  onAnswer(accepted: boolean, text: string): void;
}

/** Takes bytes in any pieces. What is no line of the protocol is counted and left behind at its end. */
export class SlcanParser {
  readonly counts = { malformed_lines: 0, remote_frames: 0 };
  readonly #listener: SlcanListener;
  readonly #line = new Uint8Array(MAX_LINE_CHARACTERS);
  readonly #frame: CanFrame = {
    id: 0,
    extended: false,
    data: new Uint8Array(8),
    length: 0,
    fd: false,
    rx_mono_ms: 0,
  };
  #length = 0;
  /** The line is longer than any: the rest of it is left out. */
  #overlong = false;

  constructor(listener: SlcanListener) {
    this.#listener = listener;
  }

  /** Forgets what has come of a line, after the adapter was opened again. */
  reset(): void {
    this.#length = 0;
    this.#overlong = false;
  }

  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === CR || byte === BEL) this.#end(byte);
      else if (byte === LF) continue;
      else if (this.#length < MAX_LINE_CHARACTERS) this.#line[this.#length++] = byte;
      else this.#overlong = true;
    }
  }

  #end(terminator: number): void {
    const malformed = this.#overlong || !this.#take(terminator);
    if (malformed) this.counts.malformed_lines++;
    this.reset();
  }

  #take(terminator: number): boolean {
    if (terminator === BEL || this.#length === 0) {
      this.#listener.onAnswer(terminator === CR, '');
      return this.#length === 0;
    }
    switch (String.fromCharCode(this.#line[0])) {
      case 't':
        return this.#takeFrame(3, false);
      case 'T':
        return this.#takeFrame(8, true);
      case 'r':
        return this.#takeRemote(3);
      case 'R':
        return this.#takeRemote(8);
      case 'z':
      case 'Z':
        return this.#length === 1;
      case 'F':
      case 'V':
      case 'v':
      case 'N':
        this.#listener.onAnswer(true, String.fromCharCode(...this.#line.subarray(0, this.#length)));
        return true;
      default:
        return false;
    }
  }

  #takeFrame(id_digits: number, extended: boolean): boolean {
    const frame = this.#frame;
    const id = this.#hex(1, id_digits);
    const length = this.#hex(1 + id_digits, 1);
    const data_at = 2 + id_digits;
    if (!this.#isWhole(id, length, data_at, 2 * length, extended)) return false;
    for (let i = 0; i < length; i++) {
      const byte = this.#hex(data_at + 2 * i, 2);
      if (byte < 0) return false;
      frame.data[i] = byte;
    }
    frame.id = id;
    frame.extended = extended;
    frame.length = length;
    this.#listener.onFrame(frame);
    return true;
  }

  #takeRemote(id_digits: number): boolean {
    const id = this.#hex(1, id_digits);
    const length = this.#hex(1 + id_digits, 1);
    if (!this.#isWhole(id, length, 2 + id_digits, 0, id_digits === 8)) return false;
    this.counts.remote_frames++;
    return true;
  }

  /** Id and length in range, and as many digits as the length says; with a time stamp of 4 or 8 digits, or without. */
  #isWhole(id: number, length: number, data_at: number, digits: number, extended: boolean): boolean {
    if (id < 0 || id > (extended ? 0x1fffffff : 0x7ff) || length < 0 || length > 8) return false;
    const rest = this.#length - data_at - digits;
    return rest === 0 || ((rest === 4 || rest === 8) && this.#hex(data_at + digits, rest) >= 0);
  }

  /** -1 where one is no hex digit or the line ends before. */
  #hex(at: number, count: number): number {
    if (at + count > this.#length) return -1;
    let value = 0;
    for (let i = at; i < at + count; i++) {
      const digit = hexDigit(this.#line[i]);
      if (digit < 0) return -1;
      value = value * 16 + digit;
    }
    return value;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

export function slcanLine({ id, extended, data, length }: SentFrame): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const bytes = Array.from(data.subarray(0, length), byte => hex(byte, 2)).join('');
  return `${extended ? 'T' : 't'}${hex(id, extended ? 8 : 3)}${length}${bytes}\r`;
}

/** Status flags (answer to F) that mean a fault of the bus; undefined: none, or no such answer. */
export function faultInFlags(answer: string): string | undefined {
  if (!/^F[0-9A-Fa-f]{2}$/.test(answer)) return undefined;
  const flags = Number.parseInt(answer.slice(1), 16);
  if (flags & 0x80) return 'bus errors; check wiring, termination and bit rate';
  if (flags & 0x20) return 'error passive; check wiring, termination and bit rate';
  if (flags & 0x09) return 'the adapter loses frames';
  if (flags & 0x04) return 'error warning; check wiring and termination';
  return undefined;
}
