/**
 * Modbus TCP on a socket: modbus-serial builds requests and judges replies; the port it stands on is ours. The
 * library's own copies each reply several times and passes over what nobody awaits without a word; this one takes a
 * reply that is just as asked for as it is, gives the library every other, and counts those of no awaited
 * transaction. Source: MODBUS Messaging on TCP/IP, 3.1.3.
 */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import modbusSerial from 'modbus-serial';
import type { Framing, OnReply } from './framing.ts';
import { MbapReader } from './mbap.ts';
import { dataBytes, type ReadRequest } from './reply.ts';
import { putCrc } from './rtu/crc.ts';

const ModbusClient = modbusSerial.default;
type Client = InstanceType<typeof ModbusClient>;

export interface MbapCounters {
  /** Whole frames that answer no request that is awaited. */
  late_replies: number;
}

const HEADER_BYTES = 6;
const CRC_BYTES = 2;
/** Numbers in use, one after the other: the library remembers the last request under each. */
const TRANSACTIONS = 1024;
/** Unit, and a longest PDU, and the check sum the library expects of every port. */
const LONGEST_REPLY = 256;

export class MbapFraming implements Framing {
  readonly #port: MbapPort;
  readonly #client: Client;

  constructor(stream: Duplex, counters: MbapCounters) {
    this.#port = new MbapPort(stream, counters);
    this.#client = new ModbusClient(this.#port as unknown as ConstructorParameters<typeof ModbusClient>[0]);
    this.#client.on('error', () => {});
    this.#client.open(() => {});
  }

  send(request: ReadRequest, onReply: OnReply): void {
    const { unit, code, address, count } = request;
    const { settle } = this.#port;
    this.#port.expect(request, onReply);
    if (code === 1) this.#client.writeFC1(unit, address, count, settle);
    else if (code === 2) this.#client.writeFC2(unit, address, count, settle);
    else if (code === 3) this.#client.writeFC3(unit, address, count, settle);
    else this.#client.writeFC4(unit, address, count, settle);
  }

  giveUp(): string | undefined {
    return this.#port.giveUp();
  }
}

/** A port as modbus-serial takes one: frames with a check sum go in and out, transactions by the two ids. */
class MbapPort extends EventEmitter {
  readonly isOpen = true;
  /** Set by the library to the number of the next request, and read by it with each reply. */
  _transactionIdWrite = 1;
  _transactionIdRead = 0;
  readonly #stream: Duplex;
  readonly #counters: MbapCounters;
  readonly #reader = new MbapReader();
  readonly #reply = Buffer.alloc(LONGEST_REPLY + CRC_BYTES);
  #awaited = -1;
  #request: ReadRequest | undefined;
  #onReply: OnReply | undefined;
  #received_bytes = 0;

  constructor(stream: Duplex, counters: MbapCounters) {
    super();
    this.#stream = stream;
    this.#counters = counters;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
  }

  expect(request: ReadRequest, onReply: OnReply): void {
    this.#request = request;
    this.#onReply = onReply;
    this.#received_bytes = 0;
  }

  readonly settle: OnReply = (error, reply) => {
    const onReply = this.#onReply;
    this.#request = undefined;
    this.#onReply = undefined;
    onReply?.(error, reply);
  };

  giveUp(): string | undefined {
    this.#request = undefined;
    this.#onReply = undefined;
    return this.#received_bytes > 0 ? `${this.#received_bytes} bytes that answer nothing` : undefined;
  }

  open(done: (error?: Error) => void): void {
    done();
  }

  /** The link owns the stream. */
  close(done?: (error?: Error) => void): void {
    done?.();
  }

  /** Unit and PDU with a check sum, which Modbus TCP has none of. */
  write(frame: Buffer): void {
    const length = frame.length - CRC_BYTES;
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + length);
    this.#awaited = this._transactionIdWrite;
    bytes.writeUInt16BE(this.#awaited, 0);
    bytes.writeUInt32BE(length, 2);
    frame.copy(bytes, HEADER_BYTES, 0, length);
    this._transactionIdWrite = (this.#awaited % TRANSACTIONS) + 1;
    this.#stream.write(bytes);
  }

  #receive(bytes: Uint8Array): void {
    this.#received_bytes += bytes.length;
    this.#reader.read(bytes, this.#onFrame);
    if (this.#reader.broken) this.settle({ message: 'bytes that are no Modbus TCP' }, undefined);
  }

  readonly #onFrame = (transaction: number, unit: number, pdu: Uint8Array): void => {
    const request = this.#request;
    if (!request || transaction !== this.#awaited) {
      this.#counters.late_replies++;
      return;
    }
    if (unit !== request.unit && unit !== request.reply_unit) {
      this.settle({ message: `from unit ${unit}` }, undefined);
      return;
    }
    if (pdu[0] === request.code && pdu[1] === pdu.length - 2 && pdu[1] === dataBytes(request)) {
      // As it should be: without the copies and check sums that the library would make of it first.
      this.settle(null, { buffer: pdu.subarray(2) });
      return;
    }
    const is_exception = (pdu[0] & 0x80) !== 0;
    if (is_exception && (pdu[0] !== (request.code | 0x80) || pdu.length !== 2)) {
      this.settle({ message: `function code ${pdu[0]}, ${pdu.length} bytes` }, undefined);
      return;
    }
    const reply = this.#reply;
    // A device that answers as another unit than was asked is known to its profile, not to the library.
    reply[0] = request.unit;
    reply.set(pdu, 1);
    putCrc(reply, pdu.length + 1);
    this._transactionIdRead = transaction;
    this.emit('data', reply.subarray(0, pdu.length + 1 + CRC_BYTES));
  };
}
