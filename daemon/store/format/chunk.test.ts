/** Chunks: every body comes back as it was, whatever it is; what is corrupt is reported. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import { BodyTokens } from '../../../core/reading/codec-tokens.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { type ChunkRow, encodeChunk, openChunk } from './chunk.ts';

function unpacked(chunk: Uint8Array): ChunkRow[] {
  const rows: ChunkRow[] = [];
  for (const group of openChunk(chunk)) {
    const rel_seqs = group.relSeqs();
    const times = group.times();
    const { bytes, ends } = group.bodies();
    ends.forEach((end, row) => {
      const body = Buffer.from(bytes.subarray(row === 0 ? 0 : ends[row - 1], end));
      rows.push({ rel_seq: rel_seqs[row], t_ms: times[row], body });
    });
  }
  return rows.sort((a, b) => a.rel_seq - b.rel_seq);
}

const anyNumber = fc.oneof(
  fc.double({ min: -50, max: 5000, noNaN: true }),
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0.1, 3.3, 1e30),
);
const quality = fc.constantFrom(0, 1, 1, 1, 2, 3);

/** Readings of one shape that change as a battery's do, with now and then anything. */
const anyReading = fc.record({
  values: fc.array(fc.tuple(anyNumber, quality), { minLength: 18, maxLength: 18 }),
  cells: fc.array(fc.tuple(anyNumber, anyNumber, quality), { minLength: 1, maxLength: 12 }),
  sensors: fc.array(fc.tuple(anyNumber, quality), { maxLength: 4 }),
  alarms: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }),
});

function bodyOf({
  values,
  cells,
  sensors,
  alarms,
}: typeof anyReading extends fc.Arbitrary<infer T> ? T : never) {
  const reading = new PackReading(0, {
    cell_count: cells.length,
    sensor_count: sensors.length,
    device_alarms: alarms.map((_, i) => `a${i}`),
  });
  values.forEach(([value, q], m) => {
    reading.values[m] = q === 0 ? Number.NaN : value;
    reading.value_quality[m] = q;
  });
  cells.forEach(([voltage, temperature, q], cell) => {
    for (const [metric, value] of [
      [CellMetric.voltage_v, voltage],
      [CellMetric.temperature_c, temperature],
      [CellMetric.balancing, cell % 2],
    ] as const) {
      reading.column(metric)[cell] = q === 0 ? Number.NaN : value;
      reading.columnQuality(metric)[cell] = q;
    }
  });
  sensors.forEach(([value, q], i) => {
    reading.sensors[i] = q === 0 ? Number.NaN : value;
    reading.sensor_quality[i] = q;
  });
  reading.device_alarm_level.set(alarms);
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  return bytes.subarray(0, encodeInto(reading, new DataView(bytes.buffer, bytes.byteOffset), 0));
}

const anyBody = fc.oneof(
  { weight: 4, arbitrary: anyReading.map(bodyOf) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from([2, ...bytes])) },
);

test('every reading comes back byte for byte, with its number and time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyBody, fc.integer({ min: 1, max: 300 }), fc.integer({ min: -1e13, max: 1e13 })), {
        minLength: 1,
        maxLength: 40,
      }),
      list => {
        let rel_seq = 0;
        const rows = list.map(([body, step, t_ms]) => {
          rel_seq += step;
          return { rel_seq, t_ms, body };
        });
        expect(unpacked(encodeChunk(rows))).toEqual(rows);
      },
    ),
    { numRuns: runsOf(150) },
  );
});

test.each([
  ['a varint of version 1', [1, 0, 0, 0x80, 0x00, 0, 0]],
  ['a varint of version 2', [2, 0, 0, 0, 0x80, 0x00, 0, 0]],
  ['a mask', [2, 0, 0, 0x81, 0x00, 0, 0, 0]],
])('%s in another than its shortest form is kept as it is', (_, bytes) => {
  const body = Buffer.from(bytes);
  const rows = [{ rel_seq: 0, t_ms: 1, body }];
  expect(unpacked(encodeChunk(rows))).toEqual(rows);
});

test('the tokens of a metric are found where the encoder put them', () => {
  const reading = new PackReading(0, { cell_count: 3, sensor_count: 0, device_alarms: [] });
  reading.values[PackMetric.current_a] = -12.5;
  reading.value_quality[PackMetric.current_a] = 1;
  reading.column(CellMetric.voltage_v).set([3.1, 3.2, 3.3]);
  reading.columnQuality(CellMetric.voltage_v).fill(1);
  const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
  const body = bytes.subarray(0, encodeInto(reading, new DataView(bytes.buffer), 0));
  const [group] = openChunk(encodeChunk([{ rel_seq: 0, t_ms: 5, body }]));
  const tokens = new BodyTokens();
  expect(tokens.split(new DataView(bytes.buffer), 0, body.length)).toBe(true);
  expect(group.token(tokens.pack_values[PackMetric.current_a].at)).toEqual(Int32Array.of(-1250));
  const { at } = tokens.cell_columns[CellMetric.voltage_v];
  expect([0, 1, 2].map(cell => group.constant(at + cell))).toEqual([31000, 32000, 33000]);
});

test('a bit that flipped anywhere is noticed', () => {
  const rows = Array.from({ length: 50 }, (_, i) => ({
    rel_seq: i,
    t_ms: 2000 * i,
    body: Buffer.from(`body ${(i * 7919) % 50}`),
  }));
  const chunk = encodeChunk(rows);
  fc.assert(
    fc.property(fc.integer({ min: 4, max: chunk.length * 8 - 1 }), bit => {
      const damaged = Buffer.from(chunk);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      let read: ChunkRow[] | undefined;
      try {
        read = unpacked(damaged);
      } catch {
        return;
      }
      expect(read).toEqual(rows);
    }),
    { numRuns: runsOf(300) },
  );
});
