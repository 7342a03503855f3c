/** What the parser makes of files that are not quite right, and that nothing makes it throw. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { decodeDbcBytes, MAX_DBC_CHARACTERS, parseDbc } from './dbc-parser.ts';
import { MessageDecoder } from './message-decoder.ts';
import { MessageEncoder } from './message-encoder.ts';

const small = `VERSION ""
BO_ 500 A: 8 X
 SG_ one : 0|8@1+ (1,0) [0|0] "V" Y
 SG_ two : 8|16@1- (0.5,-10) [0|0] "A" Y
BO_ 2566000000 B: 8 X
SG_ three : 7|16@0+ (.25,0) [0|0] "" Y
`;

test('signals need no indent; bit 31 marks an extended id', () => {
  const { messages, warnings } = parseDbc(small);
  expect(warnings).toEqual([]);
  expect(messages.map(({ id, extended, signals }) => [id, extended, signals.length])).toEqual([
    [500, false, 2],
    [2566000000 - 0x80000000, true, 1],
  ]);
  expect(messages[1].signals[0].scale).toBe(0.25);
});

test('a 29-bit id without bit 31 is taken as extended, with a warning', () => {
  const { messages, warnings } = parseDbc('BO_ 419361278 M: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" Y\n');
  expect(messages[0]).toMatchObject({ id: 419361278, extended: true });
  expect(warnings).toEqual([{ line: 1, text: expect.stringContaining('taken as extended') }]);
});

test('a line that cannot be read costs itself only, and its number is reported', () => {
  const broken = small
    .replace(' SG_ one : 0|8@1+', ' SG_ one : zero|8@1+')
    .replace('BO_ 2566', 'WHAT_ 1 2;\nBO_ 2566');
  const { messages, warnings } = parseDbc(broken);
  expect(messages.flatMap(message => message.signals.map(signal => signal.name))).toEqual(['two', 'three']);
  expect(warnings).toEqual([
    { line: 3, text: 'found "zero", expected a start bit' },
    { line: 5, text: 'found "WHAT_", expected a section keyword' },
  ]);
});

test('a comment without its semicolon, one without a signal and one over several lines are taken', () => {
  const text = `${small}CM_ SG_ 500 one "first
second \\"quoted\\""
CM_ SG_ 500 "of the message";
CM_ 2566000000 "no kind";
CM_ "of the file";
VAL_ 500 one 0 "off" 1 "on" ;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 1000;
BA_ "GenMsgCycleTime" BO_ 500 100;
`;
  const { messages, warnings } = parseDbc(text);
  expect(messages[0].signals[0].comment).toBe('first\nsecond "quoted"');
  expect(messages.map(message => message.comment)).toEqual(['of the message', 'no kind']);
  expect(messages[0].signals[0].choices?.get(1)).toBe('on');
  expect(messages[0].cycle_ms).toBe(100);
  expect(warnings).toEqual([{ line: 7, text: 'statement without its ";"' }]);
});

test('names may begin with a digit; line comments are skipped', () => {
  const { messages, warnings } = parseDbc(
    '// by hand\nBO_ 1 1stMessage: 8 X\n SG_ 2nd : 0|8@1+ (1E-3,0) [0|0] "" Y\n',
  );
  expect(warnings).toEqual([]);
  expect(messages[0].name).toBe('1stMessage');
  expect(messages[0].signals[0]).toMatchObject({ name: '2nd', scale: 0.001 });
});

test('bytes are read as UTF-8 where that is valid, else as cp1252', () => {
  expect(decodeDbcBytes(Buffer.from('"°C"', 'utf8'))).toBe('"°C"');
  expect(decodeDbcBytes(Buffer.from([0x22, 0xb0, 0x43, 0x22]))).toBe('"°C"');
});

test('switches that refer to each other end; an unknown multiplexer value leaves the plain signals', () => {
  const { messages } = parseDbc(`BO_ 1 M: 8 X
 SG_ sw M : 0|8@1+ (1,0) [0|0] "" Y
 SG_ plain : 8|8@1+ (1,0) [0|0] "" Y
 SG_ deep m1M : 16|8@1+ (1,0) [0|0] "" Y
 SG_ leaf m2 : 24|8@1+ (1,0) [0|0] "" Y
SG_MUL_VAL_ 1 leaf deep 2-3, 7-7;
SG_MUL_VAL_ 1 deep sw 1-1;
`);
  const decoder = new MessageDecoder(messages[0]);
  const read = (...bytes: number[]) => {
    decoder.decode(Uint8Array.from(bytes), bytes.length);
    return Array.from(decoder.values);
  };
  const none = Number.NaN;
  expect(read(1, 5, 7, 9)).toEqual([1, 5, 7, 9]);
  expect(read(1, 5, 4, 9)).toEqual([1, 5, 4, none]);
  expect(read(9, 5, 7, 9)).toEqual([9, 5, none, none]);
  expect(read(1, 5, 7)).toEqual([1, 5, 7, none]);
  const loop = parseDbc(`BO_ 1 M: 8 X
 SG_ a m0M : 0|8@1+ (1,0) [0|0] "" Y
 SG_ b m0M : 8|8@1+ (1,0) [0|0] "" Y
SG_MUL_VAL_ 1 a b 0-255;
SG_MUL_VAL_ 1 b a 0-255;
`);
  expect(() => new MessageDecoder(loop.messages[0]).decode(new Uint8Array(8), 8)).not.toThrow();
});

test('text of any kind, and a real file cut or garbled anywhere, never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parseDbc(text)));
  fc.assert(
    fc.property(
      fc.nat(small.length),
      fc.nat(small.length),
      fc.string({ maxLength: 5 }),
      (from, to, insert) => {
        const { messages } = parseDbc(small.slice(0, from) + insert + small.slice(to));
        for (const message of messages) new MessageDecoder(message).decode(new Uint8Array(8), 8);
      },
    ),
    { numRuns: runsOf(500) },
  );
});

test('a signal of any place, length, order and sign comes back as it was written, others untouched', () => {
  fc.assert(
    fc.property(
      fc.nat(63),
      fc.integer({ min: 1, max: 53 }),
      fc.boolean(),
      fc.boolean(),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (start_bit, length_bit, intel, signed, part, data) => {
        const text = `BO_ 1 M: 16 X\n SG_ s : ${start_bit}|${length_bit}@${intel ? 1 : 0}${signed ? '-' : '+'} (1,0) [0|0] "" Y\n`;
        const [message] = parseDbc(text).messages;
        const raw = Math.floor(part * 2 ** length_bit) - (signed ? 2 ** (length_bit - 1) : 0);
        const again = data.slice();
        new MessageEncoder(message).putRaw(again, 0, raw);
        const decoder = new MessageDecoder(message);
        decoder.decode(again, 16);
        expect(decoder.values[0]).toBe(raw);
        expect(decoder.rawBigInt(0, again, 16)).toBe(BigInt(raw));
        const changed = again.reduce((bits, byte, i) => bits + popCount(byte ^ data[i]), 0);
        expect(changed).toBeLessThanOrEqual(length_bit);
      },
    ),
    { numRuns: runsOf(500) },
  );
});

function popCount(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}

test('work grows with the text, not with its square: sizes that would take hours by the square', () => {
  const digits = '1'.repeat(1_000_000);
  for (const text of [digits, `${digits}.${digits}`, `+${digits}e${digits}`])
    expect(parseDbc(`BO_ ${text}x A: 8 X\n${small}`).messages).toHaveLength(2);
  expect(parseDbc(`BO_ ${digits} A: 8 X\n${small}`).warnings).toMatchObject([
    { line: 1, text: expect.stringContaining('1000000 characters') },
  ]);
  expect(parseDbc(`CM_ "\nSG_${' '.repeat(1_000_000)}" ;\n${small}`).messages).toHaveLength(2);
});

test('messages of one id, signals of one message and remarks have a bound, and what is beyond is reported', () => {
  const same = parseDbc(Array.from({ length: 30_000 }, (_, i) => `BO_ 7 M${i}: 8 X`).join('\n'));
  expect(same.messages).toHaveLength(100);
  expect(same.warnings.filter(({ text }) => text.includes('left out'))).toHaveLength(29_900);
  const signals = (count: number) =>
    Array.from({ length: count }, (_, i) => ` SG_ s${i} m${i} : 0|8@1+ (1,0) [0|0] "" X`).join('\n');
  const remarks = Array.from({ length: 20_000 }, (_, i) => `CM_ SG_ 7 s${i} "remark ${i}";`).join('\n');
  const full = parseDbc(`BO_ 7 M: 8 X\n SG_ m M : 0|8@1+ (1,0) [0|0] "" X\n${signals(19_999)}\n${remarks}`);
  expect(full.messages[0].signals.at(-1)).toMatchObject({ name: 's19998', comment: 'remark 19998' });
  expect(parseDbc(`BO_ 7 M: 8 X\n${signals(20_001)}`)).toMatchObject({
    messages: [],
    warnings: [{ line: 1, text: expect.stringContaining('20001 signals, expected at most 20000') }],
  });
});

test('a file beyond all measure is refused whole', () => {
  expect(parseDbc(' '.repeat(MAX_DBC_CHARACTERS + 1))).toMatchObject({
    messages: [],
    warnings: [{ line: 1 }],
  });
});
