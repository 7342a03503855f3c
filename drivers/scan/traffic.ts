/** What was heard on a CAN bus: counts and periods of every id, and a bounded part of the frames themselves. */
import { canKey, formatCanId } from '../can/can-bus.ts';
import type { SentFrame } from '../can/virtual-bus.ts';

export interface HeardFrame {
  readonly t_ms: number;
  readonly data: Uint8Array;
}

export interface HeardId {
  readonly id: number;
  readonly extended: boolean;
  count: number;
  readonly first_ms: number;
  last_ms: number;
  /** The first ones, as many as are kept. */
  readonly frames: HeardFrame[];
}

/** For the report: `period_ms` is undefined where one frame came. */
export interface HeardSummary {
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
  readonly #ids = new Map<number, HeardId>();

  /** Copies the data. */
  add({ id, extended, data, length }: SentFrame, t_ms: number): void {
    this.frames++;
    const key = canKey(id, extended);
    let heard = this.#ids.get(key);
    if (!heard) {
      if (this.#ids.size >= MAX_IDS) {
        this.ids_left_out++;
        return;
      }
      heard = { id, extended, count: 0, first_ms: t_ms, last_ms: t_ms, frames: [] };
      this.#ids.set(key, heard);
    }
    heard.count++;
    heard.last_ms = Math.max(heard.last_ms, t_ms);
    if (heard.frames.length >= FRAMES_PER_ID || this.#kept >= MAX_FRAMES) return;
    this.#kept++;
    heard.frames.push({ t_ms, data: data.slice(0, length) });
  }

  get ids(): Iterable<HeardId> {
    return this.#ids.values();
  }

  /** How many ids of 11 or of 29 bits were heard. */
  countIds(extended: boolean): number {
    let count = 0;
    for (const heard of this.#ids.values()) if (heard.extended === extended) count++;
    return count;
  }

  /** Most frequent first. */
  summary(): HeardSummary[] {
    return [...this.#ids.values()]
      .sort((a, b) => b.count - a.count || a.id - b.id)
      .map(({ id, extended, count, first_ms, last_ms }) => ({
        id: formatCanId(id, extended),
        frames: count,
        period_ms: count > 1 ? Math.round((last_ms - first_ms) / (count - 1)) : undefined,
      }));
  }
}
