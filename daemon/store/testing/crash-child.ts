/**
 * For store.test.ts: appends without end and prints the sequence number after each flush, until it is killed.
 * Argument: the store's directory.
 */
import { createSqliteStore } from '../sqlite-store.ts';
import { numberedReading, smallTopology, storeOptions } from './fixtures.ts';

const topology = smallTopology(4);
const store = createSqliteStore(storeOptions(process.argv[2], { commit_interval_ms: 5 }));
await store.open(topology);
for (let n = 1; ; n++) {
  for (let pack = 0; pack < 4; pack++)
    store.append(numberedReading(topology, pack, n, 1_700_000_000_000 + n));
  await store.flush();
  process.stdout.write(`${store.durableSeq()}\n`);
}
