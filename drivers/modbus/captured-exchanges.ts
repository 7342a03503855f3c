/**
 * Requests and replies in hex, as people post them: one pair a line (or a line each), RTU with its check sum or
 * Modbus TCP with its header, with whatever marks stand around the bytes. What they say becomes registers.
 */
import { crcFits } from './rtu/crc.ts';

export interface CapturedRead {
  readonly line: number;
  readonly unit: number;
  readonly code: 1 | 2 | 3 | 4;
  readonly address: number;
  /** Registers; of functions 1 and 2 one bit each. */
  readonly words: Uint16Array;
}

export interface CapturedExchanges {
  readonly reads: readonly CapturedRead[];
  /** Requests that the unit refused, or that are not reads: reported, but no fault of the file. */
  readonly notes: readonly string[];
  /** `LINE: found …, expected …`. */
  readonly problems: readonly string[];
}

/** Marks around the bytes: directions, arrows, times of day. */
const MARK =
  /^(?:\[?(?:tx|rx|req|request|query|res|resp|response|rsp|reply|answer|send|sent|recv|received|master|slave|out|in)\]?:?|[-=]*>+|<+[-=]*|[|;,:]+|\[?\d{4}-\d{2}-\d{2}(?:t[\d:.,]+z?)?\]?|\[?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\]?)$/i;
const HEX = /^(?:0x)?((?:[0-9a-f]{2})+)$/i;

class Unreadable extends Error {}

/** `reply_unit_plus`: of devices that answer as another unit. */
export function readExchanges(text: string, reply_unit_plus = 0): CapturedExchanges {
  const reads: CapturedRead[] = [];
  const notes: string[] = [];
  const problems: string[] = [];
  let waiting: { line: number; request: Request } | undefined;
  text.split(/\r?\n/).forEach((content, i) => {
    const line = i + 1;
    try {
      const bytes = bytesIn(content);
      if (bytes.length === 0) return;
      const request = waiting?.request ?? requestIn(bytes);
      const reply = waiting ? bytes : bytes.subarray(request.length);
      if (reply.length === 0) {
        waiting = { line, request };
        return;
      }
      waiting = undefined;
      const outcome = outcomeOf(request, reply, reply_unit_plus);
      if (typeof outcome === 'string') notes.push(`${line}: ${outcome}`);
      else reads.push({ line, ...request, words: outcome, code: request.code as CapturedRead['code'] });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      waiting = undefined;
      problems.push(`${line}: ${error.message}`);
    }
  });
  if (waiting)
    problems.push(`${waiting.line}: found a request alone, expected its reply behind it or in the next line`);
  return { reads, notes, problems };
}

function bytesIn(content: string): Uint8Array {
  const digits: string[] = [];
  for (const word of content.replace(/#.*|\/\/.*/, '').split(/[\s,;|"'()]+/)) {
    const bare = word.replace(/^(?:tx|rx)[:>]/i, '').replace(/^[[{<>]+|[\]}<>:]+$/g, '');
    if (bare === '' || MARK.test(word)) continue;
    const hex = HEX.exec(bare)?.[1] ?? HEX.exec(bare.replaceAll(/[:.-]/g, ''))?.[1];
    if (hex === undefined)
      throw new Unreadable(`found "${word}", expected bytes in hex, such as 01 03 00 00 00 0A C5 CD`);
    digits.push(hex);
  }
  return Uint8Array.from(Buffer.from(digits.join(''), 'hex'));
}

interface Request {
  readonly is_tcp: boolean;
  readonly transaction: number;
  readonly unit: number;
  readonly code: number;
  readonly address: number;
  readonly count: number;
  /** Bytes of the request. */
  readonly length: number;
}

const RTU_BYTES = 8;
const TCP_BYTES = 12;
const MAX_COUNT = { bits: 2000, registers: 125 };

function requestIn(bytes: Uint8Array): Request {
  const is_rtu = bytes.length >= RTU_BYTES && crcFits(bytes, 0, RTU_BYTES);
  const is_tcp = !is_rtu && bytes.length >= TCP_BYTES && word(bytes, 2) === 0 && word(bytes, 4) === 6;
  const length = is_tcp ? TCP_BYTES : RTU_BYTES;
  if (bytes.length < length) {
    const expected = `${RTU_BYTES} (RTU, with its check sum) or ${TCP_BYTES} (TCP) of a request, then its reply`;
    throw new Unreadable(`found ${bytes.length} bytes, expected ${expected}`);
  }
  if (!is_tcp && !is_rtu) {
    const found = hexOf(bytes.subarray(0, RTU_BYTES));
    throw new Unreadable(
      `found ${found} with a check sum that does not fit, expected a request of ${RTU_BYTES} bytes`,
    );
  }
  const at = is_tcp ? 6 : 0;
  const [unit, code] = [bytes[at], bytes[at + 1]];
  const request = {
    is_tcp,
    transaction: is_tcp ? word(bytes, 0) : 0,
    unit,
    code,
    address: word(bytes, at + 2),
    count: word(bytes, at + 4),
    length,
  };
  const most = code <= 2 ? MAX_COUNT.bits : MAX_COUNT.registers;
  if (isRead(code) && (request.count < 1 || request.count > most))
    throw new Unreadable(`found a request for ${request.count}, expected 1 to ${most}`);
  return request;
}

const isRead = (code: number) => code >= 1 && code <= 4;

/** What was read, or what there is to say instead. */
function outcomeOf(request: Request, reply: Uint8Array, reply_unit_plus: number): Uint16Array | string {
  const { is_tcp, unit, code, count, address } = request;
  if (!isRead(code)) return `function ${code} reads no registers; passed over`;
  const pdu = is_tcp ? tcpPdu(request, reply) : rtuPdu(reply);
  const answered = is_tcp ? reply[6] : reply[0];
  if (answered !== unit && answered !== unit + reply_unit_plus)
    throw new Unreadable(`found a reply of unit ${answered}, expected one of unit ${unit + reply_unit_plus}`);
  if (pdu[0] === (code | 0x80))
    return `unit ${unit} refuses ${count} from ${address} on: exception ${pdu[1]}`;
  if (pdu[0] !== code) throw new Unreadable(`found a reply of function ${pdu[0]}, expected ${code}`);
  const size = code <= 2 ? Math.ceil(count / 8) : 2 * count;
  if (pdu[1] !== size || pdu.length !== 2 + size)
    throw new Unreadable(
      `found a reply with ${pdu.length - 2} bytes of data that says ${pdu[1]}, expected ${size}`,
    );
  return Uint16Array.from({ length: count }, (_, i) =>
    code <= 2 ? (pdu[2 + (i >> 3)] >> (i & 7)) & 1 : word(pdu, 2 + 2 * i),
  );
}

function rtuPdu(reply: Uint8Array): Uint8Array {
  if (reply.length < 5 || !crcFits(reply, 0, reply.length))
    throw new Unreadable(
      `found a reply of ${reply.length} bytes whose check sum does not fit, expected a whole one`,
    );
  return reply.subarray(1, -2);
}

function tcpPdu({ transaction }: Request, reply: Uint8Array): Uint8Array {
  if (reply.length < 9 || word(reply, 2) !== 0 || word(reply, 4) !== reply.length - 6)
    throw new Unreadable(
      `found a reply of ${reply.length} bytes whose header does not say so, expected a whole one`,
    );
  if (word(reply, 0) !== transaction)
    throw new Unreadable(`found a reply to transaction ${word(reply, 0)}, expected ${transaction}`);
  return reply.subarray(7);
}

const word = (bytes: Uint8Array, at: number) => (bytes[at] << 8) | bytes[at + 1];
const hexOf = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$& ');
