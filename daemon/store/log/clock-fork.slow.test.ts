/**
 * A log that was restored from an older copy, whose records name rows by number: what they say of each row is the same
 * under its new number.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { erasOf, settle } from '../../../core/clock/wall-certainty.ts';
import {
  type ClockCorrection,
  type ClockEra,
  type ClockRecord,
  TRUSTS,
} from '../../../core/contract/clock.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { SQLITE_MIGRATIONS } from '../file/migration-files.ts';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { temporaryDirectory } from '../testing/fixtures.ts';
import { archiveAll, commit, openWriter, type Row, readAll } from '../testing/writer-bench.ts';
import type { Writer } from '../write/writer.ts';
import { Corrections } from './clock-corrections.ts';
import { storeClock } from './clock-records.ts';

const T0 = Date.UTC(2026, 0, 1);
type ReportedTime = readonly [n: number, t_ms: number, certain: boolean];

/** One boot of a box: readings are numbered by their time, the wall clock is off by what the era says. */
class Boot {
  readonly writer: Writer;
  readonly file: string;
  #mono_ms = 0;
  #offset_ms = 0;

  constructor(file: string) {
    this.file = file;
    this.writer = openWriter(file, 20);
  }

  read(count: number): void {
    const rows = Array.from({ length: count }, () => {
      this.#mono_ms += 1000;
      return { pack: 0, n: this.#mono_ms / 1000, t_ms: this.#mono_ms + this.#offset_ms };
    });
    commit(this.writer, rows);
  }

  era(trust: ClockEra['trust'], offset_ms: number): void {
    this.#offset_ms = offset_ms;
    const t_ms = this.#mono_ms + offset_ms;
    this.#append({ reason: 'step', boot_id: 'b', t_ms, offset_ms, step_ms: 0, trust });
  }

  settle(): void {
    for (const correction of this.corrections()) this.#append(correction);
  }

  corrections(): ClockRecord[] {
    const { records } = this.#read(reader => reader.clockState('b'));
    return settle(erasOf(records)).map(record => ({ ...record, boot_id: 'b', t_ms: this.#mono_ms }));
  }

  #append(record: ClockRecord): void {
    const body = Buffer.from(JSON.stringify(record)).toString('latin1');
    commit(this.writer, [{ kind: LogKind.clock, pack_key: 0, t_ms: record.t_ms, body }]);
  }

  rows(): (Row & { seq: number })[] {
    return this.#read(reader => readAll(reader, 0, 50));
  }

  /** What is reported of every reading; `corrections`: by whom. */
  reported(corrections = this.#stored()): ReportedTime[] {
    return this.rows()
      .filter(({ kind }) => kind === LogKind.reading)
      .map(({ seq, t_ms, body }) => [
        body.length,
        corrections.correct(seq, t_ms),
        !corrections.isUncertain(seq),
      ]);
  }

  /** What an export says of every reading. */
  exported(): (readonly [t_ms: number, certain: boolean])[] {
    const form = { rows: 'pack', format: 'ndjson' } as const;
    const { text } = this.#read(reader =>
      reader.exportChunk({ pack_ids: ['p01'], form, after_seq: 0, from_ms: -1e15, to_ms: 1e15 }),
    );
    return Buffer.from(text)
      .toString()
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as { t_ms: number; time_certain: boolean })
      .map(({ t_ms, time_certain }) => [t_ms, time_certain]);
  }

  #stored(): Corrections {
    const db = new Database(this.file, { readonly: true });
    const corrections = Corrections.load(db);
    db.close();
    return corrections;
  }

  #read<T>(ask: (reader: Reader) => T): T {
    const reader = new Reader(this.file);
    const reported = ask(reader);
    reader.close();
    return reported;
  }
}

/** What whoever reads the log in order makes of its records. */
function replay(rows: readonly (Row & { seq: number })[]): Corrections {
  const db = new Database(':memory:');
  for (const file of readdirSync(SQLITE_MIGRATIONS).toSorted())
    db.exec(readFileSync(join(SQLITE_MIGRATIONS, file), 'utf8'));
  for (const { seq, kind, body } of rows)
    if (kind === LogKind.clock) storeClock(db, seq, Buffer.from(body, 'latin1').toString('utf8'));
  const corrections = Corrections.load(db);
  db.close();
  return corrections;
}

const anyStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ read: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      trust: fc.constantFrom(...TRUSTS),
      offset_ms: fc.constantFrom(0, 5_000_000, T0, T0 + 3_600_000),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom('settle', 'archive') },
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function live(boot: Boot, steps: readonly Step[]): void {
  for (const step of steps)
    if (step === 'settle') boot.settle();
    else if (step === 'archive') archiveAll(boot.writer);
    else if (typeof step !== 'string' && 'read' in step) boot.read(step.read);
    else if (typeof step !== 'string') boot.era(step.trust, step.offset_ms);
}

test('times and marks of every reading stay, here and for who follows the log, and the rest is settled later', () => {
  fc.assert(
    fc.property(
      fc.array(anyStep, { minLength: 2, maxLength: 16 }),
      fc.array(anyStep, { maxLength: 6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(30),
      (before, after, edge, ahead) => {
        const directory = temporaryDirectory();
        const boot = new Boot(join(directory.path, 'gateway.db'));
        live(boot, [{ trust: 'none', offset_ms: 0 }, { read: 1 }, ...before]);
        const { last_seq } = boot.writer.describe();
        const after_seq = Math.floor(edge * last_seq);
        const above_seq = last_seq + ahead;
        const reported = boot.reported();
        boot.writer.fork({ after_seq, above_seq, t_ms: T0 });
        const check = (expected: readonly ReportedTime[]) => {
          expect(boot.reported()).toEqual(expected);
          expect(boot.exported()).toEqual(expected.map(([, ...reported]) => reported));
          expect(boot.reported(replay(boot.rows()))).toEqual(expected);
        };
        check(reported);
        live(boot, after);
        check(boot.reported());
        // The clock is right from now on: what is said of rows between is not ours to say.
        boot.era('network', T0);
        const named = boot.corrections();
        for (const record of named)
          if (record.reason === 'correction')
            expect(record.last_seq <= after_seq || record.first_seq > above_seq).toBe(true);
        boot.settle();
        boot.read(1);
        check(boot.reported());
        const times = boot.reported();
        expect(times.every(([, , certain]) => certain)).toBe(true);
        boot.writer.close();
        directory.remove();
      },
    ),
    { numRuns: runsOf(15) },
  );
}, 60_000);

test.each([5, 6])('a correction on its way while rows after %d get new numbers finds them', after_seq => {
  const directory = temporaryDirectory();
  const boot = new Boot(join(directory.path, 'gateway.db'));
  boot.era('none', 0);
  boot.read(4);
  boot.era('none', 5000);
  boot.read(4);
  boot.era('network', T0);
  const late = boot.corrections();
  boot.writer.fork({ after_seq, above_seq: 100, t_ms: T0 });
  const row = (record: ClockRecord) => ({
    kind: LogKind.clock,
    pack_key: 0,
    t_ms: T0,
    body: JSON.stringify(record),
  });
  commit(boot.writer, late.map(row));
  for (const { kind, body } of boot.rows())
    if (kind === LogKind.clock) {
      const { first_seq = 0, last_seq = 0 } = JSON.parse(body) as Partial<ClockCorrection>;
      expect(last_seq <= after_seq || first_seq > 100).toBe(true);
    }
  boot.settle();
  expect(boot.reported()).toEqual(
    Array.from({ length: 8 }, (_, i) => [expect.any(Number), T0 + (i + 1) * 1000, true]),
  );
  boot.writer.close();
  directory.remove();
});
