/** The quantities of the whole pack in the bytes of a reading, as in reading-format.ts. */
import { PACK_METRICS } from '../metrics.ts';
import { pairBytes, readPairs, writePairs } from './codec-columns.ts';
import { readVarint, unzigzag, varint, writeZigzag } from './codec-numbers.ts';
import type { PackReading } from './pack-reading.ts';
import { Quality } from './quality.ts';
import {
  DecodeFault,
  Flag,
  MAX_VALUES,
  Mask,
  type ReadingFormat,
  VALUE_PER_UNIT,
  VARINT_LIMIT,
} from './reading-format.ts';

/** Those present; module-wide so that nothing is allocated. */
const mask = new Mask();

export function presentAreGood(quality: Uint8Array): boolean {
  for (let m = 0; m < quality.length; m++)
    if (quality[m] !== Quality.missing && quality[m] !== Quality.good) return false;
  return true;
}

export function valuesFit(reading: PackReading): boolean {
  const { values, value_quality } = reading;
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] === Quality.missing) continue;
    if (!(Math.abs(values[m] * VALUE_PER_UNIT[m]) < VARINT_LIMIT)) return false;
  }
  return true;
}

export function writeValues(
  view: DataView,
  at: number,
  reading: PackReading,
  fits: boolean,
  good: boolean,
): number {
  const { values, value_quality } = reading;
  mask.clear();
  let present = 0;
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] === Quality.missing) continue;
    mask.set(m);
    present_quality[present++] = value_quality[m];
  }
  at = mask.write(view, at);
  if (!good) at = writePairs(view, at, present_quality, present);
  for (let m = 0; m < values.length; m++) {
    if (value_quality[m] === Quality.missing) continue;
    if (fits) {
      at = writeZigzag(view, at, Math.round(values[m] * VALUE_PER_UNIT[m]) | 0);
    } else {
      view.setFloat64(at, values[m], true);
      at += 8;
    }
  }
  return at;
}

export function clearValues(reading: PackReading): void {
  reading.values.fill(Number.NaN);
  reading.value_quality.fill(Quality.missing);
}

export function readValues(
  view: DataView,
  at: number,
  end: number,
  format: ReadingFormat,
  flags: number,
  reading: PackReading | undefined,
): number {
  at = mask.read(view, at, end);
  if (at < 0) return at;
  if (!mask.isWithin(format.max_values)) return DecodeFault.malformed;
  if (!mask.isWithin(PACK_METRICS.length)) return DecodeFault.version;
  const has_quality = (flags & Flag.values_quality) !== 0;
  if (has_quality) {
    const count = format.has_all_qualities ? format.max_values : mask.count;
    if (at + pairBytes(count) > end) return DecodeFault.truncated;
    at = readPairs(view, at, present_quality, count);
  }
  for (let m = 0, quality_at = 0; m < PACK_METRICS.length; m++) {
    if (!mask.has(m)) {
      if (format.has_all_qualities) quality_at++;
      continue;
    }
    let value: number;
    if (flags & Flag.values_float) {
      if (at + 8 > end) return DecodeFault.truncated;
      value = view.getFloat64(at, true);
      at += 8;
    } else {
      at = readVarint(view, at, end);
      if (at < 0) return at;
      value = unzigzag(varint) / VALUE_PER_UNIT[m];
    }
    const quality = has_quality ? present_quality[quality_at++] : Quality.good;
    if (!reading) continue;
    reading.value_quality[m] = quality;
    reading.values[m] = quality === Quality.missing ? Number.NaN : value;
  }
  return at;
}

/** Qualities of the values being written or read. */
const present_quality = new Uint8Array(MAX_VALUES);
