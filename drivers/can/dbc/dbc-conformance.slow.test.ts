/** The DBC engine against payloads that a reference implementation decoded, over real files. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import type { Dbc, DbcMessage } from './dbc-model.ts';
import { decodeDbcBytes, parseDbc } from './dbc-parser.ts';
import { MessageDecoder } from './message-decoder.ts';
import { MessageEncoder } from './message-encoder.ts';

const shared = new URL('../../../../shared/conformance/', import.meta.url);
const present = existsSync(shared);
/** Without the reference data the tests below cannot say anything; on CI that is a failure. */
const referenceTest = present || process.env.CI === 'true' ? test : test.skip;

type Expected = number | { big: string } | { f: 'nan' | 'inf' | '-inf' };
interface ReferenceSignal {
  n: string;
  start: number;
  len: number;
  bo: string;
  signed: boolean;
  float: boolean;
  scale: number;
  offset: number;
  unit: string | null;
}
interface ReferenceMessage {
  id: number;
  ext: boolean;
  name: string;
  len: number;
  period: number | null;
  signals: ReferenceSignal[];
  vectors: { p: string; v?: Record<string, Expected>; error?: string }[];
}

const read = (path: string): Buffer => readFileSync(new URL(path, shared));
const json = <T>(path: string): T => JSON.parse(read(path).toString('utf8')) as T;
const load = (path: string): Dbc => parseDbc(decodeDbcBytes(read(path)));

const index = present ? json<{ dbc: string; expected?: string }[]>('expected/INDEX.json') : [];
const files = index.filter(entry => entry.expected !== undefined);

referenceTest('the reference data is there and covers every kind of file', () => {
  expect(files.length).toBeGreaterThan(50);
});

referenceTest.each(files)('$dbc: layout and every decoded value agree with the reference', entry => {
  const dbc = load(entry.dbc);
  const { messages } = json<{ messages: ReferenceMessage[] }>(entry.expected ?? '');
  expect(dbc.messages.map(message => message.name).sort()).toEqual(messages.map(m => m.name).sort());
  for (const reference of messages) {
    const sameId = dbc.messages.filter(m => m.id === reference.id && m.extended === reference.ext);
    const message = sameId.find(m => m.name === reference.name);
    expect(message, `message ${reference.name}`).toBeDefined();
    if (message) compareMessage(message, reference);
  }
});

function compareMessage(message: DbcMessage, reference: ReferenceMessage): void {
  expect(message.name).toBe(reference.name);
  expect(message.length_bytes).toBe(reference.len);
  if (reference.period !== null) expect(message.cycle_ms ?? 0).toBe(reference.period);
  const layout = message.signals.map(signal => [
    signal.name,
    signal.start_bit,
    signal.length_bit,
    signal.byte_order === 'intel' ? 'little_endian' : 'big_endian',
    signal.signed,
    signal.float !== 'none',
    signal.scale,
    signal.offset,
  ]);
  const wanted = reference.signals.map(s => [
    s.n,
    s.start,
    s.len,
    s.bo,
    s.float || s.signed,
    s.float,
    s.scale,
    s.offset,
  ]);
  const place = ([name, start]: unknown[]) => `${name} ${String(start).padStart(4, '0')}`;
  const byName = (a: unknown[], b: unknown[]) => (place(a) < place(b) ? -1 : 1);
  // The reference calls every float signed.
  for (const row of layout) if (row[5]) row[4] = true;
  expect(layout.sort(byName)).toEqual(wanted.sort(byName));
  const decoder = new MessageDecoder(message);
  for (const vector of reference.vectors) compareVector(decoder, vector);
}

function compareVector(decoder: MessageDecoder, vector: ReferenceMessage['vectors'][number]): void {
  const payload = Buffer.from(vector.p, 'hex');
  decoder.decode(payload, payload.length);
  const carried = Array.from(decoder.carried.subarray(0, decoder.carried_count));
  const { signals } = decoder.message;
  if (vector.v === undefined) {
    // The reference refuses the frame (unknown multiplexer value, too short): plain signals are kept here.
    expect(carried.length).toBeLessThanOrEqual(signals.length);
    return;
  }
  const names = carried.map(i => signals[i].name);
  expect([...new Set(names)].sort()).toEqual(Object.keys(vector.v).sort());
  for (const i of carried) {
    // Of signals of one name in one frame the reference reports one only.
    if (names.indexOf(signals[i].name) !== names.lastIndexOf(signals[i].name)) continue;
    const expected = vector.v[signals[i].name];
    const where = `${decoder.message.name}.${signals[i].name} of ${vector.p}`;
    if (typeof expected === 'number') expectClose(decoder.values[i], expected, where);
    else if ('big' in expected)
      expect(decoder.exact(i, payload, payload.length), where).toBe(BigInt(expected.big));
    else expect(decoder.values[i], where).toBe(special[expected.f]);
  }
}

const special = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY };

/** Both sides compute in doubles, the order of operations may differ in the last bits. */
function expectClose(actual: number, expected: number, where: string): void {
  const tolerance = Math.max(1e-12, Math.abs(expected) * 1e-12);
  expect(Math.abs(actual - expected) <= tolerance, `${where}: ${actual}, expected ${expected}`).toBe(true);
}

const rejected = index.filter(entry => entry.expected === undefined);
test.skipIf(rejected.length === 0).each(rejected)(
  '$dbc, which the reference rejects: what can be read is kept, a warning names a line',
  entry => {
    const { messages, warnings } = load(entry.dbc);
    expect(messages.length + warnings.length).toBeGreaterThan(0);
    for (const { line } of warnings) expect(line).toBeGreaterThan(0);
  },
);

referenceTest('golden frames of real units decode to their known values', () => {
  const golden =
    json<
      {
        id: number;
        ext: boolean;
        data: string;
        db: string;
        message: string;
        values: Record<string, number>;
      }[]
    >('golden/can-frames.json');
  let checked = 0;
  for (const frame of golden) {
    const folder = frame.db === 'foxbms.dbc' ? 'foxbms' : 'own';
    const message = load(`dbc/${folder}/${frame.db}`).messages.find(m => m.name === frame.message);
    if (!message) throw new Error(`${frame.db} lacks ${frame.message}`);
    expect([message.id, message.extended]).toEqual([frame.id, frame.ext]);
    const decoder = new MessageDecoder(message);
    const data = Buffer.from(frame.data, 'hex');
    decoder.decode(data, data.length);
    for (const [name, value] of Object.entries(frame.values)) {
      if (typeof value !== 'number') continue;
      expectClose(
        decoder.values[message.signals.findIndex(s => s.name === name)],
        value,
        `${frame.message}.${name}`,
      );
      checked++;
    }
  }
  expect(checked).toBeGreaterThan(100);
});

referenceTest.each(files)('$dbc: encoding what was decoded gives the same values again', ({ dbc }) => {
  for (const message of load(dbc).messages) {
    const decoder = new MessageDecoder(message);
    const encoder = new MessageEncoder(message);
    const bytes = fc.uint8Array({ minLength: message.length_bytes, maxLength: message.length_bytes });
    const property = fc.property(bytes, data => {
      decoder.decode(data, data.length);
      const carried = decoder.carried.slice(0, decoder.carried_count);
      const before = decoder.values.slice();
      const again = new Uint8Array(message.length_bytes);
      // Where signals overlap the last one written wins, so each is checked on its own.
      for (const i of carried) {
        if (!Number.isFinite(before[i]) || Math.abs(before[i]) > 2 ** 52) continue;
        again.set(data);
        encoder.put(again, i, before[i]);
        decoder.decode(again, again.length);
        expectClose(decoder.values[i], before[i], `${message.name}.${message.signals[i].name}`);
      }
    });
    fc.assert(property, { numRuns: runsOf(5) });
  }
});
