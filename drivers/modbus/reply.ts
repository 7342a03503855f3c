/** What a reply to a read request is worth: registers, an exception, or something that must not be believed. */

export interface ReadRequest {
  readonly unit: number;
  /** 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers. */
  readonly code: 1 | 2 | 3 | 4;
  readonly address: number;
  /** Registers, or coils. */
  readonly count: number;
  /** The unit that answers in frames of a serial line, where it is not the one that was asked. */
  readonly reply_unit?: number | undefined;
  /** What the device needs where that is more than the link's own. */
  readonly timeout_ms?: number | undefined;
  readonly gap_ms?: number | undefined;
}

/**
 * timeout: silence. busy: ask again soon (exceptions 05, 06). unit_offline: a gateway cannot reach the unit
 * (0A, 0B). exception: the unit refuses (01 to 04 and others). bad_reply: not an answer to the request.
 * link: no connection.
 */
export type FailureKind = 'timeout' | 'busy' | 'unit_offline' | 'exception' | 'bad_reply' | 'link';

/** An exception of the unit (with its code), or something that is no answer (without). */
export interface ModbusError {
  readonly message: string;
  readonly modbusCode?: number;
}

export interface ModbusReply {
  readonly buffer: Uint8Array;
}

export interface Verdict {
  readonly kind: FailureKind;
  readonly text: string;
  /** The exception code, where the unit sent one. */
  readonly exception?: number;
}

const EXCEPTION_NAMES: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledge',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target did not respond',
};

/** Undefined: the registers were good and stand in `into`. */
export function judgeReply(
  request: ReadRequest,
  error: ModbusError | null,
  reply: ModbusReply | undefined,
  into: Uint16Array,
): Verdict | undefined {
  if (error?.modbusCode !== undefined) return judgeException(error.modbusCode);
  if (error || !reply) {
    return { kind: 'bad_reply', text: `wrong reply (${error?.message ?? 'empty'})` };
  }
  const { buffer } = reply;
  const expected = dataBytes(request);
  if (buffer.length !== expected) {
    const text = `wrong reply (${buffer.length} bytes of data, expected ${expected})`;
    return { kind: 'bad_reply', text };
  }
  if (readsBits(request)) {
    for (let i = 0; i < request.count; i++) into[i] = (buffer[i >> 3] >> (i & 7)) & 1;
  } else {
    for (let i = 0; i < request.count; i++) into[i] = (buffer[2 * i] << 8) | buffer[2 * i + 1];
  }
  return undefined;
}

/** Coils come eight to a byte, lowest first; each becomes one element. */
function readsBits({ code }: ReadRequest): boolean {
  return code <= 2;
}

/** Bytes of data a good reply has. */
export function dataBytes(request: ReadRequest): number {
  return readsBits(request) ? (request.count + 7) >> 3 : 2 * request.count;
}

function judgeException(code: number): Verdict {
  const name = EXCEPTION_NAMES[code] ?? 'unknown';
  const text = `exception ${code.toString(16).toUpperCase().padStart(2, '0')} (${name})`;
  if (code === 5 || code === 6) return { kind: 'busy', text };
  if (code === 10 || code === 11) return { kind: 'unit_offline', text };
  return { kind: 'exception', text, exception: code };
}
