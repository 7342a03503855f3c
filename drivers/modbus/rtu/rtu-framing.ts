/**
 * Modbus RTU on a stream of bytes (a serial port, or a serial server over TCP). RTU has no transaction
 * numbers and no start mark: a reply is what has the unit, function, length and check sum that are awaited;
 * everything else is noise. Source: MODBUS over Serial Line V1.02, 2.5.1.
 */
import type { Duplex } from 'node:stream';
import type { Framing, OnReply } from '../framing.ts';
import { dataBytes, type ReadRequest } from '../reply.ts';
import { crcFits, encodeRtu } from './crc.ts';

export interface RtuCounters {
  /** Bytes that belong to no reply: late, disturbed, or of others on the bus. */
  stray_bytes: number;
}

export interface RtuFramingOptions {
  /** The adapter receives what it sends: an exact copy of each request is taken off. */
  readonly echo: boolean;
  readonly counters: RtuCounters;
}

/** A longest frame, an echo before it, and as much noise again. */
const MAX_WAITING_BYTES = 1024;
const EXCEPTION_BYTES = 5;
/** Unit, function, byte count, and the check sum behind the data. */
const FRAME_BYTES = 5;

export class RtuFraming implements Framing {
  readonly #stream: Duplex;
  readonly #options: RtuFramingOptions;
  readonly #bytes = new Uint8Array(MAX_WAITING_BYTES);
  #length = 0;
  #request: ReadRequest | undefined;
  #sent: Uint8Array = new Uint8Array(0);
  #echo_pending = false;
  #onReply: OnReply | undefined;

  constructor(stream: Duplex, options: RtuFramingOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
  }

  send(request: ReadRequest, onReply: OnReply): void {
    this.#drop();
    const { unit, code, address, count } = request;
    const pdu = Uint8Array.of(code, address >> 8, address & 0xff, count >> 8, count & 0xff);
    this.#sent = encodeRtu(unit, pdu);
    this.#request = request;
    this.#onReply = onReply;
    this.#echo_pending = this.#options.echo;
    this.#stream.write(this.#sent);
  }

  giveUp(): string | undefined {
    const came = this.#length > 0 ? this.#describe() : undefined;
    this.#request = undefined;
    this.#onReply = undefined;
    this.#drop();
    return came;
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#request) {
      this.#options.counters.stray_bytes += bytes.length;
      return;
    }
    const fitting = Math.min(bytes.length, MAX_WAITING_BYTES - this.#length);
    this.#bytes.set(bytes.subarray(0, fitting), this.#length);
    this.#length += fitting;
    this.#options.counters.stray_bytes += bytes.length - fitting;
    if (this.#echo_pending && !this.#takeEcho()) return;
    this.#search(this.#request);
  }

  /** False while the bytes so far may become the echo. */
  #takeEcho(): boolean {
    const { length } = this.#sent;
    for (let i = 0; i < Math.min(length, this.#length); i++) {
      if (this.#bytes[i] === this.#sent[i]) continue;
      this.#echo_pending = false;
      return true;
    }
    if (this.#length < length) return false;
    this.#bytes.copyWithin(0, length, this.#length);
    this.#length -= length;
    this.#echo_pending = false;
    return true;
  }

  /** A whole reply at any place counts: what stands before it is noise of the line. */
  #search(request: ReadRequest): void {
    const unit = request.reply_unit ?? request.unit;
    const data_length = dataBytes(request);
    for (let at = 0; at + EXCEPTION_BYTES <= this.#length; at++) {
      if (this.#bytes[at] !== unit) continue;
      const code = this.#bytes[at + 1];
      if (code === request.code && this.#bytes[at + 2] === data_length) {
        const length = FRAME_BYTES + data_length;
        if (at + length > this.#length || !crcFits(this.#bytes, at, length)) continue;
        this.#settle(length, null, this.#bytes.slice(at + 3, at + 3 + data_length));
        return;
      }
      if (code === (request.code | 0x80) && crcFits(this.#bytes, at, EXCEPTION_BYTES)) {
        const error = { message: 'exception', modbusCode: this.#bytes[at + 2] };
        this.#settle(EXCEPTION_BYTES, error, undefined);
        return;
      }
    }
  }

  #settle(
    length: number,
    error: { message: string; modbusCode: number } | null,
    data: Uint8Array | undefined,
  ): void {
    const onReply = this.#onReply;
    this.#options.counters.stray_bytes += this.#length - length;
    this.#length = 0;
    this.#request = undefined;
    this.#onReply = undefined;
    onReply?.(error, data && { buffer: data });
  }

  #drop(): void {
    this.#options.counters.stray_bytes += this.#length;
    this.#length = 0;
  }

  #describe(): string {
    const { length } = this.#sent;
    const copied = this.#length === length && this.#sent.every((byte, i) => byte === this.#bytes[i]);
    if (copied) return 'nothing but an echo of the request, which "echo: true" takes off';
    const head = Buffer.from(this.#bytes.subarray(0, Math.min(this.#length, 8))).toString('hex');
    return `${this.#length} bytes that are no reply to it (${head}${this.#length > 8 ? '…' : ''})`;
  }
}
