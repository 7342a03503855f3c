/** When the readings of a pack were whose time is uncertain, in as few spans of time as cover it. */
import type { Corrections, SeqRange } from './clock-corrections.ts';
import type { Chunk, LogRows } from './log-rows.ts';

/** In one reply. Where there are more, those closest to each other are reported as one. */
export const MAX_SPANS = 100;

export type TimeSpan = [from_ms: number, to_ms: number];

/** Of one pack. Rows of one run of uncertain numbers were stamped under one offset, so a run is one span. */
export class UncertainSpans {
  readonly #runs: readonly SeqRange[];
  readonly #from_ms: number;
  readonly #to_ms: number;
  readonly #span_of_run = new Map<SeqRange, TimeSpan>();

  constructor(corrections: Corrections, from_ms: number, to_ms: number) {
    this.#runs = corrections.uncertain;
    this.#from_ms = from_ms;
    this.#to_ms = to_ms;
  }

  addRow(seq: number, t_ms: number): void {
    if (t_ms < this.#from_ms || t_ms > this.#to_ms) return;
    const run = this.#runs.find(({ first_seq, last_seq }) => seq >= first_seq && seq <= last_seq);
    if (run) this.#widen(run, t_ms, t_ms);
  }

  /** Whether it had to be unpacked: not one that lies within a run and within the span that is asked for. */
  addChunk(chunk: Chunk, rows: LogRows): boolean {
    const { first_seq, last_seq, min_t_ms, max_t_ms } = chunk;
    const run = this.#runs.find(run => run.first_seq <= last_seq && run.last_seq >= first_seq);
    if (!run) return false;
    const is_within = run.first_seq <= first_seq && run.last_seq >= last_seq;
    if (is_within && min_t_ms >= this.#from_ms && max_t_ms <= this.#to_ms) {
      this.#widen(run, min_t_ms, max_t_ms);
      return false;
    }
    for (const group of rows.groups(chunk)) {
      const times = rows.times(chunk, group);
      const rel_seqs = group.relSeqs();
      for (let row = 0; row < times.length; row++) this.addRow(first_seq + rel_seqs[row], times[row]);
    }
    return true;
  }

  /** Ascending, disjoint. */
  spans(): TimeSpan[] {
    return fewer(joined([...this.#span_of_run.values()]), MAX_SPANS);
  }

  #widen(run: SeqRange, from_ms: number, to_ms: number): void {
    const [from = from_ms, to = to_ms] = this.#span_of_run.get(run) ?? [];
    this.#span_of_run.set(run, [Math.min(from, from_ms), Math.max(to, to_ms)]);
  }
}

function joined(spans: readonly TimeSpan[]): TimeSpan[] {
  const all: TimeSpan[] = [];
  for (const [from_ms, to_ms] of spans.toSorted(([a], [b]) => a - b)) {
    const last = all.at(-1);
    if (last && from_ms <= last[1]) last[1] = Math.max(last[1], to_ms);
    else all.push([from_ms, to_ms]);
  }
  return all;
}

/** At most `most` of disjoint spans: the narrowest gaps between them are closed. */
export function fewer(spans: readonly TimeSpan[], most: number): TimeSpan[] {
  const gaps = spans.slice(1).map(([from_ms], i) => ({ i, width_ms: from_ms - spans[i][1] }));
  const closed = new Set(
    gaps
      .sort((a, b) => a.width_ms - b.width_ms)
      .slice(0, Math.max(0, spans.length - most))
      .map(({ i }) => i),
  );
  const left: TimeSpan[] = [];
  for (const [i, [from_ms, to_ms]] of spans.entries()) {
    const last = left.at(-1);
    if (last && closed.has(i - 1)) last[1] = to_ms;
    else left.push([from_ms, to_ms]);
  }
  return left;
}
