/** Register images answer like a device; MBAP frames survive being cut anywhere. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeMbap, MbapReader } from './mbap.ts';
import { RegisterImage } from './register-image.ts';

const image = new RegisterImage(
  { address: 100, registers: Uint16Array.of(1, 2, 0xffff) },
  { address: 200, registers: new Uint16Array(130) },
);

function request(code: number, address: number, count: number): Uint8Array {
  return Uint8Array.of(code, address >> 8, address & 0xff, count >> 8, count & 0xff);
}

test.each([3, 4])('function %i reads within a segment', code => {
  expect([...image.answer(request(code, 101, 2))]).toEqual([code, 4, 0, 2, 0xff, 0xff]);
});

test.each([
  ['a write of one register', Uint8Array.of(6, 0, 100, 0, 1), [0x86, 1]],
  ['a write of many registers', Uint8Array.of(16, 0, 100, 0, 1, 2, 0, 1), [0x90, 1]],
  ['an empty request', new Uint8Array(0), [0x80, 1]],
  ['a read across a gap', request(3, 101, 3), [0x83, 2]],
  ['a read of nothing', request(3, 100, 0), [0x83, 3]],
  ['a read of too much', request(3, 200, 126), [0x83, 3]],
  ['a request cut short', Uint8Array.of(3, 0, 100), [0x83, 3]],
])('%s is refused', (_, pdu, reply) => {
  expect([...image.answer(pdu)]).toEqual(reply);
});

test('whatever is asked, the answer is registers or an exception, and nothing is written', () => {
  const before = image.segments.map(({ registers }) => [...registers]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 260 }), pdu => {
      const reply = image.answer(pdu);
      if (reply[0] & 0x80) expect(reply).toHaveLength(2);
      else expect(reply).toHaveLength(2 + reply[1]);
    }),
  );
  expect(image.segments.map(({ registers }) => [...registers])).toEqual(before);
});

test('frames come out whole however the stream is cut', () => {
  const frame = fc.tuple(fc.nat(0xffff), fc.nat(0xff), fc.uint8Array({ minLength: 1, maxLength: 253 }));
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (frames, cuts) => {
        const stream = frames.flatMap(([transaction, unit, pdu]) => [...encodeMbap(transaction, unit, pdu)]);
        const reader = new MbapReader();
        const read = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts.length > 0 ? cuts[i % cuts.length] : stream.length;
          read.push(...reader.push(Uint8Array.from(stream.slice(at, at + length))));
          at += length;
        }
        expect(read.map(({ transaction, unit, pdu }) => [transaction, unit, pdu])).toEqual(frames);
        expect(reader.broken).toBe(false);
      },
    ),
  );
});

test('a stream that is no Modbus is broken, not waited for', () => {
  const reader = new MbapReader();
  expect(reader.push(new TextEncoder().encode('GET / HTTP/1.1\r\n'))).toEqual([]);
  expect(reader.broken).toBe(true);
});
