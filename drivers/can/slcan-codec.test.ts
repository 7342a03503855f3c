/** slcan lines: frames both ways, in any pieces, among any garbage. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultInFlags, SlcanParser, slcanLine } from './slcan-codec.ts';

interface Received {
  readonly frames: string[];
  readonly answers: [boolean, string][];
  readonly parser: SlcanParser;
}

function listen(): Received {
  const frames: string[] = [];
  const answers: [boolean, string][] = [];
  const parser = new SlcanParser({
    onFrame: ({ id, extended, data, length }) => {
      const hex = Buffer.from(data.subarray(0, length)).toString('hex');
      frames.push(`${extended ? 'x' : 's'}${id.toString(16)}#${hex}`);
    },
    onAnswer: (accepted, text) => answers.push([accepted, text]),
  });
  return { frames, answers, parser };
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

test('frames as the LAWICEL manual writes them, with and without a time stamp', () => {
  const { frames, parser } = listen();
  parser.feed(bytes('t10021133\rt10021133A0F4\rT0000010021133\rT18FF50E580011223344556677\rt7FF0\r'));
  parser.feed(bytes('t1002113300A0F4B1\rT18FF50E58001122334455667700A0F4B1\r'));
  expect(frames).toEqual([
    's100#1133',
    's100#1133',
    'x100#1133',
    'x18ff50e5#0011223344556677',
    's7ff#',
    's100#1133',
    'x18ff50e5#0011223344556677',
  ]);
  expect(parser.counts).toEqual({ malformed_lines: 0, remote_frames: 0 });
});

test('remote frames are counted, answers reported, everything else left out', () => {
  const { frames, answers, parser } = listen();
  parser.feed(bytes('r1002\rR000001000\r\r\x07z\rZ\rV1013\rF20\r'));
  expect(parser.counts).toEqual({ malformed_lines: 0, remote_frames: 2 });
  expect(answers).toEqual([
    [true, ''],
    [false, ''],
    [true, 'V1013'],
    [true, 'F20'],
  ]);
  const broken = [
    't8000',
    't1009',
    't10021',
    't1002113',
    't10021133AA',
    't100211G3',
    'T20000000 0',
    'hello',
    'T2000000000',
  ];
  parser.feed(bytes(`${broken.join('\r')}\r${'t'.repeat(500)}\rt1000\r`));
  expect(parser.counts.malformed_lines).toBe(broken.length + 1);
  expect(frames).toEqual(['s100#']);
});

const frame = fc.boolean().chain(extended =>
  fc.record({
    id: fc.integer({ min: 0, max: extended ? 0x1fffffff : 0x7ff }),
    extended: fc.constant(extended),
    data: fc.uint8Array({ maxLength: 8 }),
  }),
);

test('what is written is read back, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (sent, cuts) => {
        const { frames, parser } = listen();
        const text = bytes(sent.map(one => slcanLine({ ...one, length: one.data.length })).join(''));
        let at = 0;
        for (const cut of cuts) {
          parser.feed(text.subarray(at, at + cut));
          at += cut;
        }
        parser.feed(text.subarray(at));
        expect(frames).toEqual(
          sent.map(
            ({ id, extended, data }) =>
              `${extended ? 'x' : 's'}${id.toString(16)}#${Buffer.from(data).toString('hex')}`,
          ),
        );
      },
    ),
  );
});

test('after any bytes at all, the next whole line is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), garbage => {
      const { frames, parser } = listen();
      parser.feed(garbage);
      parser.feed(bytes('\rt3552AABB\r'));
      expect(frames.at(-1)).toBe('s355#aabb');
    }),
  );
});

test('status flags that mean a fault', () => {
  expect(faultInFlags('F00')).toBeUndefined();
  expect(faultInFlags('F80')).toContain('bus errors');
  expect(faultInFlags('F20')).toContain('error passive');
  expect(faultInFlags('F01')).toContain('loses frames');
  expect(faultInFlags('F04')).toContain('error warning');
  expect(faultInFlags('Fxy')).toBeUndefined();
});
