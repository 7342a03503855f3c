/** `decode LOG --dbc FILE`: parameter groups of J1939 from any source, frames cut short, values with names. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { decodeWithDbc } from './decode-dbc.ts';

const directory = mkdtempSync(join(tmpdir(), 'decode-dbc-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function decode(dbc: string, ...frames: string[]): Promise<string[]> {
  const [dbc_file, log_file] = [join(directory, 'x.dbc'), join(directory, 'x.log')];
  writeFileSync(dbc_file, dbc);
  writeFileSync(log_file, frames.map((frame, i) => `(${i}.000000) can0 ${frame}\n`).join(''));
  const lines: string[] = [];
  for await (const line of decodeWithDbc(log_file, dbc_file)) lines.push(line);
  return lines.map(line => line.replace(/^\(\d+\.0+\) can0 /, ''));
}

test('parameter groups are found whatever priority, source and destination; other ids exactly', async () => {
  const lines = await decode(
    `BO_ ${0x80000000 + 0x18fffdfe} Broadcast: 8 X
 SG_ v : 0|8@1+ (0.5,0) [0|0] "V" X
BO_ ${0x80000000 + 0x18ef00fe} Directed: 8 X
 SG_ d : 0|8@1+ (1,0) [0|0] "" X
BO_ 256 Plain: 2 X
 SG_ state : 0|8@1+ (1,0) [0|0] "" X
 SG_ more : 8|8@1+ (1,0) [0|0] "" X
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "J1939PG";
VAL_ 256 state 1 "on" ;
BO_ 9 Odd
`,
    '0CFFFD21#07',
    '18EF2046#05',
    '100#01',
    '00000100#01',
  );
  expect(lines).toEqual([
    expect.stringMatching(/x\.dbc:11 found end of file, expected a message length$/),
    '0CFFFD21 Broadcast v=3.5V',
    '18EF2046 Directed d=5',
    '100 Plain [1 of 2 bytes] state=1 (on)',
    '3 frames decoded, 1 of unknown ids, 0 lines unreadable',
    'unknown ids: 00000100 (1)',
  ]);
});

test('numbers beyond what a double holds are printed in full', async () => {
  const dbc = 'BO_ 1 Id: 8 X\n SG_ serial : 0|64@1+ (1,0) [0|0] "" X\n';
  expect((await decode(dbc, '001#0102030405060708'))[0]).toBe('001 Id serial=578437695752307201');
});

test('a line break in a unit keeps a frame on its line; remote and error frames are counted apart', async () => {
  const dbc = 'BO_ 256 A: 8 X\n SG_ v : 0|8@1+ (1,0) [0|0] "m\nV" X\n';
  const lines = await decode(dbc, '100#07', '101#R', '20000004#0000000000000000', '102#00');
  expect(lines).toEqual([
    '100 A v=7m V',
    '1 frames decoded, 1 of unknown ids, 1 remote frames, 1 error frames, 0 lines unreadable',
    'unknown ids: 102 (1)',
  ]);
});

test('a log that gzip has packed is read as it is', async () => {
  const [dbc_file, log_file] = [join(directory, 'z.dbc'), join(directory, 'z.log.gz')];
  writeFileSync(dbc_file, 'BO_ 256 A: 8 X\n SG_ v : 0|8@1+ (1,0) [0|0] "V" X\n');
  writeFileSync(log_file, gzipSync('(1.000000) can0 100#07\n'));
  const lines: string[] = [];
  for await (const line of decodeWithDbc(log_file, dbc_file)) lines.push(line);
  expect(lines[0]).toBe('(1.000000) can0 100 A v=7V');
  writeFileSync(log_file, gzipSync('(1.000000) can0 100#07\n').subarray(0, 25));
  const cut = async () => {
    for await (const _ of decodeWithDbc(log_file, dbc_file));
  };
  await expect(cut()).rejects.toThrow(/z\.log\.gz/);
});

test('a file that is no DBC, and a log that is none, are said to be so', async () => {
  await expect(decode('BU_: A\n', '100#01')).rejects.toThrow('no message in it, expected a DBC file');
  await expect(decode('BO_ 1 A: 8 X\n', 'nothing')).rejects.toThrow(
    'none of its 1 lines holds a frame; expected a log of a CAN bus',
  );
  await expect(decode('BO_ 1 A: 8 X\n')).rejects.toThrow('it is empty; expected a log of a CAN bus');
});
