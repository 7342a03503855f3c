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

// Of the record at `at`.
export const recordBytes = (view: DataView, at: number) => RECORD_HEADER_BYTES + view.getUint32(at, true);
export const recordPackKey = (view: DataView, at: number) => view.getInt32(at + 4, true);
export const setRecordPackKey = (view: DataView, at: number, pack_key: number) =>
  view.setInt32(at + 4, pack_key, true);
export const recordTime = (view: DataView, at: number) => view.getFloat64(at + 8, true);
export const recordKind = (view: DataView, at: number) => view.getUint32(at + 16, true);
export const recordBody = (view: DataView, at: number) =>
  Buffer.from(
    view.buffer as ArrayBuffer,
    view.byteOffset + at + RECORD_HEADER_BYTES,
    view.getUint32(at, true),
  );

/** Calls `each` for every record until it says false; `body` is a view into the bytes. */
export function forEachRecord(
  bytes: Uint8Array,
  each: (kind: number, pack_key: number, t_ms: number, body: Buffer) => boolean,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += recordBytes(view, at))
    if (!each(recordKind(view, at), recordPackKey(view, at), recordTime(view, at), recordBody(view, at)))
      return;
}
