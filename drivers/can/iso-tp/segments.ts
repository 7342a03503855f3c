/**
 * ISO-TP frames (ISO 15765-2, section 9; frame kinds as in the Linux kernel's net/can/isotp.c): a message of up to 4095
 * bytes in single, first and consecutive frames, and flow control. The length comes from the frames' own fields: what
 * fills a frame up says nothing.
 */

export const MAX_MESSAGE_BYTES = 4095;
const FRAME_BYTES = 8;

export const FrameKind = { single: 0, first: 1, consecutive: 2, flow_control: 3 } as const;

/** What is sent after a first frame: continue, no further flow control, no gap. */
export const CONTINUE_TO_SEND: readonly number[] = [0x30, 0, 0];
/** What is sent after a first frame that announces too much. */
export const FlowStatus = { continue_to_send: 0, wait: 1, overflow: 2 } as const;

/** In a frame of `length` bytes whose field begins at `at`; -1: too short for one. */
export function frameKind(data: Uint8Array, length: number, at: number): number {
  return length > at ? data[at] >> 4 : -1;
}

/** Time that a sender keeps between consecutive frames, in ms, of the byte STmin (section 9.6.5.4). */
export function separationMs(st_min: number): number {
  if (st_min <= 0x7f) return st_min;
  return st_min >= 0xf1 && st_min <= 0xf9 ? (st_min - 0xf0) / 10 : 127;
}

/** A message in one frame; undefined where it is too long for that. */
export function singleFrame(
  message: ArrayLike<number>,
  address: number | undefined,
  padding: number,
): Uint8Array | undefined {
  const frame = new Uint8Array(FRAME_BYTES).fill(padding);
  const at = putAddress(frame, address);
  if (at + 1 + message.length > FRAME_BYTES || message.length === 0) return undefined;
  frame[at] = message.length;
  frame.set(Array.from(message), at + 1);
  return frame;
}

export function flowControl(
  bytes: readonly number[],
  address: number | undefined,
  padding: number,
): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES).fill(padding);
  frame.set(bytes, putAddress(frame, address));
  return frame;
}

/** The frames of a message: a single one, or the first and the consecutive ones. */
export function framesOf(message: Uint8Array, address: number | undefined, padding: number): Uint8Array[] {
  const single = singleFrame(message, address, padding);
  return single ? [single] : segments(message, address, padding);
}

function segments(message: Uint8Array, address: number | undefined, padding: number): Uint8Array[] {
  const first = new Uint8Array(FRAME_BYTES).fill(padding);
  const at = putAddress(first, address);
  first[at] = (FrameKind.first << 4) | (message.length >> 8);
  first[at + 1] = message.length & 0xff;
  let sent = FRAME_BYTES - at - 2;
  first.set(message.subarray(0, sent), at + 2);
  const frames = [first];
  for (let number = 1; sent < message.length; number = (number + 1) & 0xf) {
    const frame = new Uint8Array(FRAME_BYTES).fill(padding);
    putAddress(frame, address);
    frame[at] = (FrameKind.consecutive << 4) | number;
    const part = message.subarray(sent, sent + FRAME_BYTES - at - 1);
    frame.set(part, at + 1);
    sent += part.length;
    frames.push(frame);
  }
  return frames;
}

function putAddress(frame: Uint8Array, address: number | undefined): number {
  if (address === undefined) return 0;
  frame[0] = address;
  return 1;
}
