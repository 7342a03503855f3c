/** A batch of rows of the log as it is filled: straight into its columns, without an object per row. */
import type { LogBatch } from '../store.ts';

const FIRST_ROWS = 64;
const FIRST_BYTES = 4 << 10;

export class LogBatchBuilder {
  readonly #max_rows: number;
  readonly #max_bytes: number;
  #count = 0;
  #used = 0;
  #seq: Float64Array<ArrayBuffer>;
  #kind: Uint8Array<ArrayBuffer>;
  #pack_key: Int32Array<ArrayBuffer>;
  #t_ms: Float64Array<ArrayBuffer>;
  #end: Uint32Array<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;

  constructor(max_rows: number, max_bytes: number) {
    this.#max_rows = max_rows;
    this.#max_bytes = max_bytes;
    const rows = Math.min(FIRST_ROWS, max_rows);
    this.#seq = new Float64Array(rows);
    this.#kind = new Uint8Array(rows);
    this.#pack_key = new Int32Array(rows);
    this.#t_ms = new Float64Array(rows);
    this.#end = new Uint32Array(rows);
    this.#bytes = new Uint8Array(Math.min(FIRST_BYTES, max_bytes));
  }

  /** False: it is full, and the row is not in it. The first row always is. */
  add(
    seq: number,
    kind: number,
    pack_key: number,
    t_ms: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): boolean {
    const i = this.#count;
    const used = this.#used + end - start;
    if (i === this.#max_rows || (i > 0 && used > this.#max_bytes)) return false;
    if (i === this.#seq.length) this.#resizeColumns(Math.min(Math.max(1, 2 * i), this.#max_rows));
    if (used > this.#bytes.length) {
      const grown = Math.min(2 * this.#bytes.length, this.#max_bytes);
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(Math.max(grown, used)));
    }
    bytes.copy(this.#bytes, this.#used, start, end);
    this.#seq[i] = seq;
    this.#kind[i] = kind;
    this.#pack_key[i] = pack_key;
    this.#t_ms[i] = t_ms;
    this.#end[i] = used;
    this.#used = used;
    this.#count++;
    return true;
  }

  /** Nothing can be added afterwards. */
  done(): LogBatch {
    this.#resizeColumns(this.#count);
    return {
      count: this.#count,
      seq: this.#seq,
      kind: this.#kind,
      pack_key: this.#pack_key,
      t_ms: this.#t_ms,
      end: this.#end,
      bytes: new Uint8Array(this.#bytes.buffer.transfer(this.#used)),
    };
  }

  #resizeColumns(rows: number): void {
    this.#seq = new Float64Array(this.#seq.buffer.transfer(8 * rows));
    this.#kind = new Uint8Array(this.#kind.buffer.transfer(rows));
    this.#pack_key = new Int32Array(this.#pack_key.buffer.transfer(4 * rows));
    this.#t_ms = new Float64Array(this.#t_ms.buffer.transfer(8 * rows));
    this.#end = new Uint32Array(this.#end.buffer.transfer(4 * rows));
  }
}
