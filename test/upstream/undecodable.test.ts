/** Rows that cannot be understood: kept at the centre as they came, and nothing behind them waits. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { STORE_FILE } from '../../daemon/store/sqlite-store.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import { appendRounds, caughtUp, T0, useCentre } from './harness.ts';

const topology = smallTopology(2);
const centre = useCentre();

test('rows of a newer version, of damaged bytes and of no JSON are put aside', async () => {
  const directory = centre.newDirectory();
  await (await centre.openLog(topology, directory)).close();
  const file = new Database(join(directory, STORE_FILE));
  const insert = file.prepare('INSERT INTO log (seq, kind, pack_key, t_ms, body) VALUES (?, ?, ?, ?, ?)');
  const rows = [
    [2, 99, 0, Buffer.from('from the future'), /unknown kind 99/],
    [3, LogKind.audit, 0, Buffer.from('{"half": '), /record of kind 6: .*JSON/],
    [4, LogKind.alert, 0, Buffer.from('null'), /record of kind 2: it is no object/],
    [5, LogKind.reading, 1, Buffer.from([1, 255, 255]), /bytes of a reading cannot be decoded/],
    [6, LogKind.reading, 77, Buffer.from([1, 0, 0, 0, 0, 0]), /unknown pack key 77/],
  ] as const;
  for (const [seq, kind, pack_key, body] of rows) insert.run(seq, kind, pack_key, T0 + seq, body);
  file.close();
  const log = await centre.openLog(topology, directory);
  appendRounds(log, topology, 0, 3);
  await log.flush();
  const upstream = centre.follow(log);
  await caughtUp(upstream, log);
  expect(upstream.status().counters).toMatchObject({ rows_undecodable: rows.length, readings: 6 });
  const kept = await centre.query<{
    seq: string;
    kind: number;
    pack_id: string;
    t_ms: number;
    reason: string;
    body: Buffer;
  }>('SELECT seq, kind, pack_id, t_ms, reason, body FROM undecodable_rows ORDER BY seq');
  expect(kept).toEqual(
    rows.map(([seq, kind, pack_key, body, reason]) => ({
      seq: String(seq),
      kind,
      pack_id: pack_key === 1 ? 'p01' : null,
      t_ms: T0 + seq,
      body,
      reason: expect.stringMatching(reason),
    })),
  );
});
