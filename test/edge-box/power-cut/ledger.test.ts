/** The judge of the power cuts finds each kind of loss. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogKind } from '../../../daemon/store/store.ts';
import { jsonDigest } from './content.ts';
import { Ledger } from './ledger.ts';
import type { Checked } from './load.ts';

const INTACT: Checked = {
  integrity: ['ok'],
  documents: {},
  alerts: {},
  audit: [undefined, undefined],
  took_ms: 1,
};

let directory: string;
let ledger: Ledger;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ledger-'));
  ledger = new Ledger(join(directory, 'ledger.bin'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const rows = (first: number, count: number, salt = 0) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => jsonDigest(LogKind.alert, first + i, { salt })));

/** A boot that finds rows 1 … `end`. */
function boot(cycle: number, end: number, found: readonly Buffer[], checked = INTACT, centre_seq = 0): void {
  ledger.opened(cycle, { durable_seq: end, first_seq: 1, incarnation: 'a' });
  let seq = 1;
  for (const digests of found) {
    ledger.found(cycle, seq, digests);
    seq += digests.length / 8;
  }
  ledger.checked(cycle, checked);
  ledger.checkRows(cycle, centre_seq);
}

test('what is kept as it was is in order, also what came without a word', () => {
  boot(1, 0, []);
  ledger.acknowledged(1, 1, rows(1, 3));
  boot(2, 5, [rows(1, 5)]);
  boot(3, 5, [rows(1, 5)]);
  expect(ledger.violations).toEqual([]);
  expect(ledger.known_to).toBe(5);
});

test('a lost end, a lost row and changed bytes are found', () => {
  boot(1, 0, []);
  ledger.acknowledged(1, 1, rows(1, 6));
  boot(2, 4, [rows(1, 4)]);
  expect(ledger.violations.splice(0)).toEqual([
    'cycle 2: the log ends at 4, but rows up to 6 were acknowledged',
  ]);
  ledger.opened(3, { durable_seq: 6, first_seq: 1, incarnation: 'a' });
  ledger.found(3, 1, rows(1, 2));
  ledger.found(3, 4, rows(4, 3, 1));
  ledger.checked(3, INTACT);
  ledger.checkRows(3, 0);
  expect(ledger.violations).toEqual([
    ...[4, 5, 6].map(seq => `cycle 3: found row ${seq} has other content than before`),
    'cycle 3: row 3 is lost: neither here nor at the centre',
  ]);
});

test('a number given twice among acknowledged rows is found', () => {
  boot(1, 0, []);
  ledger.acknowledged(1, 1, rows(1, 3));
  ledger.acknowledged(2, 3, rows(3, 2, 1));
  expect(ledger.violations).toEqual(['cycle 2: acknowledged row 3 has other content than before']);
});

test('rows may go only once the centre has them and their time has come', () => {
  boot(1, 0, []);
  ledger.acknowledged(1, 1, rows(1, 2));
  for (let cycle = 2; cycle < 9; cycle++) boot(cycle, 2, [rows(1, 2)]);
  boot(9, 2, [], INTACT, 2);
  expect(ledger.violations).toEqual([]);
  ledger.acknowledged(9, 3, rows(3, 1));
  boot(10, 3, [], INTACT, 3);
  expect(ledger.violations).toEqual([expect.stringContaining('row 3 is gone before its time')]);
});

test('a database, a document, an alert or an audit entry that is not right is found', () => {
  boot(1, 0, []);
  for (let change = 1; change <= 7; change++) ledger.documentChanged('a', change);
  boot(2, 0, [], { ...INTACT, documents: { a: 8 } });
  expect(ledger.violations).toEqual([]);
  ledger.documentChanged('a', 9);
  boot(3, 0, [], {
    integrity: ['row 1 missing from index'],
    documents: { a: 8 },
    took_ms: 1,
    alerts: { x: ['cleared', 'active'] },
    audit: ['2', '1'],
  });
  expect(ledger.violations).toEqual([
    'cycle 3: integrity_check: row 1 missing from index',
    'cycle 3: x is cleared in the log, active in the table',
    'cycle 3: newest audit entry: 2 in the log, 1 in the table',
    'cycle 3: document a: change 9 was acknowledged, found 8',
  ]);
});

test('a later run goes on with what the one before has saved', () => {
  boot(1, 0, []);
  ledger.acknowledged(1, 1, rows(1, 3));
  const file = join(directory, 'ledger.bin');
  const state = ledger.save();
  ledger = new Ledger(file, state);
  expect(ledger.known_to).toBe(3);
  boot(2, 3, [rows(1, 2), rows(3, 1, 1)]);
  expect(ledger.violations).toEqual(['cycle 2: found row 3 has other content than before']);
});
