/**
 * Modbus TCP on a socket: modbus-serial builds requests and judges replies; the port it stands on is ours. The
 * library's own copies each reply several times and passes over what nobody awaits without a word; this one takes a
 * reply that is just as asked for as it is, gives the library every other, and counts those of no awaited
 * transaction. Source: MODBUS Messaging on TCP/IP, 3.1.3.
 */
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import modbusSerial from 'modbus-serial';
import type { ModbusTcpConnection } from './connections.ts';
import type { Framing, OnReply } from './framing.ts';
import { type AwaitedFrames, MbapReader } from './mbap.ts';
import { dataBytes, type ReadRequest } from './reply.ts';
import { crcFits, putCrc } from './rtu/crc.ts';

const ModbusClient = modbusSerial.default;
type Client = InstanceType<typeof ModbusClient>;

/** What the other side gets wrong in the headers of its replies, and is allowed to. */
export type OddHeaders = Pick<ModbusTcpConnection, 'reply_transaction' | 'reply_unit' | 'length_counts_crc'>;

export interface MbapCounters {
  /** Whole frames that answer no request that is awaited. */
  late_replies: number;
  /** Bytes behind whole replies that belong to no frame. */
  trailing_bytes: number;
}

const HEADER_BYTES = 6;
const CRC_BYTES = 2;
const TRANSACTIONS = 0xffff;
/** Unit, and a longest PDU, and the check sum the library expects of every port. */
const MAX_REPLY_BYTES = 256;
/** More than are in flight, and than the units of a link have different reads. */
const MAX_PREPARED_REQUESTS = 1024;
/** Requests given up whose replies may still come and are known as late. */
const MAX_GIVEN_UP_REQUESTS = 256;

export class MbapFraming implements Framing {
  readonly #port: MbapPort;
  readonly #client: Client;
  readonly #prepared = new Map<number, Prepared>();

  constructor(stream: Duplex, counters: MbapCounters, odd: OddHeaders = {}) {
    this.#port = new MbapPort(stream, counters, odd);
    this.#client = new ModbusClient(this.#port as unknown as ConstructorParameters<typeof ModbusClient>[0]);
    this.#client.on('error', () => {});
    this.#client.open(() => {});
  }

  send(request: ReadRequest, onReply: OnReply): void {
    const { unit, code, address, count } = request;
    const key = ((unit * 4 + code - 1) * 0x10000 + address) * 0x800 + count;
    let prepared = this.#prepared.get(key);
    if (!prepared) {
      prepared = this.#prepare(request);
      this.#prepared.set(key, prepared);
    }
    this.#port.send(prepared, request, onReply);
  }

  giveUp(onReply: OnReply): string | undefined {
    return this.#port.giveUp(onReply);
  }

  /** The same few requests are sent over and over: the library builds each once, and knows it by its number. */
  #prepare({ unit, code, address, count }: ReadRequest): Prepared {
    const number = this.#prepared.size < MAX_PREPARED_REQUESTS ? this.#prepared.size + 1 : this.#dropOldest();
    const { settle } = this.#port;
    this.#port._transactionIdWrite = number;
    if (code === 1) this.#client.writeFC1(unit, address, count, settle);
    else if (code === 2) this.#client.writeFC2(unit, address, count, settle);
    else if (code === 3) this.#client.writeFC3(unit, address, count, settle);
    else this.#client.writeFC4(unit, address, count, settle);
    return { number, frame: this.#port.built };
  }

  /** Its number is free then. */
  #dropOldest(): number {
    for (const [key, prepared] of this.#prepared) {
      if (this.#port.isAwaited(prepared)) continue;
      this.#prepared.delete(key);
      return prepared.number;
    }
    throw new Error('more requests in flight than a connection can have');
  }
}

/** A request as it goes out, but for the number of its transaction. */
interface Prepared {
  /** By which the library knows it. */
  readonly number: number;
  readonly frame: Buffer;
}

interface Awaited {
  readonly prepared: Prepared;
  readonly request: ReadRequest;
  readonly onReply: OnReply;
  /** On the wire. */
  readonly transaction: number;
  /** Bytes that answered nothing, when it was sent. */
  readonly stray_before: number;
}

/** A port as modbus-serial takes one: frames with a check sum go in and out, transactions by the two ids. */
class MbapPort extends EventEmitter {
  readonly isOpen = true;
  /** Read by the library for the number of the next request, and with each reply. */
  // biome-ignore lint/style/useNamingConvention: the library's name
  _transactionIdWrite = 1;
  // biome-ignore lint/style/useNamingConvention: the library's name
  _transactionIdRead = 0;
  /** The request the library built last. */
  built: Buffer = Buffer.alloc(0);
  readonly #stream: Duplex;
  readonly #counters: MbapCounters;
  readonly #odd: OddHeaders;
  /** The option that would take what came in place of the awaited reply. */
  #hint: string | undefined;
  readonly #reader: MbapReader;
  readonly #reply = Buffer.alloc(MAX_REPLY_BYTES + CRC_BYTES);
  readonly #awaited: (Awaited | undefined)[] = [];
  /** What the library is given to judge. */
  #judged: Awaited | undefined;
  #last_transaction = 0;
  readonly #given_up = new Map<number, OnReply>();
  #stray_bytes = 0;
  readonly #unsent: Buffer[] = [];

  constructor(stream: Duplex, counters: MbapCounters, odd: OddHeaders) {
    super();
    this.#odd = odd;
    this.#stream = stream;
    this.#counters = counters;
    this.#reader = new MbapReader(this.#awaitedFrames());
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
  }

  send(prepared: Prepared, request: ReadRequest, onReply: OnReply): void {
    let place = 0;
    while (this.#awaited[place]) place++;
    // What stands behind the last reply would shift the next one.
    if (this.#isIdle()) this.#counters.trailing_bytes += this.#reader.restart();
    const transaction = this.#freeTransaction();
    this.#awaited[place] = { prepared, request, onReply, transaction, stray_before: this.#stray_bytes };
    const { frame } = prepared;
    if (this.#awaited.length === 1 && this.#stream.writableLength === 0) {
      // Nothing is left of it in the stream from the last time.
      frame.writeUInt16BE(transaction, 0);
      this.#stream.write(frame);
      return;
    }
    const bytes = Buffer.from(frame);
    bytes.writeUInt16BE(transaction, 0);
    if (this.#unsent.push(bytes) === 1) queueMicrotask(this.#sendAll);
  }

  /** Replies that come together set off their next requests together: these go out in one piece. */
  readonly #sendAll = (): void => {
    const bytes = this.#unsent.length === 1 ? this.#unsent[0] : Buffer.concat(this.#unsent);
    this.#unsent.length = 0;
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  };

  #isIdle(): boolean {
    return !this.#awaited.some(awaited => awaited !== undefined);
  }

  isAwaited(prepared: Prepared): boolean {
    return this.#awaited.some(awaited => awaited?.prepared === prepared);
  }

  /** The library's word on the reply it was given. */
  readonly settle: OnReply = (error, reply) => {
    if (this.#judged) this.#settle(this.#judged, error, reply);
  };

  giveUp(onReply: OnReply): string | undefined {
    const place = this.#awaited.findIndex(awaited => awaited?.onReply === onReply);
    const awaited = this.#awaited[place];
    if (!awaited) return undefined;
    this.#awaited[place] = undefined;
    this.#given_up.set(awaited.transaction, onReply);
    if (this.#given_up.size > MAX_GIVEN_UP_REQUESTS)
      for (const [oldest] of this.#given_up) {
        this.#given_up.delete(oldest);
        break;
      }
    const stray = this.#stray_bytes - awaited.stray_before + this.#reader.pending_bytes;
    const { pending } = this.#reader;
    if (isRtuReply(pending, awaited.request)) return RTU_HINT;
    return stray > 0 ? (this.#hint ?? `${stray} bytes that answer nothing`) : undefined;
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
    this.built = Buffer.alloc(HEADER_BYTES + length);
    this.built.writeUInt32BE(length, 2);
    frame.copy(this.built, HEADER_BYTES, 0, length);
  }

  /** One whose late reply could still be taken for that of this request is passed over. */
  #freeTransaction(): number {
    do this.#last_transaction = (this.#last_transaction % TRANSACTIONS) + 1;
    while (this.#given_up.has(this.#last_transaction) || this.#placeOf(this.#last_transaction) >= 0);
    return this.#last_transaction;
  }

  #placeOf(transaction: number): number {
    for (let i = 0; i < this.#awaited.length; i++)
      if (this.#awaited[i]?.transaction === transaction) return i;
    return -1;
  }

  #settle(awaited: Awaited, ...[error, reply]: Parameters<OnReply>): void {
    const place = this.#awaited.indexOf(awaited);
    if (place < 0) return;
    this.#awaited[place] = undefined;
    awaited.onReply(error, reply);
  }

  #receive(bytes: Uint8Array): void {
    const passed_over = this.#reader.passed_over_bytes;
    this.#reader.read(bytes, this.#onFrame);
    this.#counters.trailing_bytes += this.#reader.passed_over_bytes - passed_over;
    if (this.#isIdle() || this.#reader.pending_bytes === 0) return;
    const { pending, broken } = this.#reader;
    for (const awaited of [...this.#awaited]) {
      if (!awaited) continue;
      const is_rtu = isRtuReply(pending, awaited.request);
      if (!is_rtu && !broken) continue;
      this.#settle(awaited, { message: is_rtu ? RTU_HINT : 'bytes that are no Modbus TCP' }, undefined);
    }
  }

  /** Some gateways send bytes after a reply that belong to nothing, and some of these come after the next request. */
  #awaitedFrames(): AwaitedFrames {
    const { reply_transaction = 'same' } = this.#odd;
    const place = (data: Uint8Array, at: number) => this.#placeOfReply((data[at] << 8) | data[at + 1]);
    return {
      isKnown: transaction =>
        reply_transaction === 'any' ||
        this.#placeOfReply(transaction) >= 0 ||
        this.#given_up.has(transaction),
      beginsAt: (data, at) => {
        const awaited = this.#awaited[place(data, at)];
        return awaited !== undefined && beginsReply(data, at, awaited.request);
      },
    };
  }

  /** Where the reply with this transaction id is awaited; -1: nowhere. */
  #placeOfReply(transaction: number): number {
    const { reply_transaction = 'same' } = this.#odd;
    if (reply_transaction === 'next') return this.#placeOf((transaction + TRANSACTIONS) & TRANSACTIONS);
    const takesAny = reply_transaction === 'any' || (reply_transaction === 'zero' && transaction === 0);
    // One request is in flight then.
    if (takesAny) return this.#awaited.findIndex(awaited => awaited !== undefined);
    return this.#placeOf(transaction);
  }

  /** What a frame that answers nothing would be if an option allowed it. */
  #hintFor(transaction: number, unit: number, pdu: Uint8Array): string | undefined {
    const [awaited] = this.#awaited;
    if (!awaited || this.#awaited.length > 1 || this.#given_up.has(transaction)) return undefined;
    const { request } = awaited;
    const fits = pdu[0] === request.code && pdu[1] === dataBytes(request);
    if (!fits || (unit !== request.unit && unit !== 0)) return undefined;
    const option = transaction === 0 ? 'zero' : transaction === awaited.transaction + 1 ? 'next' : 'any';
    return `a reply with transaction id ${transaction} to request ${awaited.transaction}, allowed by "reply_transaction: ${option}" if the device always answers so`;
  }

  readonly #onFrame = (transaction: number, unit: number, whole: Uint8Array): void => {
    let pdu = whole;
    const place = this.#placeOfReply(transaction);
    const awaited = this.#awaited[place];
    if (!awaited) {
      this.#hint = this.#hintFor(transaction, unit, pdu);
      this.#counters.late_replies++;
      const late = this.#given_up.get(transaction);
      if (!late) this.#stray_bytes += HEADER_BYTES + 1 + pdu.length;
      this.#given_up.delete(transaction);
      late?.(null, undefined);
      return;
    }
    const { request } = awaited;
    const isAllowed = unit === 0 && this.#odd.reply_unit === 'zero';
    if (unit !== request.unit && unit !== request.reply_unit && !isAllowed) {
      const hint = unit === 0 ? ', allowed by "reply_unit: zero" if the device always answers so' : '';
      this.#settle(awaited, { message: `from unit ${unit}${hint}` }, undefined);
      return;
    }
    if (countsCrc(unit, pdu, request)) {
      if (!this.#odd.length_counts_crc) {
        const message = 'its length counts a checksum, allowed by "length_counts_crc: true"';
        this.#settle(awaited, { message }, undefined);
        return;
      }
      pdu = pdu.subarray(0, -CRC_BYTES);
    }
    if (pdu[0] === request.code && pdu[1] === pdu.length - 2 && pdu[1] === dataBytes(request)) {
      // As it should be: without the copies and check sums that the library would make of it first.
      this.#settle(awaited, null, { buffer: pdu.subarray(2) });
      return;
    }
    const is_exception = (pdu[0] & 0x80) !== 0;
    if (is_exception && (pdu[0] !== (request.code | 0x80) || pdu.length !== 2)) {
      this.#settle(awaited, { message: `function code ${pdu[0]}, ${pdu.length} bytes` }, undefined);
      return;
    }
    const reply = this.#reply;
    // A device that answers as another unit than was asked is known to its profile, not to the library.
    reply[0] = request.unit;
    reply.set(pdu, 1);
    putCrc(reply, pdu.length + 1);
    this.#judged = awaited;
    this._transactionIdRead = awaited.prepared.number;
    this.emit('data', reply.subarray(0, pdu.length + 1 + CRC_BYTES));
  };
}

const RTU_HINT = 'RTU frames in place of Modbus TCP: try type modbus-rtu-tcp';

/** A frame of a serial line, with its check sum, that answers the request. */
function isRtuReply(bytes: Uint8Array, request: ReadRequest): boolean {
  const is_exception = bytes[1] === (request.code | 0x80);
  const length = is_exception ? 5 : 5 + dataBytes(request);
  if (!is_exception && bytes[1] !== request.code) return false;
  return bytes[0] === request.unit && bytes.length >= length && crcFits(bytes, 0, length);
}

/** Header and function code of a reply to the request, or of its exception; with a check sum counted or not. */
function beginsReply(data: Uint8Array, at: number, request: ReadRequest): boolean {
  const code = data[at + 7];
  const length = ((data[at + 4] << 8) | data[at + 5]) - 1;
  const unit = data[at + 6];
  const whole = code === request.code ? 2 + dataBytes(request) : 2;
  return (
    data[at + 2] === 0 &&
    data[at + 3] === 0 &&
    (length === whole || length === whole + CRC_BYTES) &&
    (unit === request.unit || unit === request.reply_unit || unit === 0) &&
    (code === request.code || code === (request.code | 0x80))
  );
}

/** The reply is two bytes longer than it should be, and these are the check sum of the rest. */
function countsCrc(unit: number, pdu: Uint8Array, request: ReadRequest): boolean {
  const is_exception = pdu[0] === (request.code | 0x80);
  if (pdu.length !== (is_exception ? 2 : 2 + dataBytes(request)) + CRC_BYTES) return false;
  const frame = Uint8Array.of(unit, ...pdu);
  return crcFits(frame, 0, frame.length);
}
