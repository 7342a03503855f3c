/**
 * The binary form of a room's state, version 1: the same message as in JSON, parted into its structure (texts,
 * names, what is null) and its numbers. The structure is JSON and goes out only when it changed; the numbers
 * follow in the structure's order. Little endian. Layout in words: docs/http-api.md, "Binary states".
 *
 *   0  u8   version, 1             12  u32  bytes of structure; 0: the one sent before under this number
 *   1  u8   1: a state             16  f64  t_ms
 *   2  u16  0                      24       structure: {"kind","room","data"}, UTF-8 JSON, in which each
 *   4  u32  number of structure             number stands for one in `values`: 0 a number, 1 a cell column
 *   8  u32  seq                    ..       values
 */
import type { ServerMessage } from './live.ts';
import { ValueReader, ValueWriter } from './live-values.ts';
import type { CellColumn } from './model.ts';

/** Subprotocols of the WebSocket (RFC 6455, section 1.9). Without one, states are JSON. */
export const BINARY_PROTOCOL = 'bms.v1';
export const JSON_PROTOCOL = 'bms.json';

export type StateMessage = Extract<ServerMessage, { type: 'state' }>;

const VERSION = 1;
const STATE = 1;
const HEAD_BYTES = 24;
const NUMBER = 0;
const COLUMN = 1;

export interface StateParts {
  readonly structure: string;
  readonly values: Uint8Array;
}

/** Equal parts mean equal states. */
export function partState(kind: string, room: string, data: object): StateParts {
  const writer = new ValueWriter();
  const structure = structureOf({ kind, room, data }, writer);
  return { structure, values: writer.bytes() };
}

export interface FrameHead {
  readonly structure_no: number;
  readonly seq: number;
  readonly t_ms: number;
}

/** `structure`: UTF-8, empty when the receiver has it under this number already. */
export function joinState(head: FrameHead, structure: Uint8Array, values: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEAD_BYTES + structure.length + values.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, STATE);
  view.setUint32(4, head.structure_no, true);
  view.setUint32(8, head.seq, true);
  view.setUint32(12, structure.length, true);
  view.setFloat64(16, head.t_ms, true);
  frame.set(structure, HEAD_BYTES);
  frame.set(values, HEAD_BYTES + structure.length);
  return frame;
}

interface Known {
  readonly kind: StateMessage['kind'];
  readonly room: string;
  readonly data: unknown;
}

/** Decodes the frames of one connection in their order; keeps one structure per room. */
export class StateDecoder {
  readonly #structures = new Map<number, Known>();
  readonly #newest = new Map<string, number>();

  /** Undefined when the bytes are no state of this version, or refer to a structure that never came. */
  decode(frame: Uint8Array): StateMessage | undefined {
    try {
      return this.#decode(frame);
    } catch {
      return undefined;
    }
  }

  forget(room: string): void {
    this.#structures.delete(this.#newest.get(room) ?? -1);
    this.#newest.delete(room);
  }

  #decode(frame: Uint8Array): StateMessage | undefined {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (view.getUint8(0) !== VERSION || view.getUint8(1) !== STATE) return undefined;
    const structure_no = view.getUint32(4, true);
    const values_at = HEAD_BYTES + view.getUint32(12, true);
    if (values_at > HEAD_BYTES) this.#learn(structure_no, frame.subarray(HEAD_BYTES, values_at));
    const known = this.#structures.get(structure_no);
    if (!known) return undefined;
    const values = new ValueReader(view, values_at);
    const { kind, room } = known;
    const data = filled(known.data, values);
    if (!values.atEnd) return undefined;
    const seq = view.getUint32(8, true);
    return { type: 'state', kind, room, seq, t_ms: view.getFloat64(16, true), data } as StateMessage;
  }

  #learn(structure_no: number, text: Uint8Array): void {
    const known = JSON.parse(new TextDecoder().decode(text)) as Known;
    this.forget(known.room);
    this.#structures.set(structure_no, known);
    this.#newest.set(known.room, structure_no);
  }
}

/** JSON as `JSON.stringify` makes it, but with its numbers and columns handed to the writer. */
function structureOf(value: unknown, writer: ValueWriter): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'null';
    writer.number(value);
    return String(NUMBER);
  }
  if (Array.isArray(value)) return `[${value.map(one => structureOf(one, writer)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value);
  if (isColumnShaped(entries) && writer.column(value as CellColumn)) return String(COLUMN);
  const parts: string[] = [];
  for (const [key, one] of entries)
    if (one !== undefined) parts.push(`${JSON.stringify(key)}:${structureOf(one, writer)}`);
  return `{${parts.join(',')}}`;
}

const isColumnShaped = ([first, second, ...rest]: [string, unknown][]) =>
  first?.[0] === 'values' && second?.[0] === 'quality' && rest.length === 0;

function filled(node: unknown, values: ValueReader): unknown {
  if (node === NUMBER) return values.number();
  if (node === COLUMN) return values.column();
  if (Array.isArray(node)) return node.map(one => filled(one, values));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, one]) => [key, filled(one, values)]));
}
