/** How sure a profile is, from what speaks for and against it. Pure arithmetic, no device knowledge. */
import type { ReadingFacts } from './reading-facts.ts';

export interface Evidence {
  /** Share of what a device of this kind sends (or answers) that came, by weight; 0 to 1. */
  readonly share: number;
  /** How improbable a match by chance is: each bit halves it. */
  readonly bits: number;
  /** How often each of its messages came, on average. */
  readonly rounds: number;
  /** Share of frames whose length or checksum contradicts the layout. */
  readonly misfit_share: number;
  /** The profile reports a pack voltage, and it is not there. */
  readonly lacks_voltage: boolean;
  /** The profile reports single cells, and none is there. */
  readonly lacks_cells: boolean;
  /** Share of what came that another profile explains better. */
  readonly claimed_share: number;
}

/** Families leave messages out: this share is as good as all. */
const FULL_SHARE = 0.625;
/** A value or two that happen to be possible are no battery yet. */
const ENOUGH_VALUES = 5;
/** What came once only cannot be seen to stay what it is. */
const ENOUGH_ROUNDS = 3;
const LACK = 0.5;
const DISAGREEMENT = 0.6;
/** Nothing of it is a voltage: whatever fits, it is hardly a battery. */
const NO_BATTERY_PCT = 10;

/** 0 to 100. */
export function confidence(evidence: Evidence, facts: ReadingFacts): number {
  const { plausible, implausible, agreements, disagreements, cells, cells_plausible } = facts;
  const values = plausible + implausible === 0 ? 0 : plausible / (plausible + implausible);
  const bits = evidence.bits + agreements.length;
  const gaps = cells === 0 ? 1 : cells_plausible / cells;
  const sure =
    Math.min(1, evidence.share / FULL_SHARE) *
    (1 - 0.5 ** bits) *
    Math.min(1, (evidence.rounds + 1) / (ENOUGH_ROUNDS + 1)) *
    (1 - evidence.misfit_share) ** 2 *
    values ** 2 *
    Math.min(1, plausible / ENOUGH_VALUES) *
    gaps *
    DISAGREEMENT ** disagreements.length *
    (evidence.lacks_voltage ? LACK : 1) *
    (evidence.lacks_cells ? LACK : 1) *
    (1 - evidence.claimed_share);
  const pct = Math.round(100 * sure);
  return facts.is_battery ? pct : Math.min(NO_BATTERY_PCT, pct);
}

const MAX_BITS_29 = 3;
const MAX_BITS_11 = 1.5;

/** What one id that was received says: little on a bus on which most ids are in use. */
export function bitsOfId(extended: boolean, ids_seen: number): number {
  const room = extended ? 2 ** 29 : 2 ** 11;
  const bits = Math.log2(room / Math.max(1, ids_seen)) / 3;
  return Math.min(extended ? MAX_BITS_29 : MAX_BITS_11, bits);
}
