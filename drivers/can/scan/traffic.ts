/** What was received on a CAN bus: counts and periods of every id, and a bounded part of the frames themselves. */
import { canKey, formatCanId } from '../can-bus.ts';
import type { SentFrame } from '../virtual-bus.ts';

export interface ReceivedFrame {
  readonly t_ms: number;
  readonly data: Uint8Array;
}

export interface SeenId {
  readonly id: number;
  readonly extended: boolean;
  count: number;
  readonly first_ms: number;
  last_ms: number;
  /** The first ones, as many as are kept. */
  readonly frames: ReceivedFrame[];
}

/** For the report: `period_ms` is undefined where one frame came. */
export interface ReceivedSummary {
  readonly id: string;
  readonly frames: number;
  readonly period_ms: number | undefined;
}

/** Enough for every multiplexer value of a sweep, several times. */
const FRAMES_PER_ID = 1000;
const MAX_FRAMES = 200_000;
/** More than all 11-bit ids; beyond, only counted. */
const MAX_IDS = 8192;

export class CanTraffic {
  frames = 0;
  error_frames = 0;
  remote_frames = 0;
  unreadable_lines = 0;
  /** Of ids beyond the most that are kept apart. */
  ids_left_out = 0;
  #kept = 0;
  readonly #ids = new Map<number, SeenId>();

  /** Copies the data. */
  add({ id, extended, data, length }: SentFrame, t_ms: number): void {
    this.frames++;
    const key = canKey(id, extended);
    let seen = this.#ids.get(key);
    if (!seen) {
      if (this.#ids.size >= MAX_IDS) {
        this.ids_left_out++;
        return;
      }
      seen = { id, extended, count: 0, first_ms: t_ms, last_ms: t_ms, frames: [] };
      this.#ids.set(key, seen);
    }
    seen.count++;
    seen.last_ms = Math.max(seen.last_ms, t_ms);
    if (seen.frames.length >= FRAMES_PER_ID || this.#kept >= MAX_FRAMES) return;
    this.#kept++;
    seen.frames.push({ t_ms, data: data.slice(0, length) });
  }

  get ids(): Iterable<SeenId> {
    return this.#ids.values();
  }

  /** How many ids of 11 or of 29 bits were received. */
  countIds(extended: boolean): number {
    let count = 0;
    for (const seen of this.#ids.values()) if (seen.extended === extended) count++;
    return count;
  }

  /** Most frequent first. */
  summary(): ReceivedSummary[] {
    return [...this.#ids.values()]
      .sort((a, b) => b.count - a.count || a.id - b.id)
      .map(({ id, extended, count, first_ms, last_ms }) => ({
        id: formatCanId(id, extended),
        frames: count,
        period_ms: count > 1 ? Math.round((last_ms - first_ms) / (count - 1)) : undefined,
      }));
  }
}
