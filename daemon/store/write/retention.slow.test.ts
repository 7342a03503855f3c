/** What goes first when there is no room, and that every loss is reported. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { SQLITE_MIGRATIONS } from '../file/migration-files.ts';
import { BatchBuffer } from '../format/batch-buffer.ts';
import { Reader } from '../read/reader.ts';
import { LogKind } from '../store.ts';
import { historyOf, numberedReading, smallTopology, temporaryDirectory } from '../testing/fixtures.ts';
import { Losses } from './losses.ts';
import type { RetainRequest } from './retention.ts';
import { Writer } from './writer.ts';

const T0 = Date.UTC(2026, 0, 1);
const topology = smallTopology(2);
const SPAN_ROWS = 21;

/** Ten moments of two packs and one record in each commit, one commit to a span. */
function filled(spans: number, is_archived: boolean) {
  const directory = temporaryDirectory();
  const file = join(directory.path, 'gateway.db');
  const writer = new Writer(file, SQLITE_MIGRATIONS);
  const pack_ids = topology.packs.map(({ id }) => id);
  writer.open({ pack_ids, topology: '{}', t_ms: T0, span_rows: SPAN_ROWS });
  let t_ms = T0;
  for (let span = 0; span < spans; span++) {
    const batch = new BatchBuffer(new ArrayBuffer(1 << 16));
    for (let n = 0; n < 20; n++) {
      t_ms += (n % 2) * 2000;
      const reading = numberedReading(topology, n % 2, n, t_ms);
      const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
      const used = encodeInto(reading, new DataView(bytes.buffer), 0);
      batch.bytes.set(bytes.subarray(0, used), batch.bodyOffset);
      batch.finish(LogKind.reading, reading.pack + 1, t_ms, used);
    }
    const record = Buffer.from('{"reason":"continued","boot_id":"b"}');
    batch.bytes.set(record, batch.bodyOffset);
    batch.finish(LogKind.clock, 0, t_ms, record.length);
    writer.commit(batch.buffer, batch.used);
  }
  if (is_archived) while (writer.archiveStep() !== 'idle') {}
  const reader = new Reader(file);
  const close = () => {
    reader.close();
    writer.close();
    directory.remove();
  };
  return { writer, reader, close, end_ms: t_ms };
}

const roomy: RetainRequest = {
  now_ms: T0,
  before_ms: 0,
  synced_seq: Number.POSITIVE_INFINITY,
  keep_free_bytes: 0,
  max_bytes: Number.MAX_SAFE_INTEGER,
};

const kinds = (reader: Reader) => [...reader.readBatch(0, 100_000, 1 << 26).kind];
const readingsLeft = (reader: Reader) => kinds(reader).filter(kind => kind === LogKind.reading).length;

test('what the centre has goes first, then minutes, then what it has not: reported, and records stay', async () => {
  for (const is_archived of [true, false]) {
    const { writer, reader, close, end_ms } = filled(40, is_archived);
    const short = { ...roomy, max_bytes: 1, synced_seq: 1 + 10 * SPAN_ROWS + 1 };
    const day = { pack_id: 'p01', from_ms: T0, to_ms: end_ms, max_points: 1 };
    const minutes = { ...day, max_points: Math.floor((end_ms - T0) / 60_000) };
    const before = await historyOf(reader, minutes);
    expect(writer.retain(short).lost).toBeNull();
    expect(writer.retain(short).lost).toBeNull();
    expect(readingsLeft(reader)).toBe(30 * 20);
    // The history of what was rolled up is still there.
    const after = await historyOf(reader, minutes);
    expect(after.reading_count).toBe(is_archived ? before.reading_count : 30 * 10);
    let lost = writer.retain(short).lost;
    if (is_archived) {
      expect(lost).toBeNull();
      lost = writer.retain(short).lost;
    }
    expect(lost).toMatchObject({
      reason: 'no_room',
      // The first reading of these spans is at the centre.
      first_seq: 3 + 10 * SPAN_ROWS,
      last_seq: 18 * SPAN_ROWS,
      readings: 8 * 20 - 1,
      packs: [
        { pack_id: 'p02', readings: 80 },
        { pack_id: 'p01', readings: 79 },
      ],
    });
    for (let round = 0; round < 6; round++) writer.retain(short);
    const left = reader.readBatch(0, 100_000, 1 << 26);
    const reported = [...left.kind.keys()]
      .filter(i => left.kind[i] === LogKind.gap)
      .map(
        i =>
          JSON.parse(Buffer.from(left.bytes.subarray(left.end[i - 1], left.end[i])).toString()) as GapRecord,
      );
    const reported_readings = reported.reduce((sum, gap) => sum + (gap.readings ?? 0), 0);
    expect(reported_readings + readingsLeft(reader)).toBe(30 * 20 - 1);
    expect(kinds(reader).filter(kind => kind === LogKind.clock)).toHaveLength(30);
    expect([...left.seq]).toEqual([...left.seq].toSorted((a, b) => a - b));
    close();
  }
});

test('rows of a boot that did not know the time are as old as what came after them', () => {
  const { writer, reader, close } = filled(1, true);
  const unknown = new BatchBuffer(new ArrayBuffer(1 << 16));
  for (let n = 0; n < SPAN_ROWS; n++) unknown.finish(LogKind.reading, 1, 1000 * n, 0);
  writer.commit(unknown.buffer, unknown.used);
  const known = new BatchBuffer(new ArrayBuffer(1 << 16));
  for (let n = 0; n < SPAN_ROWS; n++) known.finish(LogKind.reading, 1, T0 + 1e9 + n, 0);
  writer.commit(known.buffer, known.used);
  known.finish(LogKind.reading, 1, T0 + 2e9, 0);
  writer.commit(known.buffer, known.used);
  const rows = () => reader.readBatch(0, 1000, 1 << 20).count;
  const all = rows();
  writer.retain({ ...roomy, before_ms: T0 + 1e8 });
  expect(rows()).toBe(all - SPAN_ROWS);
  writer.retain({ ...roomy, before_ms: T0 + 1.5e9 });
  expect(rows()).toBe(1 + SPAN_ROWS + 1);
  close();
});

test('the age of readings is that of their corrected times, also where a span is corrected in parts', () => {
  const { writer, reader, close } = filled(3, true);
  const day_ms = 86_400_000;
  const batch = new BatchBuffer(new ArrayBuffer(1000));
  const correction = {
    reason: 'correction',
    boot_id: 'b',
    t_ms: T0,
    first_seq: 5,
    last_seq: 12,
    offset_ms: day_ms,
  };
  const record = Buffer.from(JSON.stringify(correction));
  batch.bytes.set(record, batch.bodyOffset);
  batch.finish(LogKind.clock, 0, T0, record.length);
  writer.commit(batch.buffer, batch.used);
  const all = readingsLeft(reader);
  writer.retain({ ...roomy, before_ms: T0 + day_ms / 2 });
  expect(readingsLeft(reader)).toBe(all);
  writer.retain({ ...roomy, before_ms: T0 + 2 * day_ms });
  expect(readingsLeft(reader)).toBe(0);
  close();
});

const DAY_MS = 86_400_000;
const minutesOf = (reader: Reader, end_ms: number) =>
  historyOf(reader, {
    pack_id: 'p01',
    from_ms: T0,
    to_ms: end_ms,
    max_points: Math.floor((end_ms - T0) / 60_000),
  });

test('a clock years ahead takes no more of the past than the time that passes allows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(0, 3650, -20, 400), fc.integer({ min: 0, max: 20_000 })), {
        minLength: 1,
        maxLength: 30,
      }),
      rounds => {
        const { writer, reader, close, end_ms } = filled(40, true);
        const all = readingsLeft(reader);
        let passed_ms = 0;
        for (const [days_off, elapsed_ms] of rounds) {
          passed_ms += elapsed_ms;
          const now_ms = end_ms + days_off * DAY_MS;
          const age = { now_ms, before_ms: now_ms - 30 * DAY_MS, may_advance_ms: elapsed_ms };
          writer.retain({ ...roomy, ...age });
        }
        // Two packs every two seconds, and a span at a time.
        const gone = all - readingsLeft(reader);
        expect(gone).toBeLessThanOrEqual((2 * passed_ms) / 2000 + 20);
        if (rounds.every(([days_off]) => days_off <= 0)) expect(gone).toBe(0);
        close();
      },
    ),
    { numRuns: runsOf(15) },
  );
});

test('fewer days of retention take effect at once', () => {
  const { writer, reader, close, end_ms } = filled(4, true);
  const now_ms = end_ms + 20 * DAY_MS;
  const keep = (days: number) =>
    writer.retain({ ...roomy, now_ms, before_ms: now_ms - days * DAY_MS, may_advance_ms: 0 });
  keep(30);
  expect(readingsLeft(reader)).toBe(80);
  keep(5);
  // The newest span always stays.
  expect(readingsLeft(reader)).toBe(20);
  close();
});

test('readings that are kept beyond their time keep their chart', async () => {
  const { writer, reader, close, end_ms } = filled(40, true);
  const before = await minutesOf(reader, end_ms);
  expect(before.resolution_ms).toBeGreaterThan(0);
  const now_ms = end_ms + 100 * DAY_MS;
  writer.retain({ ...roomy, now_ms, before_ms: now_ms - 10 * DAY_MS, synced_seq: 0 });
  expect(readingsLeft(reader)).toBe(40 * 20);
  expect(await minutesOf(reader, end_ms)).toEqual(before);
  close();
});

test('where steps went for want of room the readings themselves make the chart', async () => {
  const { writer, reader, close, end_ms } = filled(200, true);
  const before = await minutesOf(reader, end_ms);
  const short = { ...roomy, max_bytes: 1, synced_seq: 0 };
  writer.retain(short);
  expect(readingsLeft(reader)).toBe(200 * 20);
  const after = await minutesOf(reader, end_ms);
  expect(after.reading_count).toBe(before.reading_count);
  expect(after.t_ms).toEqual(before.t_ms);
  expect(after.lowest).toEqual(before.lowest);
  expect(after.highest).toEqual(before.highest);
  close();
});

test('losses on the way to the disk are reported once, by pack and reason', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.constantFrom('queue_full' as const, 'write_failed' as const), fc.nat(3), fc.nat(1000)),
      ),
      list => {
        const losses = new Losses('gateway.db');
        for (const [reason, pack, t_ms] of list) losses.add(reason, `p${pack}`, t_ms);
        const gaps = losses.take();
        expect(losses.take()).toEqual([]);
        expect(gaps.reduce((sum, gap) => sum + (gap.readings ?? 0), 0)).toBe(list.length);
        for (const { reason, packs, readings, from_ms, to_ms } of gaps) {
          const own = list.filter(one => one[0] === reason);
          expect(packs.reduce((sum, pack) => sum + pack.readings, 0)).toBe(readings);
          expect([from_ms, to_ms]).toEqual([
            Math.min(...own.map(one => one[2])),
            Math.max(...own.map(one => one[2])),
          ]);
        }
      },
    ),
  );
});
