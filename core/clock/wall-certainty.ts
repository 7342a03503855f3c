/** Whether the wall clock can be believed, and what of a boot is off by how much once it can. Pure. */
import { type ClockCorrection, type StoredClockRecord, TRUSTS, type Trust } from '../contract/clock.ts';
import { STEP_MS } from './watched-clock.ts';

/** This program did not exist before. */
export const RELEASED_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
/** Nor is it likely to run so long without a person or a network that knows the time. */
const LATEST_MS = Date.UTC(2034, 0, 1);
/**
 * Further than this beyond the newest certain reading a clock needs a better witness: one that was set wrong looks the
 * same as one of a box that was switched off. A battery-backed clock goes on meanwhile, but is set with the other.
 */
const FAR_MS = { plausible: 31 * DAY_MS, hardware: 366 * DAY_MS } as const;
/** NTP may set a clock back a little, and a restart follows. */
const NEWEST_TOLERANCE_MS = 10_000;
/** Readings carry the moment of their interval, and wait a little before they are stored. */
const SPAN_MARGIN_MS = 3_600_000;
/** An undisciplined clock drifts up to this; such a drift is no offset that all rows of an era share. */
const DRIFT_PER_MS = 200e-6;

/** What the machine says of its clock; undefined: it could not be asked. */
export interface ClockFacts {
  /** The kernel's clock is kept by NTP, PTP or the like. */
  readonly synchronised?: boolean | undefined;
  /** Something is there that will synchronise it. */
  readonly has_time_service?: boolean | undefined;
  /** A battery-backed clock shows the same. */
  readonly hardware_agrees?: boolean | undefined;
}

export interface Judgement {
  readonly trust: Trust;
  /** Why nobody vouches for it, in one line; null when somebody does. */
  readonly doubt: string | null;
}

/** `newest_ms`: the newest time in the log that was certain; -Infinity or 0 where there is none. */
export function judgeWall(wall_ms: number, facts: ClockFacts, newest_ms: number): Judgement {
  const shown = `the clock shows ${timeText(wall_ms)}`;
  if (wall_ms < RELEASED_MS) return doubted(`${shown}, before this program was made`);
  if (facts.synchronised) return { trust: 'network', doubt: null };
  if (wall_ms < newest_ms - NEWEST_TOLERANCE_MS)
    return doubted(`${shown}, but there are readings up to ${timeText(newest_ms)}`);
  if (wall_ms > LATEST_MS) return doubted(`${shown}, years after this program was made`);
  if (facts.hardware_agrees) return unlessFar(wall_ms, newest_ms, 'hardware');
  if (facts.synchronised === undefined || facts.has_time_service === false)
    return unlessFar(wall_ms, newest_ms, 'plausible');
  return doubted('the clock is not synchronised yet');
}

function unlessFar(wall_ms: number, newest_ms: number, trust: keyof typeof FAR_MS): Judgement {
  const ahead_ms = wall_ms - newest_ms;
  if (newest_ms < RELEASED_MS || ahead_ms <= FAR_MS[trust]) return { trust, doubt: null };
  const days = Math.floor(ahead_ms / DAY_MS);
  return doubted(
    `the clock shows ${timeText(wall_ms)}, ${days} days after the newest reading of ${timeText(newest_ms)}`,
  );
}

/** What is judged once a person has said that the clock is right. */
export const CONFIRMED: Judgement = { trust: 'person', doubt: null };
/** A person's clock and ours may differ by this: their word is on its way for a while, and neither is exact. */
const MAX_APART_MS = 5000;

/** Why the word of a person whose clock shows `client_clock_ms` is not taken; null: it is. */
export function refusal(wall_ms: number, client_clock_ms: number, is_certain: boolean): string | null {
  if (is_certain) return 'the time is certain already: nobody needs to confirm it';
  const shown = `the gateway's clock shows ${timeText(wall_ms)}`;
  const apart_ms = Math.abs(wall_ms - client_clock_ms);
  if (apart_ms > MAX_APART_MS)
    return (
      `${shown}, yours ${timeText(client_clock_ms)}: found ${Math.round(apart_ms / 1000)} s between them, ` +
      `expected at most ${MAX_APART_MS / 1000} s; set the gateway's clock right first`
    );
  return wall_ms < RELEASED_MS ? `${shown}, before this program was made` : null;
}

/** Whether a person has confirmed the time in an earlier run of this boot, and the clock has not stepped since. */
export function isConfirmed(records: readonly StoredClockRecord[], offset_ms: number): boolean {
  const newest = erasOf(records).at(-1);
  return newest?.trust === 'person' && Math.abs(newest.offset_ms - offset_ms) < STEP_MS;
}

/** Rows of the log that share an offset. */
export interface Era {
  readonly first_seq: number;
  /** Null: it goes on. */
  readonly last_seq: number | null;
  /** Of the first row; as the clock showed it. */
  readonly from_ms: number;
  /** Of the last row; Infinity while it goes on. */
  readonly to_ms: number;
  readonly offset_ms: number;
  /** What corrections have added to its rows' times so far. */
  readonly shift_ms: number;
  readonly trust: Trust;
}

/** Eras of one boot, in the log's order, out of its records. */
export function erasOf(records: readonly StoredClockRecord[]): Era[] {
  const eras: Era[] = [];
  for (const { seq, record } of records) {
    const { t_ms, trust } = record;
    if (record.reason === 'correction') {
      for (const [i, era] of eras.entries())
        if (era.first_seq === record.first_seq)
          eras[i] = { ...era, shift_ms: era.shift_ms + record.offset_ms, trust };
      continue;
    }
    const { offset_ms } = record;
    const before = eras.at(-1);
    if (before)
      eras[eras.length - 1] = {
        ...before,
        last_seq: seq - 1,
        to_ms: t_ms - offset_ms + before.offset_ms,
      };
    eras.push({
      first_seq: seq,
      last_seq: null,
      from_ms: t_ms,
      to_ms: Number.POSITIVE_INFINITY,
      offset_ms,
      shift_ms: 0,
      trust,
    });
  }
  return eras;
}

/**
 * What the newest era, if somebody vouches for it, says of those before it for which nobody or a weaker witness does.
 * In the log's order.
 */
export function settle(eras: readonly Era[]): Omit<ClockCorrection, 'boot_id' | 't_ms'>[] {
  const now = eras.at(-1);
  if (!now || now.trust === 'none') return [];
  return eras.flatMap(era => {
    if (era.last_seq === null || rank(era.trust) >= rank(now.trust)) return [];
    return [
      {
        reason: 'correction' as const,
        first_seq: era.first_seq,
        last_seq: era.last_seq,
        offset_ms: shiftOf(era, now),
        from_ms: era.from_ms + era.shift_ms - SPAN_MARGIN_MS,
        to_ms: era.to_ms + era.shift_ms + SPAN_MARGIN_MS,
        trust: now.trust,
      },
    ];
  });
}

function shiftOf(era: Era, now: Era): number {
  const shift_ms = now.offset_ms - era.offset_ms - era.shift_ms;
  const age_ms = now.from_ms - now.offset_ms - (era.from_ms - era.offset_ms);
  const least_ms = era.trust === 'none' ? STEP_MS : Math.max(STEP_MS, age_ms * DRIFT_PER_MS);
  return Math.abs(shift_ms) >= least_ms ? shift_ms : 0;
}

const rank = (trust: Trust) => TRUSTS.indexOf(trust);
const doubted = (doubt: string): Judgement => ({ trust: 'none', doubt });

/** Any number of ms; a clock may show what no calendar holds. */
function timeText(t_ms: number): string {
  const date = new Date(t_ms);
  return Number.isNaN(date.getTime())
    ? `${t_ms} ms`
    : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
