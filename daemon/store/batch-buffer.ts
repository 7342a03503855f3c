/**
 * Records on their way to the writer, one after another in one buffer:
 * u32 body bytes | i32 pack_key | f64 t_ms | u32 LogKind | body.
 */
export const RECORD_HEADER_BYTES = 20;

export class BatchBuffer {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Bytes of complete records. */
  used = 0;
  records = 0;
  readings = 0;

  constructor(buffer: ArrayBuffer) {
    this.view = new DataView(buffer);
    this.bytes = new Uint8Array(buffer);
  }

  get buffer(): ArrayBuffer {
    return this.view.buffer as ArrayBuffer;
  }

  hasRoom(body_bytes: number): boolean {
    return this.used + RECORD_HEADER_BYTES + body_bytes <= this.view.byteLength;
  }

  /** Where the body of the next record goes. */
  get bodyOffset(): number {
    return this.used + RECORD_HEADER_BYTES;
  }

  /** Completes the record whose body was written at `bodyOffset`. */
  finish(kind: number, pack_key: number, t_ms: number, body_bytes: number): void {
    const { view, used } = this;
    view.setUint32(used, body_bytes, true);
    view.setInt32(used + 4, pack_key, true);
    view.setFloat64(used + 8, t_ms, true);
    view.setUint32(used + 16, kind, true);
    this.used = used + RECORD_HEADER_BYTES + body_bytes;
    this.records++;
  }
}

/** Calls `each` for every record until it says false; `body` is a view into the bytes. Returns what it said last. */
export function forEachRecord(
  bytes: Uint8Array,
  each: (kind: number, pack_key: number, t_ms: number, body: Buffer) => boolean,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const body_bytes = view.getUint32(at, true);
    const body = Buffer.from(bytes.buffer, bytes.byteOffset + at + RECORD_HEADER_BYTES, body_bytes);
    const kind = view.getUint32(at + 16, true);
    if (!each(kind, view.getInt32(at + 4, true), view.getFloat64(at + 8, true), body)) return false;
    at += RECORD_HEADER_BYTES + body_bytes;
  }
  return true;
}
