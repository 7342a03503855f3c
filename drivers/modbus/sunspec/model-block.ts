/**
 * One model instance of a unit as it is read: its registers, and the requests that fetch them.
 * A model longer than one request is split between points, and its scale factors are read before and
 * after: values and the scale factors they are multiplied with belong together.
 */
import type { ReadFailure } from '../modbus-link.ts';
import type { ModelInstance, ReadRegisters } from './discovery.ts';
import { MODEL_HEADER, type Model } from './models.ts';

export interface Span {
  readonly offset: number;
  readonly count: number;
}

export class ModelBlock {
  readonly instance: ModelInstance;
  readonly model: Model;
  /** From the ID register on; valid while `fresh`. */
  readonly registers: Uint16Array;
  /** Set by a complete read, until the next one begins. */
  fresh = false;
  readonly #spans: readonly Span[];
  readonly #scales: Span | undefined;
  readonly #scale_check: Uint16Array;
  /** Each span's own window of `registers`. */
  readonly #windows: readonly Uint16Array[];

  constructor(model: Model, instance: ModelInstance, max_registers: number) {
    this.model = model;
    this.instance = instance;
    this.registers = new Uint16Array(MODEL_HEADER + instance.length);
    this.#spans = splitModel(model, this.registers.length, max_registers);
    this.#windows = this.#spans.map(({ offset, count }) => this.registers.subarray(offset, offset + count));
    this.#scales = this.#spans.length > 1 ? scaleSpan(model, this.registers.length) : undefined;
    this.#scale_check = new Uint16Array(this.#scales?.count ?? 0);
  }

  /** Reads all of it. 'changed': another model stands here now, or a scale factor moved while reading. */
  async read(read: ReadRegisters): Promise<ReadFailure | 'changed' | undefined> {
    this.fresh = false;
    const scales = this.#scales;
    const { address, head } = this.instance;
    const scalesFirst = scales && scales.offset + scales.count > this.#spans[0].count;
    if (scalesFirst) {
      const failure = await read(address + scales.offset, scales.count, this.#scale_check);
      if (failure) return failure;
    }
    for (let i = 0; i < this.#spans.length; i++) {
      const { offset, count } = this.#spans[i];
      const failure = await read(address + offset, count, this.#windows[i]);
      if (failure) return failure;
    }
    for (let i = 0; i < head.length; i++) if (this.registers[i] !== head[i]) return 'changed';
    if (scales) {
      if (scalesFirst && !this.#scalesAgree(scales)) return 'changed';
      const failure = await read(address + scales.offset, scales.count, this.#scale_check);
      if (failure) return failure;
      if (!this.#scalesAgree(scales)) return 'changed';
    }
    this.fresh = true;
    return undefined;
  }

  #scalesAgree(scales: Span): boolean {
    return this.#scale_check.every((word, i) => word === this.registers[scales.offset + i]);
  }
}

/** Requests of at most `max` registers that never end within a 32-bit point, and on whole groups where they can. */
export function splitModel(model: Model, length: number, max: number): Span[] {
  const spans: Span[] = [];
  for (let offset = 0; offset < length; ) {
    let end = Math.min(length, offset + max);
    if (end < length) end = boundaryBefore(model, offset, end);
    spans.push({ offset, count: end - offset });
    offset = end;
  }
  return spans;
}

function boundaryBefore(model: Model, start: number, end: number): number {
  const { fixed, repeated } = model;
  if (repeated && end > fixed.size) {
    const groupStart = end - ((end - fixed.size) % repeated.size);
    if (groupStart > start) return groupStart;
  }
  const group = repeated && end > fixed.size ? repeated : fixed;
  const within = group === fixed ? end : (end - fixed.size) % group.size;
  for (const point of group.points.values()) {
    const inside = within > point.offset && within < point.offset + point.size;
    if (inside && point.type !== 'string') return end - (within - point.offset);
  }
  return end;
}

/** The registers from the first to the last scale factor of the model, as far as the device has them. */
function scaleSpan(model: Model, length: number): Span | undefined {
  const offsets = [...model.fixed.points.values()]
    .filter(point => point.type === 'sf' && point.offset < length)
    .map(point => point.offset);
  if (offsets.length === 0) return undefined;
  return { offset: offsets[0], count: offsets[offsets.length - 1] - offsets[0] + 1 };
}
