/**
 * Modbus TCP on a socket: the reply is the frame with the transaction number, unit, function and length of the
 * request. Frames of other transactions are late and passed over; what is no Modbus, or no answer under the
 * awaited number, is told at once. Source: MODBUS Messaging on TCP/IP, 3.1.3 and 4.2.
 */
import type { Duplex } from 'node:stream';
import type { Framing, OnReply } from './framing.ts';
import { MbapReader } from './mbap.ts';
import { dataBytes, type ReadRequest } from './reply.ts';

export interface MbapCounters {
  /** Whole frames that answer no request that is awaited. */
  late_replies: number;
}

export class MbapFraming implements Framing {
  readonly #stream: Duplex;
  readonly #counters: MbapCounters;
  readonly #reader = new MbapReader();
  #transaction = 0;
  #request: ReadRequest | undefined;
  #onReply: OnReply | undefined;
  #received_bytes = 0;

  constructor(stream: Duplex, counters: MbapCounters) {
    this.#stream = stream;
    this.#counters = counters;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
  }

  send(request: ReadRequest, onReply: OnReply): void {
    const { unit, code, address, count } = request;
    const transaction = (this.#transaction + 1) & 0xffff;
    this.#transaction = transaction;
    this.#request = request;
    this.#onReply = onReply;
    this.#received_bytes = 0;
    const bytes = Buffer.allocUnsafe(12);
    bytes.writeUInt16BE(transaction, 0);
    bytes.writeUInt32BE(6, 2);
    bytes[6] = unit;
    bytes[7] = code;
    bytes.writeUInt16BE(address, 8);
    bytes.writeUInt16BE(count, 10);
    this.#stream.write(bytes);
  }

  giveUp(): string | undefined {
    this.#request = undefined;
    this.#onReply = undefined;
    return this.#received_bytes > 0 ? `${this.#received_bytes} bytes that answer nothing` : undefined;
  }

  #receive(bytes: Uint8Array): void {
    this.#received_bytes += bytes.length;
    this.#reader.read(bytes, this.#onFrame);
    if (this.#reader.broken) this.#settle({ message: 'bytes that are no Modbus TCP' }, undefined);
  }

  readonly #onFrame = (transaction: number, unit: number, pdu: Uint8Array): void => {
    if (this.#request && transaction === this.#transaction) this.#judge(this.#request, unit, pdu);
    else this.#counters.late_replies++;
  };

  #judge(request: ReadRequest, unit: number, pdu: Uint8Array): void {
    const { code } = request;
    if (unit !== request.unit && unit !== request.reply_unit)
      this.#settle({ message: `from unit ${unit}` }, undefined);
    else if (pdu.length === 2 && pdu[0] === (code | 0x80))
      this.#settle({ message: 'exception', modbusCode: pdu[1] }, undefined);
    else if (pdu[0] !== code) this.#settle({ message: `function code ${pdu[0]}` }, undefined);
    else if (pdu[1] !== pdu.length - 2 || pdu[1] !== dataBytes(request))
      this.#settle({ message: `${pdu.length - 2} bytes of data, expected ${dataBytes(request)}` }, undefined);
    else this.#settle(null, { buffer: pdu.subarray(2) });
  }

  #settle(...outcome: Parameters<OnReply>): void {
    const onReply = this.#onReply;
    this.#request = undefined;
    this.#onReply = undefined;
    onReply?.(...outcome);
  }
}
