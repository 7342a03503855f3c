/**
 * All that an estimator has learned of a pack, as bytes. Frozen by version: what was written is read for ever, or, where
 * the meaning of the columns is another (STATE_VERSION), left alone. Little-endian.
 *
 *   u8 version | u16 STATE_VERSION | u32 cell_count | f64 nominal_ah | f64 wall time of the newest reading taken
 *   u8 number of groups: filter, health, steps, fit; for each: u8 columns, and for each of these
 *     u32 values | u8 form: 0 float32, 1 float64 | the values
 */
import { STATE_VERSION } from '../kalman/states.ts';
import type { PackEstimator } from './pack-estimator.ts';

const VERSION = 1;
const FORM = { f32: 0, f64: 1 } as const;
const HEAD_BYTES = 1 + 2 + 4 + 8 + 8 + 1;
type Column = Float64Array | Uint8Array;
interface Group {
  readonly form: number;
  readonly columns: readonly Column[];
}

export interface StateMoment {
  /** Wall time. */
  readonly t_ms: number;
}

/** Counted charge must not lose its small steps; all else is well kept in single precision. */
function groupsOf({ cells, health, steps, fit }: PackEstimator): readonly Group[] {
  return [
    { form: FORM.f32, columns: cells.columns },
    { form: FORM.f64, columns: health.columns },
    { form: FORM.f32, columns: steps.columns },
    { form: FORM.f64, columns: [fit.numbers] },
  ];
}

export function stateBytes(estimator: PackEstimator, t_ms: number): Uint8Array<ArrayBuffer> {
  const groups = groupsOf(estimator);
  const size = groups.reduce(
    (sum, { form, columns }) =>
      sum + 1 + columns.reduce((bytes, column) => bytes + 5 + column.length * widthOf(form), 0),
    HEAD_BYTES,
  );
  const view = new DataView(new ArrayBuffer(size));
  view.setUint8(0, VERSION);
  view.setUint16(1, STATE_VERSION, true);
  view.setUint32(3, estimator.cells.count, true);
  view.setFloat64(7, estimator.nominal_ah, true);
  view.setFloat64(15, t_ms, true);
  view.setUint8(23, groups.length);
  let at = HEAD_BYTES;
  for (const { form, columns } of groups) {
    view.setUint8(at++, columns.length);
    for (const column of columns) {
      view.setUint32(at, column.length, true);
      view.setUint8(at + 4, form);
      at += 5;
      for (let i = 0; i < column.length; i++, at += widthOf(form))
        if (form === FORM.f64) view.setFloat64(at, column[i], true);
        else view.setFloat32(at, column[i], true);
    }
  }
  return new Uint8Array(view.buffer);
}

/** Into an estimator of the same shape; undefined: they are not of such a one, and nothing is changed. */
export function restoreState(estimator: PackEstimator, bytes: Uint8Array): StateMoment | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD_BYTES || view.getUint8(0) !== VERSION) return undefined;
  const groups = groupsOf(estimator);
  const isSame =
    view.getUint16(1, true) === STATE_VERSION &&
    view.getUint32(3, true) === estimator.cells.count &&
    view.getFloat64(7, true) === estimator.nominal_ah &&
    view.getUint8(23) === groups.length;
  if (!isSame || !walk(view, groups, false)) return undefined;
  walk(view, groups, true);
  return { t_ms: view.getFloat64(15, true) };
}

/** Whether the bytes hold just these columns. */
function walk(view: DataView, groups: readonly Group[], isTaken: boolean): boolean {
  let at = HEAD_BYTES;
  for (const { form, columns } of groups) {
    if (at >= view.byteLength || view.getUint8(at++) !== columns.length) return false;
    for (const column of columns) {
      if (at + 5 > view.byteLength) return false;
      if (view.getUint32(at, true) !== column.length || view.getUint8(at + 4) !== form) return false;
      at += 5;
      const end = at + column.length * widthOf(form);
      if (end > view.byteLength) return false;
      for (let i = 0; isTaken && i < column.length; i++)
        column[i] = form === FORM.f64 ? view.getFloat64(at + 8 * i, true) : view.getFloat32(at + 4 * i, true);
      at = end;
    }
  }
  return at === view.byteLength;
}

const widthOf = (form: number) => (form === FORM.f64 ? 8 : 4);
