/**
 * Stored readings of a span, given to rules as they are and as they might be: a little at a time, so that whoever else
 * asks is answered in between, and so long as there is time.
 */
import { differingRules } from '../../../core/alerts/rule-difference.ts';
import { RuleReplay } from '../../../core/alerts/rule-replay.ts';
import { ReadingDecoder } from '../../../core/reading/codec.ts';
import type { Chunk, LogRows } from '../log/log-rows.ts';
import { LogKind, type RuleReplayReply, type RuleReplayRequest } from '../store.ts';

/** Of what is not in the archive, read at once. */
const ROWS_PER_TURN = 256;

/** Awaited between turns; false: time is over, or nobody waits any more. */
export type Pause = () => Promise<boolean>;

export class RuleReplayReader {
  readonly #rows: LogRows;
  readonly #request: RuleReplayRequest;
  readonly #pause: Pause;
  readonly #decoder = new ReadingDecoder();
  readonly #replays: readonly RuleReplay[];
  /** By pack key: dense index of a pack that is asked for. */
  readonly #packs: ReadonlyMap<number, number>;
  #readings = 0;
  #undecodable = 0;
  #first_ms = Number.POSITIVE_INFINITY;
  #last_ms = Number.NEGATIVE_INFINITY;

  /** `packKey`: undefined for a pack that has never had a reading. */
  constructor(
    rows: LogRows,
    request: RuleReplayRequest,
    packKey: (pack_id: string) => number | undefined,
    pause: Pause,
  ) {
    this.#rows = rows;
    this.#request = request;
    this.#pause = pause;
    const { topology, before, after, silent_after_ms } = request;
    const ids = differingRules(before, after);
    this.#replays = [before, after].map(rules => {
      const differing = rules.filter(({ id }) => ids.includes(id));
      return new RuleReplay(topology, differing, silent_after_ms);
    });
    this.#packs = new Map(
      request.packs.flatMap(pack => {
        const key = packKey(topology.packs[pack].id);
        return key === undefined ? [] : [[key, pack]];
      }),
    );
  }

  async read(): Promise<RuleReplayReply> {
    const { from_ms, to_ms } = this.#request;
    // What is archived meanwhile is found by its numbers.
    const { chunks, loose } = this.#rows.inOneState(() => ({
      chunks: this.#rows
        .chunks(undefined, from_ms, to_ms - 1)
        .filter(({ pack_key }) => this.#packs.has(pack_key)),
      loose: this.#rows.unarchivedRanges(from_ms, to_ms - 1),
    }));
    const is_whole = (await this.#readChunks(chunks)) && (await this.#readLoose(loose));
    const [before, after] = this.#replays.map(replay => replay.result());
    return {
      before,
      after,
      is_whole,
      readings: this.#readings,
      undecodable: this.#undecodable,
      first_ms: this.#readings > 0 ? this.#first_ms : null,
      last_ms: this.#readings > 0 ? this.#last_ms : null,
    };
  }

  async #readChunks(chunks: readonly Chunk[]): Promise<boolean> {
    for (const chunk of chunks) {
      const groups = this.#rows.groups(chunk).map(group => {
        const { bytes, ends } = group.bodies();
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        return { view, ends, times: this.#rows.times(chunk, group), rel_seqs: group.relSeqs() };
      });
      // Readings of other widths stand apart: back into the order they came in.
      const order = groups
        .flatMap((group, g) => Array.from(group.rel_seqs, (rel_seq, row) => ({ rel_seq, g, row })))
        .sort((a, b) => a.rel_seq - b.rel_seq);
      let turn = 0;
      for (const { g, row } of order) {
        const { view, ends, times } = groups[g];
        const start = row === 0 ? 0 : ends[row - 1];
        this.#take(chunk.pack_key, times[row], view, start, ends[row]);
        if (++turn % ROWS_PER_TURN === 0 && !(await this.#pause())) return false;
      }
      if (!(await this.#pause())) return false;
    }
    return true;
  }

  async #readLoose(ranges: ReturnType<LogRows['unarchivedRanges']>): Promise<boolean> {
    for (const { first_seq, last_seq, shift_ms } of ranges) {
      let done_seq = first_seq - 1;
      while (done_seq < last_seq) {
        let rows = 0;
        let isFull = false;
        this.#rows.scanBytes(done_seq, last_seq, (seq, kind, pack_key, t_ms, bytes, start, end) => {
          isFull = rows++ >= ROWS_PER_TURN;
          if (isFull) return false;
          done_seq = seq;
          if (kind !== LogKind.reading) return true;
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          this.#take(pack_key, t_ms + shift_ms, view, start, end);
          return true;
        });
        if (!isFull) break;
        if (!(await this.#pause())) return false;
      }
    }
    return true;
  }

  #take(pack_key: number, t_ms: number, view: DataView, start: number, end: number): void {
    const { from_ms, to_ms, topology } = this.#request;
    const pack = this.#packs.get(pack_key);
    if (pack === undefined || t_ms < from_ms || t_ms >= to_ms) return;
    const reading = this.#decoder.decode(view, start, end - start);
    const { cell_count } = topology.packs[pack].shape;
    // Of a pack that had other cells then nothing can be compared.
    if (typeof reading === 'number' || reading.shape.cell_count !== cell_count) {
      this.#undecodable++;
      return;
    }
    this.#readings++;
    this.#first_ms = Math.min(this.#first_ms, t_ms);
    this.#last_ms = Math.max(this.#last_ms, t_ms);
    for (const replay of this.#replays) replay.take(pack, reading, t_ms);
  }
}
