/** Exchanges as people post them: every way to write them gives the same registers, and each mistake is named by line. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../core/testing/property-runs.ts';
import { readExchanges } from './captured-exchanges.ts';
import { encodeMbap } from './mbap.ts';
import { encodeRtu } from './rtu/crc.ts';

const spaced = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
const solid = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();
const prefixed = (bytes: Uint8Array) =>
  [...bytes].map(byte => `0x${byte.toString(16).padStart(2, '0')}`).join(', ');

const layouts: ((request: string, reply: string) => string)[] = [
  (request, reply) => `${request} ${reply}`,
  (request, reply) => `${request} -> ${reply}   # at rest`,
  (request, reply) => `TX: ${request} | RX: ${reply}`,
  (request, reply) => `[12:03:44.120] >> ${request}\n[12:03:44.190] << ${reply}`,
  (request, reply) => `\nsend ${request}\r\nrecv: ${reply}\n`,
  (request, reply) => `"${request}";"${reply}"`,
  (request, reply) => `<${request}> => [${reply}]`,
];

test('every way to write an exchange gives the registers that were read', () => {
  const exchange = fc.record({
    unit: fc.integer({ min: 0, max: 247 }),
    code: fc.constantFrom(3, 4),
    address: fc.oneof(fc.constantFrom(0, 65_000), fc.nat({ max: 65_000 })),
    words: fc.array(fc.nat({ max: 0xffff }), { minLength: 1, maxLength: 125 }),
    write: fc.constantFrom(spaced, solid, prefixed),
    layout: fc.constantFrom(...layouts),
    transaction: fc.option(fc.nat({ max: 0xffff })),
  });
  fc.assert(
    fc.property(fc.array(exchange, { minLength: 1, maxLength: 4 }), exchanges => {
      const text = exchanges.map(({ unit, code, address, words, write, layout, transaction }) => {
        const request = Uint8Array.of(code, address >> 8, address & 255, 0, words.length);
        const data = words.flatMap(word => [word >> 8, word & 255]);
        const reply = Uint8Array.of(code, data.length, ...data);
        const frame = (pdu: Uint8Array) =>
          transaction === null ? encodeRtu(unit, pdu) : encodeMbap(transaction, unit, pdu);
        return layout(write(frame(request)), write(frame(reply)));
      });
      const { reads, notes, problems } = readExchanges(text.join('\n'));
      expect([notes, problems]).toEqual([[], []]);
      expect(reads.map(({ line: _, words, ...read }) => ({ ...read, words: [...words] }))).toEqual(
        exchanges.map(({ unit, code, address, words }) =>
          expect.objectContaining({ unit, code, address, words }),
        ),
      );
    }),
    { numRuns: runsOf(90) },
  );
});

test('bits come one each, a refusal is reported, a write is skipped', () => {
  const { reads, notes, problems } = readExchanges(
    [
      `${spaced(encodeRtu(2, Uint8Array.of(1, 0, 16, 0, 10)))} ${spaced(encodeRtu(2, Uint8Array.of(1, 2, 0b101, 0b10)))}`,
      `${spaced(encodeRtu(2, Uint8Array.of(3, 0, 16, 0, 10)))} ${spaced(encodeRtu(2, Uint8Array.of(0x83, 2)))}`,
      `${spaced(encodeRtu(2, Uint8Array.of(6, 0, 16, 0, 10)))} ${spaced(encodeRtu(2, Uint8Array.of(6, 0, 16, 0, 10)))}`,
    ].join('\n'),
  );
  expect([...reads[0].words]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  expect(notes).toEqual([
    '2: unit 2 refuses 10 from 16 on: exception 2',
    '3: function 6 reads no registers; passed over',
  ]);
  expect(problems).toEqual([]);
});

test('a device that answers as another unit', () => {
  const line = `${spaced(encodeRtu(129, Uint8Array.of(3, 0, 0, 0, 1)))} ${spaced(encodeRtu(81, Uint8Array.of(3, 2, 0, 7)))}`;
  expect(readExchanges(line, -48).reads[0]).toMatchObject({ unit: 129, words: Uint16Array.of(7) });
  expect(readExchanges(line).problems).toEqual(['1: found a reply of unit 81, expected one of unit 129']);
});

const request = '01 03 00 00 00 02 C4 0B';
test.each([
  ['can0 18FF50E5', '1: found "can0", expected bytes in hex, such as 01 03 00 00 00 0A C5 CD'],
  [
    '01 03 00',
    '1: found 3 bytes, expected 8 (RTU, with its check sum) or 12 (TCP) of a request, then its reply',
  ],
  [
    '01 03 00 00 00 02 C4 0C 01',
    '1: found 01 03 00 00 00 02 C4 0C with a check sum that does not fit, expected a request of 8 bytes',
  ],
  [`${request}\n`, '1: found a request alone, expected its reply behind it or in the next line'],
  [
    `${request} 01 03 04 00 01 00 02 00`,
    '1: found a reply of 8 bytes whose check sum does not fit, expected a whole one',
  ],
  [
    `${request} ${spaced(encodeRtu(1, Uint8Array.of(3, 2, 0, 1)))}`,
    '1: found a reply with 2 bytes of data that says 2, expected 4',
  ],
  [
    `${request} ${spaced(encodeRtu(1, Uint8Array.of(4, 4, 0, 1, 0, 1)))}`,
    '1: found a reply of function 4, expected 3',
  ],
  [
    '00 01 00 00 00 06 01 03 00 00 00 01 00 02 00 00 00 05 01 03 02 00 07',
    '1: found a reply to transaction 2, expected 1',
  ],
  ['00 01 00 00 00 06 01 03 00 00 00 C8 00 01 00 00', '1: found a request for 200, expected 1 to 125'],
])('%j is named by line, with what was expected', (text, problem) => {
  expect(readExchanges(text).problems).toEqual([problem]);
});

test('no text whatever makes it throw', () => {
  const piece = fc.oneof(fc.constantFrom(request, ' ', '\n', 'TX', '->', '00', 'ff', '0x'), fc.string());
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
      readExchanges(pieces.join(''));
    }),
    { numRuns: runsOf(300) },
  );
});
