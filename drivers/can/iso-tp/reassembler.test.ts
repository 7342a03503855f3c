/** ISO-TP: what was cut into frames comes back whole, or not at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reassembler, Step } from './reassembler.ts';
import { framesOf, MAX_MESSAGE_BYTES, separationMs } from './segments.ts';

const message = fc.uint8Array({ minLength: 1, maxLength: 600 });
const address = fc.constantFrom(undefined, 0xf1);
const padding = fc.constantFrom(0, 0x55, 0xaa, 0xff, 0xcc);

function takeAll(frames: readonly Uint8Array[], at: number | undefined, gap_ms = 1): Uint8Array[] {
  const incoming = new Reassembler(at);
  const whole: Uint8Array[] = [];
  frames.forEach((frame, i) => {
    if (incoming.take(frame, frame.length, i * gap_ms) === Step.whole)
      whole.push(incoming.message.slice(0, incoming.length));
  });
  return whole;
}

test('any message comes back, whatever fills its frames up, also where the last one is cut short', () => {
  fc.assert(
    fc.property(message, address, padding, fc.boolean(), (bytes, at, filled_with, isCut) => {
      const frames = framesOf(bytes, at, filled_with);
      const head = at === undefined ? 1 : 2;
      const last =
        frames.length === 1 ? bytes.length : (bytes.length - (8 - head - 1)) % (8 - head) || 8 - head;
      if (isCut) frames[frames.length - 1] = frames[frames.length - 1].subarray(0, head + last);
      expect(takeAll(frames, at)).toEqual([bytes]);
    }),
  );
  const longest = new Uint8Array(MAX_MESSAGE_BYTES).map((_, i) => i);
  expect(takeAll(framesOf(longest, undefined, 0), undefined)).toEqual([longest]);
});

test('frames lost, doubled or in another order never give another message', () => {
  const faults = fc.array(fc.tuple(fc.constantFrom('lose', 'double', 'swap'), fc.nat()), { maxLength: 3 });
  const sent = fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 90 }), faults);
  fc.assert(
    fc.property(fc.array(sent, { minLength: 1, maxLength: 4 }), messages => {
      const incoming = new Reassembler(undefined);
      messages.forEach(([bytes, faults], begin) => {
        const frames = framesOf(bytes, undefined, 0xaa);
        for (const [what, place] of faults) {
          const i = place % frames.length;
          if (what === 'lose' && frames.length > 1) frames.splice(i, 1);
          if (what === 'double') frames.splice(i, 0, frames[i]);
          if (what === 'swap' && i > 0) [frames[i - 1], frames[i]] = [frames[i], frames[i - 1]];
        }
        // A device begins its next reply once it was asked again.
        frames.forEach((frame, i) => {
          if (incoming.take(frame, frame.length, 2000 * begin + i) === Step.whole)
            expect(incoming.message.slice(0, incoming.length)).toEqual(bytes);
        });
      });
    }),
  );
});

test('a message whose next frame comes too late is given up', () => {
  const bytes = Uint8Array.from({ length: 30 }, (_, i) => i);
  expect(takeAll(framesOf(bytes, undefined, 0), undefined, 1000)).toEqual([bytes]);
  expect(takeAll(framesOf(bytes, undefined, 0), undefined, 1001)).toEqual([]);
});

test('random frames never throw and never give a message longer than they carry', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), address, (frames, at) => {
      const carried = frames.reduce((sum, { length }) => sum + length, 0);
      for (const { length } of takeAll(frames, at)) expect(length).toBeLessThanOrEqual(carried);
    }),
  );
});

test('leftovers of a reply, flow control of others and a length of 32 bits are passed over', () => {
  const frames = ['2107070707070707', '3000000000000000', '100000001000aabb', '037f2278aaaaaaaa'];
  expect(
    takeAll(
      frames.map(hex => Buffer.from(hex, 'hex')),
      undefined,
    ),
  ).toEqual([Uint8Array.from([0x7f, 0x22, 0x78])]);
});

test('the gap between frames is read as the standard gives it', () => {
  expect([0, 5, 0x7f, 0x80, 0xf0, 0xf1, 0xf9, 0xfa, 0xff].map(separationMs)).toEqual([
    0, 5, 127, 127, 127, 0.1, 0.9, 127, 127,
  ]);
});
