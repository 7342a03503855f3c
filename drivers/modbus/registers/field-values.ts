/** From registers to SI values and back, by the fields of a register map. */

import { limitsOf, readRaw, writeRaw } from './raw-number.ts';
import type { Field, ValueField } from './register-map.ts';

export function rawOf(words: Uint16Array, field: Field): number {
  const raw = readRaw(words, field.at, field.type, field.order);
  return field.bit < 0 ? raw : (raw >>> field.bit) & maskOf(field);
}

function maskOf({ width }: Field): number {
  return 2 ** width - 1;
}

/** The raw numbers the field can carry. */
export function rawLimits(field: Field): readonly [lowest: number, highest: number] {
  return field.bit < 0 ? limitsOf(field.type) : [0, maskOf(field)];
}

/** NaN where the device says it has none. */
export function fieldValue(words: Uint16Array, field: ValueField): number {
  const raw = rawOf(words, field);
  if (field.absent.includes(raw)) return Number.NaN;
  const sign = field.direction && words[field.direction.at] === field.direction.negative ? -1 : 1;
  // Never a minus zero.
  const value = (sign * (raw + field.add) * field.multiplier) / field.divisor + 0;
  return field.scale_at < 0 ? value : scaledBy(value, (words[field.scale_at] << 16) >> 16);
}

/** NaN for an exponent no device can mean. */
function scaledBy(value: number, exponent: number): number {
  if (exponent < -10 || exponent > 10) return Number.NaN;
  return exponent < 0 ? value / 10 ** -exponent : value * 10 ** exponent;
}

/**
 * Writes what comes nearest to a value; NaN as the device's own "none", or, where it has no word for that,
 * as the largest raw number. Scale registers are left as they stand.
 */
export function putValue(words: Uint16Array, field: ValueField, value: number): void {
  const exponent = field.scale_at < 0 ? 0 : (words[field.scale_at] << 16) >> 16;
  const { direction } = field;
  if (direction) words[direction.at] = value < 0 ? direction.negative : direction.otherwise;
  const shown = direction ? Math.abs(value) : value;
  putRaw(words, field, Number.isNaN(value) ? absentRaw(field) : rawFor(field, shown, exponent));
}

export function putRaw(words: Uint16Array, field: Field, raw: number): void {
  if (field.bit < 0) {
    writeRaw(words, field.at, field.type, field.order, raw);
    return;
  }
  const before = readRaw(words, field.at, field.type, field.order);
  const there = ((before >>> field.bit) & maskOf(field)) * 2 ** field.bit;
  const raised = (raw & maskOf(field)) * 2 ** field.bit;
  writeRaw(words, field.at, field.type, field.order, before - there + raised);
}

function absentRaw(field: ValueField): number {
  if (field.absent.length > 0) return field.absent[0];
  if (field.bit >= 0 || field.type === 'coil') return 0;
  return field.type === 'f32' ? Number.NaN : limitsOf(field.type)[1];
}

function rawFor(field: ValueField, value: number, exponent: number): number {
  const exact = (value * field.divisor) / field.multiplier / 10 ** exponent - field.add;
  const [lowest, highest] = rawLimits(field);
  const rounded = field.type === 'f32' ? exact : Math.round(exact);
  const raw = Math.min(highest, Math.max(lowest, rounded));
  if (!field.absent.includes(raw)) return raw;
  // What means "none" cannot be said as a value: the neighbour is as near as the device can come.
  return raw >= highest ? raw - 1 : raw + 1;
}
