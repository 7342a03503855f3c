/** What is read of a device over ISO-TP, worked out for one pack. */
import { holds } from '../../profiles/option-is.ts';
import type { IsoTpLinkSection, IsoTpSection, IsoTpRead as ReadSection } from './iso-tp-section.ts';

type Options = Parameters<typeof holds>[1];

/** Replies carry the service they answer, plus this (ISO 14229-1, section 8.2). */
const POSITIVE = 0x40;
const DEFAULT_PAUSE_MS = 100;
/** What a request and its reply take on the bus, on the whole. */
const USUAL_EXCHANGE_MS = 50;
/** The tester's address of extended addressing. */
const TESTER = 0xf1;

/** One identifier to read. */
export interface IsoTpRead {
  readonly request: Uint8Array;
  /** What its reply begins with: service and identifier. */
  readonly reply_head: Uint8Array;
  /** The same as a number, see `replyKey`. */
  readonly reply_key: number;
  /** Name of the message in the DBC. */
  readonly message: string;
  readonly interval_ms: number;
}

export interface IsoTpLink {
  readonly request_id: number;
  readonly reply_id: number;
  readonly extended: boolean;
  /** First byte of requests and of replies, with extended addressing. */
  readonly request_address: number | undefined;
  readonly reply_address: number | undefined;
  readonly padding: number;
  readonly pause_ms: number;
  readonly reads: readonly IsoTpRead[];
  /** All reads once, at the pace of the link. */
  readonly sweep_ms: number;
}

/** Bytes behind the service that say what was read. */
const IDENTIFIER_BYTES: Readonly<Record<number, number>> = { 34: 2, 33: 1, 9: 1, 25: 1 };

/** Whether a request can change nothing (ISO 14229-1, SAE J1979; 21 is KWP 2000's readDataByLocalIdentifier). */
export function isReadService(request: Uint8Array): boolean {
  const [service, first] = request;
  if (service === 0x22) return request.length === 3;
  if (service === 0x21) return request.length === 2;
  if (service === 0x09) return request.length === 2 && first === 0x02;
  // Fault codes by status; all of them at once (mask FF) is a reply of many hundred bytes.
  return service === 0x19 && request.length === 3 && first === 0x02 && request[2] !== 0xff;
}

/** What a reply of `length` bytes is to; -1: no positive reply, or too short to say. */
export function replyKey(reply: Uint8Array, length: number): number {
  const count = IDENTIFIER_BYTES[reply[0] - POSITIVE];
  if (count === undefined || length < 1 + count) return -1;
  return reply[0] * 0x10000 + (count === 2 ? reply[1] * 0x100 + reply[2] : reply[1]);
}

export function requestBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], byte => Number.parseInt(byte, 16));
}

/** The requests of a row, each with its message. */
export function requestsOf({
  request,
  count = 1,
  first = 1,
  message,
}: Pick<ReadSection, 'request' | 'count' | 'first' | 'message'>): [Uint8Array, string][] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = requestBytes(request);
    const identifier = bytes.length === 3 ? bytes[1] * 0x100 + bytes[2] + i : bytes[1] + i;
    if (bytes.length === 3) bytes.set([(identifier >> 8) & 0xff, identifier & 0xff], 1);
    else bytes[1] = identifier & 0xff;
    return [
      bytes,
      message.replace(/\{(n+)\}/, (_all, digits) => String(first + i).padStart(digits.length, '0')),
    ];
  });
}

/** The forms a profile may write, as one. */
export function isoTpSections(section: IsoTpSection | undefined): readonly IsoTpLinkSection[] {
  if (section === undefined) return [];
  return Array.isArray(section) ? section : [section as IsoTpLinkSection];
}

/** `isUsed`: whether a message of the DBC says anything of this pack. */
export function isoTpLinks(
  section: IsoTpSection | undefined,
  options: Options,
  isUsed: (message: string) => boolean,
): IsoTpLink[] {
  return isoTpSections(section)
    .filter(({ use_when }) => use_when === undefined || holds(use_when, options))
    .map(one => isoTpLink(one, options, isUsed))
    .filter(({ reads }) => reads.length > 0);
}

function isoTpLink(
  section: IsoTpLinkSection,
  options: Options,
  isUsed: (message: string) => boolean,
): IsoTpLink {
  const { request_id, reply_id, extended = false, target, padding = 0 } = section;
  const { pause_ms = DEFAULT_PAUSE_MS } = section;
  const reads = section.reads
    .filter(({ use_when }) => use_when === undefined || holds(use_when, options))
    .flatMap(read =>
      requestsOf(read).map(([request, message]) => {
        const reply_head = replyHead(request);
        const reply_key = replyKey(reply_head, reply_head.length);
        return { request, reply_head, reply_key, message, interval_ms: read.interval_ms };
      }),
    )
    .filter(({ message }) => isUsed(message));
  return {
    request_id,
    reply_id,
    extended,
    request_address: target,
    reply_address: target === undefined ? undefined : TESTER,
    padding,
    pause_ms,
    reads,
    sweep_ms: reads.length * (pause_ms + USUAL_EXCHANGE_MS),
  };
}

/** How long a value that is read counts: three rounds. */
export function staleAfterMs({ interval_ms }: IsoTpRead, { sweep_ms }: IsoTpLink): number {
  return 3 * Math.max(interval_ms, sweep_ms);
}

function replyHead(request: Uint8Array): Uint8Array {
  const head = request.slice();
  head[0] += POSITIVE;
  return head;
}
