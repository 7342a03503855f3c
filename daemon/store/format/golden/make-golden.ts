/**
 * Writes golden bytes: what this program stores today, and what it means. Every later program must read them, so a
 * file that was committed is never made again; a new version of a format gets a file of its own:
 *
 *   node daemon/store/format/golden/make-golden.ts > daemon/store/format/golden/stored-<version of readings>.json
 */
import { CELL_METRICS, PACK_METRICS } from '../../../../core/metrics.ts';
import { encodeInto, maxEncodedBytes } from '../../../../core/reading/codec.ts';
import { PackReading, type PackShape } from '../../../../core/reading/pack-reading.ts';
import { Quality } from '../../../../core/reading/quality.ts';
import { LogKind } from '../../store.ts';
import { BatchBuffer } from '../batch-buffer.ts';
import { encodeBlock } from '../block.ts';
import { encodeChunk } from '../chunk.ts';
import { Rollup } from '../rollup-block.ts';
import { type Golden, meaningOf, rollupMeaning } from './golden.ts';

const START_MS = Date.UTC(2026, 10, 1);

/** A small generator of its own: the same numbers for ever. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Values anywhere in their range; `doubt`: how often one is missing, stale or suspect (then also out of range). */
function drawReading(shape: PackShape, t_ms: number, random: () => number, doubt: number): PackReading {
  const reading = new PackReading(0, shape);
  reading.t_ms = t_ms;
  if (random() < 0.8) {
    reading.newest_age_ms = 10 * Math.round(random() * 150 - 10);
    reading.oldest_age_ms = reading.newest_age_ms + 10 * Math.round(random() * 600);
  }
  reading.is_repeated = random() < 0.1;
  const draw = (min: number, max: number, resolution: number): [number, Quality] => {
    const value = Math.round((min + random() * (max - min)) / resolution) * resolution;
    if (random() >= doubt) return [value, Quality.good];
    const quality = Math.floor(random() * 4) as Quality;
    if (quality === Quality.missing) return [Number.NaN, quality];
    return [quality === Quality.suspect && random() < 0.3 ? value * 1e6 : value, quality];
  };
  PACK_METRICS.forEach(({ min, max, resolution }, m) => {
    if (random() < 0.2) return;
    [reading.values[m], reading.value_quality[m]] = draw(min, max, resolution);
  });
  CELL_METRICS.forEach(({ min, max, resolution }, m) => {
    if (random() < 0.2) return;
    for (let cell = 0; cell < shape.cell_count; cell++)
      [reading.column(m)[cell], reading.columnQuality(m)[cell]] = draw(min, max, resolution);
  });
  for (let s = 0; s < shape.sensor_count; s++)
    [reading.sensors[s], reading.sensor_quality[s]] = draw(-60, 150, 0.1);
  for (let a = 0; a < shape.device_alarms.length; a++)
    reading.device_alarm_level[a] = [0, 1, 2, 255][Math.floor(random() * 4)];
  return reading;
}

function shapeOf(cell_count: number, sensor_count: number, alarm_count: number): PackShape {
  return { cell_count, sensor_count, device_alarms: Array.from({ length: alarm_count }, (_, i) => `a${i}`) };
}

function bodyOf(reading: PackReading): Buffer {
  const body = Buffer.alloc(maxEncodedBytes(reading.shape));
  return body.subarray(0, encodeInto(reading, new DataView(body.buffer, body.byteOffset, body.length), 0));
}

const random = seeded(20_261_101);
const shapes = [shapeOf(10, 2, 5), shapeOf(16, 4, 25), shapeOf(1, 0, 0), shapeOf(0, 0, 3), shapeOf(97, 8, 0)];
const readings = shapes.flatMap(shape =>
  [0, 0, 0.1, 0.6].map((doubt, i) => drawReading(shape, START_MS + 2000 * i, random, doubt)),
);
readings.push(new PackReading(0, shapeOf(10, 2, 5)));

/** One pack over a while, as a chunk and a rollup hold it: mostly alike, now and then in doubt. */
const history = Array.from({ length: 90 }, (_, i) =>
  drawReading(shapes[0], START_MS + 2000 * i, random, i % 30 === 7 ? 0.5 : 0),
);
const chunk_rows = history.map((reading, i) => ({
  rel_seq: 3 * i + (i > 40 ? 5 : 0),
  t_ms: reading.t_ms,
  body: bodyOf(reading),
}));
const rollup = new Rollup(START_MS, 60_000, 60);
for (const reading of history) rollup.add(reading.t_ms, reading);

const records = [
  { kind: LogKind.reading, pack_key: 1, t_ms: START_MS, body: bodyOf(readings[0]) },
  { kind: LogKind.alert, pack_key: 0, t_ms: START_MS + 1, body: Buffer.from('{"id":"a1"}') },
  { kind: LogKind.reading, pack_key: 70_000, t_ms: START_MS + 2000.5, body: bodyOf(readings[4]) },
];
const batch = new BatchBuffer(new ArrayBuffer(4096));
for (const { kind, pack_key, t_ms, body } of records) {
  batch.bytes.set(body, batch.bodyOffset);
  batch.finish(kind, pack_key, t_ms, body.length);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const golden: Golden = {
  readings: readings.map(reading => ({ bytes: hex(bodyOf(reading)), ...meaningOf(reading) })),
  block: {
    bytes: hex(encodeBlock(batch.bytes.subarray(0, batch.used))),
    records: records.map(({ body, ...record }) => ({ ...record, body: hex(body) })),
  },
  chunk: {
    bytes: hex(encodeChunk(chunk_rows)),
    verbatim_bytes: hex(encodeChunk(chunk_rows.slice(0, 5), true)),
    rows: chunk_rows.map(({ body, ...row }) => ({ ...row, body: hex(body) })),
  },
  rollup: {
    bytes: hex(rollup.encode() ?? Buffer.alloc(0)),
    start_ms: START_MS,
    step_ms: 60_000,
    ...rollupMeaning(rollup),
  },
};
process.stdout.write(`${JSON.stringify(golden)}\n`);
