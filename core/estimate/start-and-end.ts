/** From what an estimate starts, and from where on there is none: the same for recordings and for what runs. */
import { GAP_S } from './series/series.ts';

/** What is known of the state of charge without a figure to start from. */
export const UNKNOWN_SD = 0.5;
/** The capacity of a cell whose age is not known. */
export const UNKNOWN_CAPACITY_SD = 0.05;
/** An estimate less sure than this is none. */
export const MAX_SD = 0.2;
/** Innovations so many times their expected square: the model does not describe this cell. */
export const MAX_SURPRISE = 6;

/** Whether something may have flowed that nobody counted: a gap, unless the cell rested on both sides and it was short. */
export function isCut(dt_s: number, last_a: number | undefined, now_a: number, capacity_ah: number): boolean {
  if (dt_s <= GAP_S) return false;
  const isResting = Math.abs(last_a ?? 0) < capacity_ah / 50 && Math.abs(now_a) < capacity_ah / 50;
  return !isResting || dt_s > 6 * 3600;
}
