/**
 * Many rounded numbers as text, straight into bytes: a long history has hundreds of thousands of them, and the general
 * way from a double to its shortest decimal takes most of the time of such a reply.
 */

const ZERO = 48;
const MINUS = 45;
const POINT = 46;
const COMMA = 44;
const [NULL, TRUE, FALSE] = ['null', 'true', 'false'].map(word => new TextEncoder().encode(word));
/** Above this a number goes the general way. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER;
/** Digits that fit an integer the engine handles fast. */
const FAST = 1e9;
const FAST_DIGITS = 9;
/** Sign, 16 digits and a point, with room to spare. */
const MAX_NUMBER_BYTES = 32;

export class NumberText {
  #bytes: Buffer;
  #used = 0;

  constructor(expected_bytes: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(256, expected_bytes));
  }

  /** So far. */
  get bytes(): number {
    return this.#used;
  }

  text(text: string): void {
    this.#reserve(3 * text.length);
    this.#used += this.#bytes.write(text, this.#used);
  }

  /** A few bytes: for so little a loop is faster than a call out of the engine. */
  ascii(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes[this.#used++] = bytes[i];
  }

  comma(): void {
    this.#reserve(1);
    this.#bytes[this.#used++] = COMMA;
  }

  /** Rounded to so many decimals, without zeros at the end; `missing` where there is none or it is not finite. */
  number(value: number, decimals: number, missing: string): void {
    this.#reserve(MAX_NUMBER_BYTES);
    this.#number(value, decimals, 10 ** decimals, missing);
  }

  /** A whole number from 0 on, with zeros before it up to so many digits. */
  padded(value: number, digits: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    for (let bound = 10 ** (digits - 1); value < bound && bound > 1; bound /= 10)
      this.#bytes[this.#used++] = ZERO;
    this.#integer(value);
  }

  /** With commas between them, in JSON. */
  list(values: Float64Array, decimals: number): void {
    const per_unit = 10 ** decimals;
    let before = Number.NaN;
    let before_at = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      this.#reserve(1 + MAX_NUMBER_BYTES);
      if (i > 0) this.#bytes[this.#used++] = COMMA;
      if (Number.isNaN(value)) this.ascii(NULL);
      else if (value === before) before_at = this.#again(before_at);
      else {
        before_at = this.#used;
        this.#number(value, decimals, per_unit, 'null');
      }
      before = value;
    }
  }

  /** The number that was written at `from`, up to the comma just written, once more. Returns where. */
  #again(from: number): number {
    const at = this.#used;
    for (let byte = from; byte < at - 1; byte++) this.#bytes[this.#used++] = this.#bytes[byte];
    return at;
  }

  /** In JSON: 1 is true. */
  booleans(values: Float64Array): void {
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.comma();
      this.ascii(values[i] === 1 ? TRUE : FALSE);
    }
  }

  /** There must be room for it. */
  #number(value: number, decimals: number, per_unit: number, missing: string): void {
    const scaled = Math.round(value * per_unit);
    const size = Math.abs(scaled);
    if (!(size <= MAX_EXACT)) {
      this.text(Number.isFinite(value) ? String(value) : missing);
      return;
    }
    if (scaled < 0) this.#bytes[this.#used++] = MINUS;
    const whole = Math.floor(size / per_unit);
    this.#integer(whole);
    let part = size - whole * per_unit;
    if (part === 0) return;
    let digits = decimals;
    for (; part % 10 === 0; part /= 10) digits--;
    this.#bytes[this.#used++] = POINT;
    this.#digits(part, digits);
  }

  /** What was written, in a buffer that has just room for it. Nothing can be added afterwards. */
  done(): Uint8Array<ArrayBuffer> {
    return new Uint8Array((this.#bytes.buffer as ArrayBuffer).transfer(this.#used));
  }

  #integer(value: number): void {
    if (value >= FAST) {
      const high = Math.floor(value / FAST);
      this.#integer(high);
      this.#digits(value - high * FAST, FAST_DIGITS);
      return;
    }
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    this.#digits(value, digits);
  }

  /** The last `digits` digits of `value`, with zeros before it. */
  #digits(value: number, digits: number): void {
    let rest = value | 0;
    for (let at = this.#used + digits - 1; at >= this.#used; at--) {
      const next = (rest / 10) | 0;
      this.#bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#used += digits;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(2 * this.#bytes.length + bytes);
    this.#bytes.copy(grown, 0, 0, this.#used);
    this.#bytes = grown;
  }
}
