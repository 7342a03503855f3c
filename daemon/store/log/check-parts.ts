/**
 * Whether stored bytes are still what was written: the checksums of all blocks of the log, chunks of the archive and
 * rollups, in the order of their keys, as much at a time as the caller likes.
 */
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { describeError } from '../../../core/errors.ts';
import { isCorrupt } from '../file/open-database.ts';
import { forEachRecord } from '../format/batch-buffer.ts';
import { type StoredRow, visitRow } from '../format/block.ts';
import { openChunk } from '../format/chunk.ts';
import { decompress } from '../format/packed-columns.ts';
import { Rollup, STEPS_PER_BLOCK } from '../format/rollup-block.ts';

/** What a part is called when it cannot be read, whoever finds it: it is reported once. */
export const blockName = (last_seq: number) => `block of rows up to ${last_seq}`;
export const recordsName = (first_seq: number) => `records from row ${first_seq} on`;
export const chunkName = (pack_key: number, first_seq: number) =>
  `chunk of pack key ${pack_key} from row ${first_seq} on`;
export const rollupName = (pack_key: number, start_ms: number) =>
  `rollup of pack key ${pack_key} from ${new Date(start_ms).toISOString()} on`;

/** The last part that was checked: its table, and its key there. */
export interface PartsPosition {
  readonly table: (typeof TABLES)[number]['table'];
  readonly key: readonly number[];
}

export interface CheckedParts {
  /** Undefined: all are checked. */
  readonly position: PartsPosition | undefined;
  readonly bytes: number;
}

interface Part {
  readonly key: readonly number[];
  readonly body: Buffer;
  readonly name: string;
  /** Throws what is wrong with it. */
  readonly check: () => void;
}

const LOG = {
  table: 'log',
  sql: 'SELECT seq, kind, pack_key, t_ms, body FROM log WHERE seq > ? ORDER BY seq',
  first: [-1],
  part: (row: StoredRow): Part => ({
    key: [row.seq],
    body: row.body,
    name: blockName(row.seq),
    check: () => visitRow(row, () => true),
  }),
} as const;

const CHUNKS = {
  table: 'chunks',
  sql: `SELECT first_seq, pack_key, body FROM chunks WHERE (first_seq, pack_key) > (?, ?)
        ORDER BY first_seq, pack_key`,
  first: [-1, -1],
  part: ({ first_seq, pack_key, body }: { first_seq: number; pack_key: number; body: Buffer }): Part => ({
    key: [first_seq, pack_key],
    body,
    name: pack_key === 0 ? recordsName(first_seq) : chunkName(pack_key, first_seq),
    check: () => (pack_key === 0 ? void forEachRecord(decompress(body), () => true) : void openChunk(body)),
  }),
} as const;

const ROLLUPS = {
  table: 'rollups',
  sql: `SELECT step_ms, pack_key, start_ms, body FROM rollups WHERE (step_ms, pack_key, start_ms) > (?, ?, ?)
        ORDER BY step_ms, pack_key, start_ms`,
  first: [-1, -1, -Number.MAX_SAFE_INTEGER],
  part: (row: { step_ms: number; pack_key: number; start_ms: number; body: Buffer }): Part => {
    const { step_ms, pack_key, start_ms, body } = row;
    return {
      key: [step_ms, pack_key, start_ms],
      body,
      name: rollupName(pack_key, start_ms),
      check: () => new Rollup(start_ms, step_ms, STEPS_PER_BLOCK).addBlock(body, start_ms, step_ms),
    };
  },
} as const;

const TABLES = [LOG, CHUNKS, ROLLUPS] as const;

/** A part that is not what was written. */
export interface DamagedPart extends Pick<Part, 'name' | 'body'> {
  readonly position: PartsPosition;
  readonly reason: string;
}

export class PartsCheck {
  readonly #select: ReadonlyMap<string, Statement<unknown[], never>>;
  readonly #onDamage: (part: DamagedPart) => void;
  readonly #onUnreadable: ((what: string) => void) | undefined;

  /** `onUnreadable`: of a table whose pages cannot be read; the next one follows. Without it that is thrown. */
  constructor(db: Database, onDamage: (part: DamagedPart) => void, onUnreadable?: (what: string) => void) {
    this.#onUnreadable = onUnreadable;
    this.#select = new Map(TABLES.map(({ table, sql }) => [table, db.prepare(sql)]));
    this.#onDamage = onDamage;
  }

  /** Those after `position` (undefined: from the first on), until at least so many bytes were checked. */
  check(position: PartsPosition | undefined, at_least_bytes: number): CheckedParts {
    let bytes = 0;
    const from = position === undefined ? 0 : TABLES.findIndex(({ table }) => table === position.table);
    for (const one of TABLES.slice(Math.max(0, from))) {
      const after = position?.table === one.table ? position.key : one.first;
      let at: PartsPosition | undefined;
      try {
        at = this.#checkTable(one, after, part => {
          bytes += part.body.length;
          return bytes < at_least_bytes;
        });
      } catch (error) {
        if (!this.#onUnreadable || !isUnreadable(error)) throw error;
        this.#onUnreadable(`table ${one.table}: ${describeError(error)}`);
      }
      if (at) return { position: at, bytes };
    }
    return { position: undefined, bytes };
  }

  /** Until `goesOn` says no; undefined when it never did. */
  #checkTable(
    { table, part }: (typeof TABLES)[number],
    after: readonly number[],
    goesOn: (part: Part) => boolean,
  ): PartsPosition | undefined {
    for (const row of this.#rows(table).iterate(...after)) {
      const found = part(row);
      const at = { table, key: found.key };
      this.#judge(found, at);
      if (!goesOn(found)) return at;
    }
    return undefined;
  }

  /** The body of a part, as it stands now. */
  body({ table, key }: PartsPosition): Buffer | undefined {
    const { part } = TABLES.find(one => one.table === table) ?? LOG;
    // What comes right after the key before it.
    const before = [...key.slice(0, -1), key[key.length - 1] - 1];
    for (const row of this.#rows(table).iterate(...before)) {
      const found = part(row);
      return String(found.key) === String(key) ? found.body : undefined;
    }
    return undefined;
  }

  #rows(table: PartsPosition['table']): Statement<unknown[], never> {
    return this.#select.get(table) as Statement<unknown[], never>;
  }

  #judge({ check, ...part }: Part, position: PartsPosition): void {
    try {
      check();
    } catch (error) {
      this.#onDamage({ ...part, position, reason: describeError(error) });
    }
  }
}

/** What SQLite says of pages that are not what they must be, and the card of those it cannot read. */
function isUnreadable(error: unknown): boolean {
  return isCorrupt(error) || (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_IOERR'));
}
