/** Corrected times: by how much the readings of which rows are later than the log says, and which are uncertain. */
import type { Database } from 'better-sqlite3';

export interface SeqRange {
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Rows whose time is `shift_ms` later than the log says. */
export interface ShiftedRange extends SeqRange {
  readonly shift_ms: number;
}

interface Stored extends SeqRange {
  readonly offset_ms: number;
}

const FOREVER = Number.MAX_SAFE_INTEGER;

export class Corrections {
  /** Number of the newest record that is taken into account. */
  readonly version: number;
  /** Cover all numbers, ascending; neighbours differ in their shift. */
  readonly pieces: readonly ShiftedRange[];
  /** Rows whose time is uncertain. Ascending, disjoint. */
  readonly uncertain: readonly SeqRange[];
  #last_piece = 0;

  private constructor(version: number, stored: readonly Stored[], uncertain: readonly SeqRange[]) {
    this.version = version;
    this.pieces = piecesOf(stored);
    this.uncertain = uncertain;
  }

  static load(db: Database): Corrections {
    const stored = db
      .prepare<[], Stored>('SELECT first_seq, last_seq, offset_ms FROM corrections ORDER BY first_seq')
      .all();
    const uncertain = db
      .prepare<[number], SeqRange>(
        'SELECT first_seq, coalesce(last_seq, ?) AS last_seq FROM uncertain_times ORDER BY first_seq',
      )
      .all(FOREVER);
    return new Corrections(versionOf(db), stored, uncertain);
  }

  /** These, or newer ones if there are. */
  current(db: Database): Corrections {
    return versionOf(db) === this.version ? this : Corrections.load(db);
  }

  /** Time of a row of which the log says `t_ms`. Rows asked for one after another are found at once. */
  correct(seq: number, t_ms: number): number {
    return t_ms + this.pieces[this.#pieceOf(seq)].shift_ms;
  }

  /** What all rows of a range have in common; undefined: some are corrected differently from others. */
  shiftOf({ first_seq, last_seq }: SeqRange): number | undefined {
    const piece = this.pieces[this.#pieceOf(first_seq)];
    return piece.last_seq >= last_seq ? piece.shift_ms : undefined;
  }

  /** That of the rows of a range which are corrected least. */
  leastShift(range: SeqRange): number {
    return Math.min(...this.#shiftsOf(range));
  }

  /** That of those which are corrected most. */
  mostShift(range: SeqRange): number {
    return Math.max(...this.#shiftsOf(range));
  }

  #shiftsOf({ first_seq, last_seq }: SeqRange): number[] {
    return this.pieces
      .filter(piece => piece.first_seq <= last_seq && piece.last_seq >= first_seq)
      .map(({ shift_ms }) => shift_ms);
  }

  isUncertain(seq: number): boolean {
    return this.uncertain.some(range => seq >= range.first_seq && seq <= range.last_seq);
  }

  /** Highest number that no uncertain span holds. */
  newestCertain(): number {
    let seq = FOREVER;
    for (const { first_seq, last_seq } of this.uncertain.toReversed())
      if (last_seq >= seq) seq = first_seq - 1;
    return seq;
  }

  /**
   * Where rows of a span of true time can be, ascending. `find` gives it for times as they stand in the log; within a
   * range that is returned true time is the log's and `shift_ms`.
   */
  ranges(
    from_ms: number,
    to_ms: number,
    find: (from_ms: number, to_ms: number) => readonly SeqRange[],
  ): ShiftedRange[] {
    const found = new Map<number, readonly SeqRange[]>();
    return this.pieces.flatMap(({ first_seq, last_seq, shift_ms }) => {
      const ranges = found.get(shift_ms) ?? find(from_ms - shift_ms, to_ms - shift_ms);
      found.set(shift_ms, ranges);
      return ranges
        .filter(range => range.first_seq <= last_seq && range.last_seq >= first_seq)
        .map(range => ({
          first_seq: Math.max(range.first_seq, first_seq),
          last_seq: Math.min(range.last_seq, last_seq),
          shift_ms,
        }));
    });
  }

  #pieceOf(seq: number): number {
    const last = this.pieces[this.#last_piece];
    if (seq >= last.first_seq && seq <= last.last_seq) return this.#last_piece;
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pieces[middle].first_seq <= seq) low = middle;
      else high = middle - 1;
    }
    this.#last_piece = low;
    return low;
  }
}

function versionOf(db: Database): number {
  return db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM clock_records').pluck().get() ?? 0;
}

/** What overlaps adds up; neighbours with the same sum are one. */
function piecesOf(stored: readonly Stored[]): ShiftedRange[] {
  const changes = new Map<number, number>();
  const add = (seq: number, by_ms: number) => changes.set(seq, (changes.get(seq) ?? 0) + by_ms);
  for (const { first_seq, last_seq, offset_ms } of stored) {
    add(first_seq, offset_ms);
    add(last_seq + 1, -offset_ms);
  }
  const pieces: ShiftedRange[] = [];
  let first_seq = 0;
  let shift_ms = 0;
  for (const [seq, by_ms] of [...changes].sort(([a], [b]) => a - b)) {
    if (by_ms === 0) continue;
    if (seq > first_seq) pieces.push({ first_seq, last_seq: seq - 1, shift_ms });
    first_seq = seq;
    shift_ms += by_ms;
  }
  pieces.push({ first_seq, last_seq: FOREVER, shift_ms });
  return pieces;
}
