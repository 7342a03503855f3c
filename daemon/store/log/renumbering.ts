/** Which numbers rows of the log got, by those they had; see fork.ts. */
import type { SeqRange } from './clock-corrections.ts';

/** Rows that follow one another, before and after. */
interface Run extends SeqRange {
  readonly new_first_seq: number;
}

export class Renumbering {
  /** Rows up to this one keep theirs. */
  readonly after_seq: number;
  /** From here on numbers are new; those between are of rows that were never here. */
  readonly first_new_seq: number;
  #next_seq: number;
  readonly #runs: Run[] = [];

  constructor(after_seq: number, first_new_seq: number) {
    this.after_seq = after_seq;
    this.first_new_seq = first_new_seq;
    this.#next_seq = first_new_seq;
  }

  /** The next number is for a row that had none. */
  skip(): void {
    this.#next_seq++;
  }

  /** The next number is for this row; they come in order. */
  add(seq: number): void {
    const last = this.#runs.at(-1);
    if (last?.last_seq === seq - 1) this.#runs[this.#runs.length - 1] = { ...last, last_seq: seq };
    else this.#runs.push({ first_seq: seq, last_seq: seq, new_first_seq: this.#next_seq });
    this.#next_seq++;
  }

  /** Where rows of a range are now: one range, or two when it lies across the edge. Empty ones end before they begin. */
  rangesOf({ first_seq, last_seq }: SeqRange): SeqRange[] {
    const { after_seq, first_new_seq } = this;
    if (last_seq <= after_seq || first_seq >= first_new_seq) return [{ first_seq, last_seq }];
    const moved = { first_seq: this.atOrAfter(first_seq), last_seq: this.#atOrBefore(last_seq) };
    if (first_seq > after_seq) return [moved];
    return [
      { first_seq, last_seq: after_seq },
      { ...moved, first_seq: first_new_seq },
    ];
  }

  /** Whether there was a row with this number. */
  has(seq: number): boolean {
    return this.#runs.some(({ first_seq, last_seq }) => seq >= first_seq && seq <= last_seq);
  }

  /** Number of the first row that had this one or a higher. */
  atOrAfter(seq: number): number {
    const run = this.#runs.find(({ last_seq }) => last_seq >= seq);
    return run ? run.new_first_seq + Math.max(0, seq - run.first_seq) : this.#next_seq;
  }

  #atOrBefore(seq: number): number {
    const run = this.#runs.findLast(({ first_seq }) => first_seq <= seq);
    return run ? run.new_first_seq + Math.min(seq, run.last_seq) - run.first_seq : this.first_new_seq - 1;
  }
}
