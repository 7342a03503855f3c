/**
 * How long the units of a line take to be read in turn, measured. Values age by it: while a unit waits for its turn on
 * a slow or noisy line its values are as new as they can be. And the connection says so where the interval is too short.
 */

/** A value is as old as one round before the next one replaces it; so much later it is stale. */
const LATE_ROUNDS = 2;
/** However long a round takes, what is not replaced for so long is stale. */
const MAX_AGE_MS = 600_000;
/** A round that took long is forgotten by and by. */
const FADING = 0.9;
const SMOOTHING = 0.3;
/** The first round of a unit finds out what it has, and says little about the others. */
const MIN_ROUNDS_TO_REPORT = 3;
/** So that a line at the edge does not change its mind with each round. */
const TOO_LONG = 1.1;
const SHORT_AGAIN = 0.95;
/** What an interval has left for repeats. */
const SPARE = 1.25;
/** A bad share is of so many exchanges at least. */
const EXCHANGES = 50;
const BAD_SHARE = 0.1;
const SOUND_SHARE = 0.05;
/** What was reported stands until it has become wrong by this factor. */
const REPORT_AGAIN_FACTOR = 1.5;

interface Turns {
  rounds: number;
  /** Of the line's time, in the round under way and in the last one. */
  used_ms: number;
  last_used_ms: number;
  /** From the first register of the last round to its end, turns of others included. */
  round_ms: number;
  /** Smoothed, without the first round; 0 while the unit is asked less often. */
  need_ms: number;
  /** Start of the last whole round; NaN: the one before it failed. */
  started_ms: number;
  /** Longest age of a value when it was replaced, fading. */
  age_ms: number;
}

export interface LineCounts {
  readonly replies: number;
  readonly bad_replies: number;
}

export class LineRounds {
  readonly #interval_ms: number;
  readonly #counts: LineCounts;
  /** Rounds that go on at the same time. */
  readonly #atOnce: () => number;
  readonly #turns: readonly Turns[];
  #reported_round_ms: number | undefined;
  #reported_share: number | undefined;
  #share: number | undefined;
  #seen: LineCounts;

  constructor(units: number, interval_ms: number, counts: LineCounts, atOnce: () => number) {
    this.#interval_ms = interval_ms;
    this.#counts = counts;
    this.#seen = { ...counts };
    this.#atOnce = atOnce;
    this.#turns = Array.from({ length: units }, () => ({
      rounds: 0,
      used_ms: 0,
      last_used_ms: Number.NaN,
      round_ms: 0,
      need_ms: 0,
      started_ms: Number.NaN,
      age_ms: 0,
    }));
  }

  /** The unit had its turn on the line, for a round or a part of it. */
  onTurn(unit: number, used_ms: number): void {
    this.#turns[unit].used_ms += used_ms;
  }

  /** A round is whole; its first register was read at `started_ms`. */
  onRound(unit: number, started_ms: number, now_ms: number): void {
    const turns = this.#turns[unit];
    turns.round_ms = now_ms - started_ms;
    if (turns.rounds > 0) {
      // One unit alone has the line also while it waits for a late reply.
      const need_ms = this.#turns.length === 1 ? turns.round_ms : turns.used_ms / this.#atOnce();
      turns.need_ms += (turns.rounds === 1 ? 1 : SMOOTHING) * (need_ms - turns.need_ms);
    }
    turns.rounds++;
    const age_ms = Number.isNaN(turns.started_ms) ? 0 : now_ms - turns.started_ms;
    turns.age_ms = Math.max(age_ms, turns.age_ms * FADING);
    turns.started_ms = started_ms;
    this.#endTurns(turns);
    this.#judge();
  }

  /** The unit is asked less often from now on; its silence is no measure. */
  onFailure(unit: number): void {
    const turns = this.#turns[unit];
    turns.need_ms = 0;
    turns.started_ms = Number.NaN;
    this.#endTurns(turns);
    this.#judge();
  }

  /** How old values of the unit may become while all is as it was: 0 where nothing is measured yet. */
  lateMs(unit: number): number {
    const { age_ms, round_ms } = this.#turns[unit];
    return Math.min(MAX_AGE_MS, LATE_ROUNDS * Math.max(age_ms, round_ms + this.#passMs()));
  }

  /** How long all units take to be read once, in ms. */
  get round_ms(): number {
    let sum_ms = 0;
    for (const { need_ms } of this.#turns) sum_ms += need_ms;
    return Math.round(sum_ms);
  }

  /** What is wrong with the line, in one line that stays the same while it holds; undefined: nothing. */
  get complaint(): string | undefined {
    const parts: string[] = [];
    if (this.#reported_round_ms !== undefined) {
      const units = this.#turns.length;
      const whose = units > 1 ? ` of its ${units} units` : '';
      parts.push(
        `a round${whose} takes ${inSeconds(this.#reported_round_ms)}, longer than the interval of ${inSeconds(this.#interval_ms)}; interval_ms ${fittingInterval(this.#reported_round_ms)} would fit`,
      );
    }
    if (this.#reported_share !== undefined)
      parts.push(`${Math.round(this.#reported_share * 100)} % of the replies are bad`);
    return parts.length > 0 ? parts.join('; ') : undefined;
  }

  #endTurns(turns: Turns): void {
    turns.last_used_ms = turns.used_ms;
    turns.used_ms = 0;
  }

  /** Time until every unit had its turn; those not yet read are taken to need as long as the others. */
  #passMs(): number {
    let sum_ms = 0;
    let known = 0;
    for (const { last_used_ms } of this.#turns) {
      if (Number.isNaN(last_used_ms)) continue;
      sum_ms += last_used_ms;
      known++;
    }
    return known === 0 ? 0 : (sum_ms * this.#turns.length) / known;
  }

  #judge(): void {
    this.#judgeRound();
    this.#judgeShare();
  }

  #judgeRound(): void {
    const { round_ms } = this;
    const reported_ms = this.#reported_round_ms;
    if (reported_ms !== undefined) {
      if (round_ms < SHORT_AGAIN * this.#interval_ms) this.#reported_round_ms = undefined;
      else if (isOff(round_ms, reported_ms)) this.#reported_round_ms = round_ms;
      return;
    }
    const is_sure = this.#turns.every(
      ({ rounds, need_ms }) => rounds >= MIN_ROUNDS_TO_REPORT || need_ms === 0,
    );
    if (is_sure && round_ms > TOO_LONG * this.#interval_ms) this.#reported_round_ms = round_ms;
  }

  #judgeShare(): void {
    const { replies, bad_replies } = this.#counts;
    const bad = bad_replies - this.#seen.bad_replies;
    const all = replies - this.#seen.replies + bad;
    if (all < EXCHANGES) return;
    this.#seen = { replies, bad_replies };
    this.#share = ((this.#share ?? bad / all) + bad / all) / 2;
    const reported = this.#reported_share;
    if (reported === undefined) {
      if (this.#share >= BAD_SHARE) this.#reported_share = this.#share;
    } else if (this.#share < SOUND_SHARE) this.#reported_share = undefined;
    else if (isOff(this.#share, reported)) this.#reported_share = this.#share;
  }
}

function isOff(now: number, reported: number): boolean {
  return now > reported * REPORT_AGAIN_FACTOR || now * REPORT_AGAIN_FACTOR < reported;
}

/** The shortest interval with something to spare that a person would choose. */
export function fittingInterval(round_ms: number): number {
  const least_ms = round_ms * SPARE;
  const step_ms = 10 ** Math.max(2, Math.floor(Math.log10(least_ms)));
  for (const share of [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8])
    if (share * step_ms >= least_ms) return share * step_ms;
  return 10 * step_ms;
}

export function inSeconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(2))} s`;
}
