/**
 * The past of one pack, from the coarsest source that is fine enough: rollups, or chunks of readings; what is not in
 * the archive yet is read from the log itself.
 */
import type { Database } from 'better-sqlite3';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { ReadingDecoder } from '../../../core/reading/codec.ts';
import {
  factSeries,
  HISTORY_PARTS,
  READING_FACTS,
  seriesValue,
  wantedSeries,
} from '../../../core/reading/history-series.ts';
import { MetaTable } from '../file/meta-table.ts';
import { addGoodValues, groupValues } from '../format/chunk-series.ts';
import { blockStart, ROLLUP_LEVELS, Rollup, stepsFrom } from '../format/rollup-block.ts';
import { rollupName } from '../log/check-parts.ts';
import type { Chunk, LogRows } from '../log/log-rows.ts';
import { type TimeSpan, UncertainSpans } from '../log/uncertain-spans.ts';
import { type HistoryRequest, LogKind } from '../store.ts';
import { type History, historyOfReadings, historyOfSteps, ThinnedSeries } from './history.ts';

/** Chunks or blocks unpacked between two pauses. */
const UNPACKED_PER_TURN = 16;

interface LooseReading {
  readonly t_ms: number;
  readonly body: Buffer;
}

interface Found<T> {
  readonly chunks: Chunk[];
  readonly loose: LooseReading[];
  /** Knows of `loose` already. */
  readonly uncertain: UncertainSpans;
  readonly more: T | undefined;
}

export class HistoryReader {
  readonly #db: Database;
  readonly #meta: MetaTable;
  readonly #rows: LogRows;
  readonly #onDamage: (what: string) => void;
  readonly #decoder = new ReadingDecoder();

  constructor(db: Database, rows: LogRows, onDamage: (what: string) => void) {
    this.#db = db;
    this.#rows = rows;
    this.#meta = new MetaTable(db);
    this.#onDamage = onDamage;
  }

  /** `pause` is awaited now and then; when it returns false the query is given up with STORE_FAILED. */
  async read(request: HistoryRequest, pause: () => Promise<boolean>): Promise<History> {
    const { pack_id, from_ms, to_ms, max_points } = request;
    const pack_key =
      this.#db
        .prepare<[string], number>('SELECT pack_key FROM packs WHERE pack_id = ?')
        .pluck()
        .get(pack_id) ?? 0;
    const rest = async () => {
      if (await pause()) return;
      throw new GatewayError(
        'STORE_FAILED',
        `history of pack ${pack_id} from ${new Date(from_ms).toISOString()} to ${new Date(to_ms).toISOString()} ` +
          'takes too long to read; ask for a shorter span',
      );
    };
    const wanted_ms = (to_ms - from_ms) / Math.max(1, max_points);
    const level = ROLLUP_LEVELS.findLast(({ step_ms }) => step_ms <= wanted_ms);
    return level === undefined
      ? this.#readings(request, pack_key, rest)
      : this.#steps(request, pack_key, level, Math.ceil(wanted_ms / level.step_ms) * level.step_ms, rest);
  }

  async #readings(request: HistoryRequest, pack_key: number, rest: () => Promise<void>): Promise<History> {
    const { from_ms, to_ms, max_points, cell_no } = request;
    const cell = cell_no === undefined ? undefined : cell_no - 1;
    const rows = new ThinnedSeries(max_points);
    const { chunks, loose, uncertain } = this.#find(pack_key, from_ms, to_ms);
    for (const [i, chunk] of chunks.entries()) {
      this.#addChunk(rows, chunk, request, cell);
      if ((i + 1) % UNPACKED_PER_TURN === 0) await rest();
    }
    for (const [i, { t_ms, body }] of loose.entries()) {
      const view = new DataView(body.buffer, body.byteOffset, body.length);
      const reading = this.#decoder.decode(view, 0, body.length, HISTORY_PARTS);
      // Bytes that cannot be decoded stand as a moment without values.
      if (typeof reading === 'number') rows.add(t_ms, [], () => Number.NaN);
      else
        rows.add(
          t_ms,
          [...READING_FACTS.map(factSeries), ...wantedSeries(reading.shape.cell_count, cell)],
          series => seriesValue(reading, series),
        );
      if ((i + 1) % 4096 === 0) await rest();
    }
    return historyOfReadings(request, rows, await this.#uncertainSpans(uncertain, chunks, rest));
  }

  #addChunk(
    rows: ThinnedSeries,
    chunk: Chunk,
    { from_ms, to_ms }: HistoryRequest,
    cell: number | undefined,
  ): void {
    for (const group of this.#rows.groups(chunk)) {
      rows.addRows(this.#rows.times(chunk, group), groupValues(group, { cell }), from_ms, to_ms);
    }
  }

  async #steps(
    request: HistoryRequest,
    pack_key: number,
    { step_ms: level_ms, bit }: (typeof ROLLUP_LEVELS)[number],
    step_ms: number,
    rest: () => Promise<void>,
  ): Promise<History> {
    const start_ms = Math.floor(request.from_ms / level_ms) * level_ms;
    const step_count = Math.floor((request.to_ms - start_ms) / step_ms) + 1;
    const end_ms = start_ms + step_count * step_ms;
    const rollup = new Rollup(start_ms, step_ms, step_count);
    const found = this.#find(pack_key, start_ms, end_ms - 1, () => {
      const steps_from_ms = Number(this.#meta.get(stepsFrom(level_ms)) ?? 0);
      const first_ms = Math.max(blockStart(start_ms, level_ms), steps_from_ms);
      const blocks = this.#db
        .prepare<number[], { start_ms: number; body: Buffer }>(
          `SELECT start_ms, body FROM rollups
             WHERE step_ms = ? AND pack_key = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms`,
        )
        .all(level_ms, pack_key, first_ms, end_ms);
      return { blocks, steps_from_ms };
    });
    const { chunks, loose, uncertain, more } = found;
    const { blocks = [], steps_from_ms = 0 } = more ?? {};
    // Where the steps are gone readings may still be there: up to then they are what is reported.
    for (const [i, chunk] of chunks.entries()) {
      const is_rolled_up = (chunk.rolled_up & bit) !== 0;
      if (is_rolled_up && chunk.min_t_ms >= steps_from_ms) continue;
      for (const group of this.#rows.groups(chunk)) {
        const times = this.#rows.times(chunk, group);
        const wanted = is_rolled_up ? times.map(t_ms => (t_ms < steps_from_ms ? t_ms : Number.NaN)) : times;
        addGoodValues(group, wanted, () => rollup);
      }
      if ((i + 1) % UNPACKED_PER_TURN === 0) await rest();
    }
    for (const [i, { start_ms: block_ms, body }] of blocks.entries()) {
      try {
        rollup.addBlock(body, block_ms, level_ms);
      } catch (error) {
        this.#onDamage(`${rollupName(pack_key, block_ms)}: ${describeError(error)}`);
      }
      if ((i + 1) % UNPACKED_PER_TURN === 0) await rest();
    }
    for (const { t_ms, body } of loose) {
      const view = new DataView(body.buffer, body.byteOffset, body.length);
      const reading = this.#decoder.decode(view, 0, body.length, HISTORY_PARTS);
      if (typeof reading !== 'number') rollup.add(t_ms, reading);
    }
    return historyOfSteps(request, rollup, await this.#uncertainSpans(uncertain, chunks, rest));
  }

  async #uncertainSpans(
    uncertain: UncertainSpans,
    chunks: readonly Chunk[],
    rest: () => Promise<void>,
  ): Promise<TimeSpan[]> {
    let unpacked = 0;
    for (const chunk of chunks)
      if (uncertain.addChunk(chunk, this.#rows) && ++unpacked % UNPACKED_PER_TURN === 0) await rest();
    return uncertain.spans();
  }

  /** Chunks, readings outside of the archive, and `more`, in one state of the file. */
  #find<T>(pack_key: number, from_ms: number, to_ms: number, more?: () => T): Found<T> {
    return this.#rows.inOneState(() => {
      const loose: LooseReading[] = [];
      const uncertain = new UncertainSpans(this.#rows.corrections, from_ms, to_ms);
      const chunks = this.#rows.chunks(pack_key, from_ms, to_ms);
      this.#rows.scanUnarchived(from_ms, to_ms, pack_key, (seq, kind, _key, t_ms, body) => {
        if (kind !== LogKind.reading || t_ms < from_ms || t_ms > to_ms) return true;
        loose.push({ t_ms, body });
        uncertain.addRow(seq, t_ms);
        return true;
      });
      return { chunks, loose, uncertain, more: more?.() };
    });
  }
}
