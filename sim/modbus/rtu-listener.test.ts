/** The unit's side of RTU against any bytes: every good request is answered once, noise costs nothing but its count. */
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { encodeRtu } from '../../drivers/modbus/rtu/crc.ts';
import { RtuListener } from './rtu-listener.ts';

const UNIT = 3;

function rig() {
  const clock = new ManualClock();
  const counters = { requests: 0, replies: 0, stray_bytes: 0 };
  const stream = new PassThrough();
  const written: Uint8Array[] = [];
  const asked: number[] = [];
  stream.write = ((bytes: Uint8Array) => {
    written.push(bytes);
    return true;
  }) as typeof stream.write;
  new RtuListener(stream, {
    answer: (unit, pdu) => {
      asked.push(unit);
      return unit === UNIT ? Uint8Array.of(pdu[0] | 0x80, 1) : 'absent';
    },
    replyUnit: unit => (unit + 0x10) & 0xff,
    clock,
    counters,
  });
  const receive = (...pieces: Uint8Array[]) => {
    for (const piece of pieces) stream.emit('data', piece);
  };
  return { clock, counters, written, asked, receive };
}

const READ = encodeRtu(UNIT, Uint8Array.of(3, 0, 0, 0, 1));
const WRITE = encodeRtu(UNIT, Uint8Array.of(16, 0, 0, 0, 1, 2, 0, 7));

test('a request is answered as the unit that the device says it is', () => {
  const { written, receive } = rig();
  receive(READ);
  expect(written).toEqual([encodeRtu(UNIT + 0x10, Uint8Array.of(0x83, 1))]);
});

test('whatever the pieces, each request is answered once', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: READ.length + WRITE.length }), { maxLength: 6 }), cuts => {
      const { written, counters, receive } = rig();
      const all = Uint8Array.of(...READ, ...WRITE);
      const ends = [...cuts].sort((a, b) => a - b);
      receive(...[...ends, all.length].map((end, i) => all.subarray(i === 0 ? 0 : ends[i - 1], end)));
      expect(written).toHaveLength(2);
      expect(counters).toEqual({ requests: 2, replies: 2, stray_bytes: 0 });
    }),
  );
});

test('other units and a wrong check sum are met with silence', () => {
  const { written, asked, counters, clock, receive } = rig();
  receive(encodeRtu(UNIT + 1, Uint8Array.of(3, 0, 0, 0, 1)));
  expect([written, asked]).toEqual([[], [UNIT + 1]]);
  receive(Uint8Array.of(...READ.subarray(0, 7), READ[7] ^ 1));
  clock.advance(100);
  expect(written).toEqual([]);
  expect(counters.stray_bytes).toBe(8);
});

test('a function of unknown length ends with silence', () => {
  const { written, clock, receive } = rig();
  receive(encodeRtu(UNIT, Uint8Array.of(0x41, 1, 2)));
  expect(written).toEqual([]);
  clock.advance(100);
  expect(written).toEqual([encodeRtu(UNIT + 0x10, Uint8Array.of(0xc1, 1))]);
});

test('after any noise and a silence the next request is answered; all bytes are accounted for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), noise => {
      const { written, counters, clock, receive } = rig();
      receive(noise);
      clock.advance(100);
      const before = written.length;
      receive(READ);
      expect(written.length).toBe(before + 1);
      expect(counters.stray_bytes).toBeLessThanOrEqual(noise.length);
    }),
  );
});

test('a good request behind noise is answered, at the latest after a silence', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), noise => {
      const { asked, clock, receive } = rig();
      receive(Uint8Array.of(...noise, ...READ));
      clock.advance(100);
      // Noise may by chance be part of another good frame; a request of ours is never lost to it otherwise.
      expect(asked.length).toBeGreaterThan(0);
    }),
  );
});
