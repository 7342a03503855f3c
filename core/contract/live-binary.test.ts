/** The binary form of states: it says what JSON says, in fewer bytes, and nothing else can be read out of it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinState, partState, StateDecoder, type StateMessage } from './live-binary.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

function frame(data: object, structure_no = 1, head = { seq: 1, t_ms: 1000 }, isKnown = false): Uint8Array {
  const { structure, values } = partState('pack', 'pack:a', data);
  return joinState({ structure_no, ...head }, isKnown ? new Uint8Array(0) : utf8(structure), values);
}

const read = (bytes: Uint8Array, decoder = new StateDecoder()) => decoder.decode(bytes);
const dataOf = (message: StateMessage | undefined) => message?.data as unknown;

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.integer({ min: -2_000_000, max: 2_000_000 }).map(n => n / 10_000),
  fc.constantFrom(0, -0, 1.7e12, 2 ** 53, -(2 ** 53), 5e-324, 65_534, 65_535, -32_768, 3.2871),
);
const column = fc
  .array(fc.tuple(fc.oneof(value, fc.constant(null)), fc.constantFrom(...'mgsu')), { maxLength: 40 })
  .map(cells => ({ values: cells.map(([one]) => one), quality: cells.map(([, letter]) => letter).join('') }));
const { tree } = fc.letrec<{ tree: unknown }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    value,
    column,
    fc.constantFrom(null, true, false),
    fc.string(),
    fc.record({ values: fc.array(value), quality: fc.string() }),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('10', '2', '__proto__')), tie('tree'), {
      maxKeys: 5,
    }),
  ),
}));

test('any JSON comes back as it went in', () => {
  fc.assert(
    fc.property(tree, content => {
      const sent = { content };
      const message = read(frame(sent));
      expect(JSON.stringify(dataOf(message))).toBe(JSON.stringify(sent));
      expect(message).toMatchObject({ type: 'state', kind: 'pack', room: 'pack:a', seq: 1, t_ms: 1000 });
    }),
  );
});

test('values that the page shows come back to the last bit', () => {
  fc.assert(
    fc.property(fc.array(value.filter(one => !Object.is(one, -0))), values => {
      const quality = 'g'.repeat(values.length);
      expect(dataOf(read(frame({ values, cells: { values, quality } })))).toEqual({
        values,
        cells: { values, quality },
      });
    }),
  );
});

test('a known structure needs not come again; a new one replaces it', () => {
  const decoder = new StateDecoder();
  expect(read(frame({ soc_pct: 50 }, 1, { seq: 1, t_ms: 1 }, true), decoder)).toBeUndefined();
  expect(dataOf(read(frame({ soc_pct: 50 }, 1), decoder))).toEqual({ soc_pct: 50 });
  const lean = frame({ soc_pct: 51.25 }, 1, { seq: 2, t_ms: 2000 }, true);
  expect(read(lean, decoder)).toMatchObject({ seq: 2, t_ms: 2000, data: { soc_pct: 51.25 } });
  expect(dataOf(read(frame({ soc_pct: null }, 2), decoder))).toEqual({ soc_pct: null });
  expect(read(lean, decoder)).toBeUndefined();
  decoder.forget('pack:a');
  expect(read(frame({ soc_pct: null }, 2, { seq: 3, t_ms: 3000 }, true), decoder)).toBeUndefined();
});

test('the layout is the documented one', () => {
  const data = { n: -1.5, c: { values: [3.2871, null, 3.3], quality: 'gmg' } };
  const structure = '{"kind":"pack","room":"pack:a","data":{"n":0,"c":1}}';
  const bytes = Buffer.from(frame(data, 7, { seq: 9, t_ms: 1000 }));
  expect(bytes.subarray(0, 24).toString('hex')).toBe(
    `01010000${'07000000'}${'09000000'}${'34000000'}${'0000000000408f40'}`,
  );
  expect(bytes.subarray(24, 24 + structure.length).toString()).toBe(structure);
  // -1.5 = -15 / 10: zigzag 29, times 8 plus 1 = 233. Three cells, u16 with 4 decimals, qualities 1, 0, 1.
  expect(bytes.subarray(24 + structure.length).toString('hex')).toBe(
    `e901${'03'}0404${'6780'}${'ffff'}${'e880'}11`,
  );
});

test('bytes that are no state are refused, never thrown at', () => {
  const whole = frame({ a: [1, 2.5, { values: [1, null], quality: 'gm' }], b: 'text' });
  for (let length = 0; length < whole.length; length++)
    expect(read(whole.subarray(0, length))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      read(bytes);
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      read(Uint8Array.from(whole, (one, i) => (i === at ? byte : one)));
    }),
  );
  expect(read(Uint8Array.from([2, ...whole.subarray(1)]))).toBeUndefined();
});
