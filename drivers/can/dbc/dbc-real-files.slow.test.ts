/** Habits of real DBC files, each in a file of its own making, and what the reference answers to them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeDbcBytes, parseDbc } from './dbc-parser.ts';
import { halfToNumber, numberToHalf } from './half-float.ts';
import { MessageDecoder } from './message-decoder.ts';
import { MessageEncoder } from './message-encoder.ts';

/** Values by signal name of the first message for these bytes. */
function decode(text: string, ...bytes: number[]): Record<string, number> {
  const [message] = parseDbc(text).messages;
  const decoder = new MessageDecoder(message);
  decoder.decode(Uint8Array.from(bytes), bytes.length);
  const carried = Array.from(decoder.carried.subarray(0, decoder.carried_count));
  return Object.fromEntries(carried.map(i => [message.signals[i].name, decoder.values[i]]));
}

const warningsOf = (text: string) => parseDbc(text).warnings;

test('long names come before what still uses the short ones: values, float types, multiplexers', () => {
  const text = `BO_ 1 Short_message: 8 X
 SG_ switch_0000 M : 0|8@1+ (1,0) [0|0] "" X
 SG_ value_0000 m1 : 8|32@1- (1,0) [0|0] "" X
 SG_ other_0000 m2 : 8|8@1+ (1,0) [0|0] "" X
BA_DEF_ SG_ "SystemSignalLongSymbol" STRING ;
BA_DEF_ BO_ "SystemMessageLongSymbol" STRING ;
BA_ "SystemMessageLongSymbol" BO_ 1 "The_message_with_the_long_name_of_more_than_32";
BA_ "SystemSignalLongSymbol" SG_ 1 switch_0000 "The_switch_with_the_long_name_of_more_than_32";
BA_ "SystemSignalLongSymbol" SG_ 1 value_0000 "The_value_with_the_long_name_of_more_than_32";
VAL_ 1 value_0000 0 "none" ;
SIG_VALTYPE_ 1 value_0000 : 1;
SG_MUL_VAL_ 1 value_0000 switch_0000 1-1, 5-9;
CM_ SG_ 1 value_0000 "said of the short name";
`;
  const { messages, warnings } = parseDbc(text);
  expect(warnings).toEqual([]);
  expect(messages[0].name).toBe('The_message_with_the_long_name_of_more_than_32');
  const long = 'The_value_with_the_long_name_of_more_than_32';
  expect(messages[0].signals[1]).toMatchObject({ name: long, float: 'float32', comment: expect.any(String) });
  expect(messages[0].signals[1].choices?.get(0)).toBe('none');
  const half = [0, 0, 0, 0x3f];
  for (const value of [1, 5, 9]) expect(decode(text, value, ...half)[long]).toBe(0.5);
  expect(Object.keys(decode(text, 2, ...half))).toContain('other_0000');
  expect(Object.keys(decode(text, 2, ...half))).not.toContain(long);
});

test('what is said of a message may stand before it', () => {
  const { messages, warnings } = parseDbc(
    `VAL_ 1 s 1 "on" ;\nBA_ "GenMsgCycleTime" BO_ 1 50;\nBO_ 1 M: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" X\n`,
  );
  expect(warnings).toEqual([]);
  expect([messages[0].cycle_ms, messages[0].signals[0].choices?.get(1)]).toEqual([50, 'on']);
});

test('several messages of one id are all kept, with a warning, and what is said of the id goes for all', () => {
  const { messages, warnings } = parseDbc(
    'BO_ 1 A: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" X\nBO_ 1 B: 8 X\n SG_ s : 8|8@1+ (1,0) [0|0] "" X\n' +
      'BO_ 2 A: 8 X\nVAL_ 1 s 1 "on" ;\n',
  );
  expect(messages.map(({ id, name }) => [id, name])).toEqual([
    [1, 'A'],
    [1, 'B'],
    [2, 'A'],
  ]);
  expect(messages.map(({ signals }) => signals[0]?.choices?.get(1))).toEqual(['on', 'on', undefined]);
  expect(warnings).toEqual([{ line: 3, text: 'message B: id 1 is taken by A too' }]);
});

test('without a single multiplexer to go by, a marked signal is read from every frame, with a warning', () => {
  const signal = (name: string, bit: number, mark: string) =>
    ` SG_ ${name} ${mark} : ${bit}|8@1+ (1,0) [0|0] "" X\n`;
  const none = `BO_ 1 M: 8 X\n${signal('a', 0, '')}${signal('b', 8, 'm3')}`;
  expect(decode(none, 1, 2)).toEqual({ a: 1, b: 2 });
  expect(warningsOf(none)).toEqual([{ line: 3, text: expect.stringContaining('multiplexed by none') }]);
  const alone = `BO_ 1 M: 8 X\n${signal('a', 0, 'm0M')}${signal('b', 8, 'm3')}`;
  expect(decode(alone, 3, 2)).toEqual({ a: 3, b: 2 });
  expect(decode(alone, 4, 2)).toEqual({ a: 4 });
  const two = `BO_ 1 M: 8 X\n${signal('a', 0, 'M')}${signal('b', 8, 'm1M')}${signal('c', 16, 'm2')}`;
  expect(decode(two, 9, 9, 7)).toEqual({ a: 9, b: 9, c: 7 });
  expect(decode(`${two}SG_MUL_VAL_ 1 b a 1-1;\nSG_MUL_VAL_ 1 c b 2-2;\n`, 1, 2, 7)).toEqual({
    a: 1,
    b: 2,
    c: 7,
  });
});

test('one name under several multiplexer values is one signal each, and what is said of the name goes for all', () => {
  const text = `BO_ 1 M: 8 X
 SG_ sw M : 0|8@1+ (1,0) [0|0] "" X
 SG_ v m3 : 8|8@1+ (0.1,40) [0|0] "Hz" X
 SG_ v m4 : 16|8@1+ (1,160) [0|0] "ms" X
VAL_ 1 v 0 "none" ;
`;
  const { messages, warnings } = parseDbc(text);
  expect(warnings).toEqual([]);
  expect(messages[0].signals.map(({ choices }) => choices?.get(0))).toEqual([undefined, 'none', 'none']);
  expect(decode(text, 3, 10, 99)).toEqual({ sw: 3, v: 41 });
  expect(decode(text, 4, 10, 99)).toEqual({ sw: 4, v: 259 });
  const double = 'BO_ 1 M: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" X\n SG_ s : 8|8@1+ (1,0) [0|0] "" X\n';
  expect(warningsOf(double)).toEqual([{ line: 3, text: 'message M has more than one signal s' }]);
});

test('multiplexer ranges wider than any table still find their signals', () => {
  const text = `BO_ 1 M: 8 X
 SG_ sw M : 0|32@1+ (1,0) [0|0] "" X
 SG_ v m0 : 32|8@1+ (1,0) [0|0] "" X
SG_MUL_VAL_ 1 v sw 0-4294967000;
`;
  expect(decode(text, 0xff, 0xff, 0xff, 0xfe, 5)).toEqual({ sw: 0xfeffffff, v: 5 });
  expect(decode(text, 0xff, 0xff, 0xff, 0xff, 5)).toEqual({ sw: 0xffffffff });
});

test('one line, tabs, old and Windows line ends, byte order mark, UTF-16: all the same file', () => {
  const text =
    'VERSION "x"\nNS_ :\n\tCM_\n\tBA_\n\nBS_:\n\nBU_: A B\n\nBO_ 1 M: 8 A\n SG_ s : 0|8@1+ (1,0) [0|0] "" A,B\n' +
    ' SG_ t : 8|8@1+ (1,0) [0|0] "" B\n\nCM_ "of the\nfile";\n';
  const variants = [
    text,
    text.replaceAll('\n', '\r\n'),
    text.replaceAll('\n', '\r'),
    text.replaceAll(' ', '\t\t'),
    `\ufeff${text}`,
    text.replaceAll('\n', ' '),
    text.replace('BU_: A B', 'BU_:\n A\n B').replace('"" A,B', '"" A,\n  B'),
    text.replace('BS_:', 'BS_: 500 : 1,2'),
  ];
  for (const variant of variants) {
    const { messages, warnings } = parseDbc(decodeDbcBytes(Buffer.from(variant, 'utf8')));
    expect(warnings, JSON.stringify(variant)).toEqual([]);
    expect(messages.map(({ name, signals }) => [name, signals.map(signal => signal.name)])).toEqual([
      ['M', ['s', 't']],
    ]);
  }
  const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
  expect(parseDbc(decodeDbcBytes(wide)).messages.length).toBe(1);
});

test('an empty file, and one of remarks only, have no messages and no warnings', () => {
  for (const text of ['', '\ufeff', '\r\n', 'VERSION ""', 'NS_ :\n', 'BU_:\n', '// nothing\n'])
    expect(parseDbc(text), JSON.stringify(text)).toEqual({ messages: [], warnings: [] });
});

test('a lost quote costs its own line, not the rest of the file', () => {
  const unit = 'BO_ 1 M: 8 X\n SG_ a : 0|8@1+ (1,0) [0|0] "V X\n SG_ b : 8|8@1+ (1,0) [0|0] "A" X\n';
  const { messages, warnings } = parseDbc(`${unit}BO_ 2 N: 8 X\n SG_ c : 0|8@1+ (1,0) [0|0] "" X\n`);
  expect(messages.map(({ signals }) => signals.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
  expect(warnings).toEqual([{ line: 2, text: 'text without its closing quote' }]);
  const comment = 'CM_ BO_ 1 "lost;\nCM_ SG_ 1 s "kept";\nBA_ "GenMsgCycleTime" BO_ 1 50;\n';
  const other = parseDbc(`BO_ 1 M: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" X\n${comment}`);
  expect(other.messages[0].signals[0].comment).toBe('kept');
  expect(other.messages[0].cycle_ms).toBe(50);
  expect(other.warnings.length).toBeGreaterThan(0);
});

test('comments quote statements, semicolons and quotes without becoming them', () => {
  const text = `BO_ 1 M: 8 X
 SG_ s : 0|8@1+ (1,0) [0|0] "" X
CM_ BO_ 1 "was:
BO_ 9 Old: 8 X
 SG_ old : 0|8@1+ (1,0) [0|0] \\"\\" X
; end";
CM_ SG_ 1 s "";
`;
  const { messages, warnings } = parseDbc(text);
  expect(warnings).toEqual([]);
  expect(messages.map(({ name }) => name)).toEqual(['M']);
  expect(messages[0].comment).toContain('; end');
});

test('sections that say nothing about decoding are passed over without a word', () => {
  const text = `BO_ 1 M: 8 X
 SG_ s : 0|8@1+ (1,0) [0|0] "" X
BO_TX_BU_ 1 : A,B;
EV_ Env: 0 [0|0] "" 0 1 DUMMY_NODE_VECTOR0 Vector__XXX;
ENVVAR_DATA_ Env: 10;
CM_ BU_ A "node";
CM_ EV_ Env "env";
BA_DEF_ "Flag" BOOL;
BA_DEF_ BO_ "GenMsgCycleTime" FLOAT 0 1E6;
BA_DEF_REL_ BU_SG_REL_ "Rel" INT 0 1;
BA_DEF_DEF_ "GenMsgCycleTime" 1E2;
BA_DEF_DEF_REL_ "Rel" 0;
BA_REL_ "Rel" BU_SG_REL_ A SG_ 1 s 1;
BA_ "Flag" 1;
BA_ "Node" BU_ A 1;
VAL_TABLE_ Table 1 "on" 0 "off" ;
VAL_ Env 0 "a" ;
VAL_ 1 s Table ;
SIG_GROUP_ 1 Group 1 : s;
SIG_VALTYPE_ 1 s 0;
SGTYPE_ T : 8@1+ (1,0) [0|0] "" 0 Table;
CAT_DEF_ 1 Cat 0;
CAT_ BO_ 1 : 1;
FILTER 1 CAT_ ;
`;
  const { messages, warnings } = parseDbc(text);
  expect(warnings).toEqual([]);
  expect(messages[0].cycle_ms).toBe(100);
  expect(messages[0].signals[0].choices?.get(1)).toBe('on');
});

test('the dummy message of signals that belong to none is left out, by id or by name', () => {
  const signal = ' SG_ s : 0|8@1+ (1,0) [0|0] "" X\n';
  const text = `BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 X\n${signal}BO_ 5 VECTOR__INDEPENDENT_SIG_MSG: 0 X\n${signal}`;
  expect(parseDbc(`${text}CM_ SG_ 3221225472 s "t";\n`)).toEqual({ messages: [], warnings: [] });
});

test('hand-written forms: hexadecimal ids, odd bounds, no unit, no sender, umlauts, numbers as names', () => {
  const text = `BO_ 0x1F4 Übersicht: 8
 SG_ Spannung_Überwachung : 0|8@1+ (1,0) [|] "V"
 SG_ 12 : 8|8@1+ (+1.,-.5) [0|1.#INF]
 SG_ c : 16|8@1 + ( 1 , 0 ) [ 0 | 0 ] "" X
`;
  expect(warningsOf(text)).toEqual([]);
  expect(parseDbc(text).messages[0]).toMatchObject({ id: 500, name: 'Übersicht' });
  expect(decode(text, 1, 2, 3)).toEqual({ Spannung_Überwachung: 1, 12: 1.5, c: 3 });
});

test('J1939 by enumeration, by number and by default; standard ids never', () => {
  const messages = `BO_ ${0x80000000 + 0x18fef100} P: 8 X\nBO_ 5 S: 8 X\n`;
  const formats = [
    'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";\nBA_DEF_DEF_ "VFrameFormat" "J1939PG";\n',
    'BA_DEF_ BO_ "VFrameFormat" INT 0 3;\nBA_DEF_DEF_ "VFrameFormat" 3;\n',
  ];
  for (const format of formats)
    expect(parseDbc(messages + format).messages.map(({ j1939 }) => j1939)).toEqual([true, false]);
});

test('values of more than 53 bits: rounded once as a number, exact on demand, scaled or not', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 9, maxLength: 9 }),
      fc.integer({ min: 54, max: 64 }),
      fc.nat(8),
      fc.boolean(),
      fc.boolean(),
      (data, length_bit, shift, intel, signed) => {
        const start = intel ? shift : 7 - (shift % 8);
        const text = `BO_ 1 M: 16 X\n SG_ s : ${start}|${length_bit}@${intel ? 1 : 0}${signed ? '-' : '+'} (3,-7) [0|0] "" X\n`;
        const decoder = new MessageDecoder(parseDbc(text).messages[0]);
        const padded = new Uint8Array(16);
        padded.set(data);
        decoder.decode(padded, 16);
        const raw = decoder.rawBigInt(0, padded, 16) ?? 0n;
        expect(decoder.values[0]).toBe(Number(raw) * 3 - 7);
        expect(decoder.exact(0, padded, 16)).toBe(raw * 3n - 7n);
      },
    ),
  );
  const long = 'BO_ 1 M: 64 X\n SG_ s : 0|512@1+ (1,0) [0|0] "" X\n';
  expect(decode(long, ...new Array(64).fill(0))).toEqual({ s: 0 });
});

test('floats of 16, 32 and 64 bit, of either byte order, come back as they were written', () => {
  for (const [length, type] of [
    [16, 1],
    [32, 1],
    [64, 2],
  ]) {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.boolean(), fc.nat(7), (value, intel, shift) => {
        const start = intel ? shift : 7 - shift;
        const text = `BO_ 1 M: 16 X\n SG_ s : ${start}|${length}@${intel ? 1 : 0}- (1,0) [0|0] "" X\nSIG_VALTYPE_ 1 s : ${type};\n`;
        const [message] = parseDbc(text).messages;
        const data = new Uint8Array(16);
        new MessageEncoder(message).put(data, 0, value);
        const decoder = new MessageDecoder(message);
        decoder.decode(data, 16);
        const rounded = { 16: halfToNumber(numberToHalf(value)), 32: Math.fround(value), 64: value }[length];
        // The offset of 0 makes a plain zero of a negative one.
        expect(decoder.values[0]).toBe((rounded ?? Number.NaN) + 0);
      }),
    );
  }
});

test('half floats: every pattern there and back; known values', () => {
  for (let bits = 0; bits < 65_536; bits++) {
    const value = halfToNumber(bits);
    if (!Number.isNaN(value)) expect(numberToHalf(value)).toBe(bits);
  }
  expect(halfToNumber(0x3c00)).toBe(1);
  expect(halfToNumber(0x7bff)).toBe(65_504);
  expect(halfToNumber(0xc000)).toBe(-2);
});

test('a value type on a length that is no float of that type is reported; the length decides where it can', () => {
  const signal = (bits: number) => `BO_ 1 M: 8 X\n SG_ s : 0|${bits}@1- (1,0) [0|0] "" X\n`;
  const of = (bits: number, type: number) => parseDbc(`${signal(bits)}SIG_VALTYPE_ 1 s : ${type};\n`);
  expect(of(64, 1).messages[0].signals[0].float).toBe('float64');
  expect(of(24, 1).messages[0].signals[0].float).toBe('none');
  for (const [bits, type] of [
    [64, 1],
    [24, 1],
    [32, 3],
  ])
    expect(of(bits, type).warnings).toEqual([
      { line: 3, text: `signal s: value type ${type} on ${bits} bit` },
    ]);
});

test('a file of 20,000 messages is read in one pass', () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) =>
      `BO_ ${0x80000000 + i} M${i}: 8 X\n SG_ s : 0|8@1+ (1,0) [0|0] "" X\nVAL_ ${0x80000000 + i} s 0 "a" ;\n`,
  );
  const { messages, warnings } = parseDbc(lines.join(''));
  expect([messages.length, warnings.length]).toEqual([20_000, 0]);
});
