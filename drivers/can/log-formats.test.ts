/** The same frames out of every form that people have of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogLineParser } from './log-formats.ts';

const FORMATS: Record<string, string> = {
  'candump -l': `(1700000000.250000) can0 356#D0140A00FE00
(1700000000.500000) can0 18FF50E5#0102030405060708 R
(1700000000.600000) can0 123#R
(1700000000.700000) can0 20000088#0000000000000000`,
  'candump on the screen': ` (1700000000.250000)  can0  356   [6]  D0 14 0A 00 FE 00
 (1700000000.500000)  can0  18FF50E5   [8]  01 02 03 04 05 06 07 08   '........'
 (1700000000.600000)  can0  123   [0]  remote request
 (1700000000.700000)  can0  20000088   [8]  00 00 00 00 00 00 00 00   ERRORFRAME`,
  'candump -x without time': `  can0  RX - -  356   [6]  D0 14 0A 00 FE 00
  can0  RX - -  18FF50E5   [8]  01 02 03 04 05 06 07 08
  can0  RX - -  123   [0]  remote request
  can0  RX - -  20000088   [8]  00 00 00 00 00 00 00 00   ERRORFRAME`,
  '.asc': `date Mon Nov 30 10:00:00.000 am 2026
base hex  timestamps absolute
internal events logged
// version 9.0.0
Begin Triggerblock Mon Nov 30 10:00:00.000 am 2026
   0.000000 Start of measurement
   0.250000 1  356             Rx   d 6 D0 14 0A 00 FE 00
   0.500000 1  18FF50E5x       Rx   d 8 01 02 03 04 05 06 07 08  Length = 273910 BitCount = 141 ID = 419385573x
   0.600000 1  123             Rx   r
   0.700000 1  ErrorFrame
End TriggerBlock`,
  '.trc 1.1': `;$FILEVERSION=1.1
;$STARTTIME=45990.4
;---+--   ----+----  --+--  ----+---  +  -+ -- -- -- -- -- -- --
     1)       250.0  Rx         0356  6  D0 14 0A 00 FE 00
     2)       500.0  Rx     18FF50E5  8  01 02 03 04 05 06 07 08
     3)       600.0  Rx         0123  0  RTR
     4)       700.0  Error  00000008  4  00 00 00 00`,
  '.trc 2.1': `;$FILEVERSION=2.1
;$STARTTIME=45990.4
;$COLUMNS=N,O,T,B,I,d,R,L,D
      1       250.000 DT 1      0356 Rx -  6    D0 14 0A 00 FE 00
      2       500.000 DT 1  18FF50E5 Rx -  8    01 02 03 04 05 06 07 08
      3       600.000 RR 1      0123 Rx -  0
      4       700.000 ER 1         - Rx -  5    04 00 02 00 00
      5       710.000 ST 1         - Rx -  4    00 00 00 08`,
  SavvyCAN: `Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8
250000,00000356,false,Rx,0,6,D0,14,0A,00,FE,00,
500000,18FF50E5,true,Rx,0,8,01,02,03,04,05,06,07,08,`,
};

describe.each(Object.entries(FORMATS))('%s', (name, text) => {
  test('data frames, remote frames and error frames', () => {
    const parser = new LogLineParser();
    const parsed = text.split('\n').map(line => parser.parse(line));
    expect(parsed.filter(line => line === undefined)).toEqual([]);
    const frames = parsed.flatMap(line => (line === undefined || line === 'skip' ? [] : [line]));
    const data = frames.filter(({ remote, error }) => !remote && !error);
    expect(data.map(({ id, extended, data }) => [id, extended, Buffer.from(data).toString('hex')])).toEqual([
      [0x356, false, 'd0140a00fe00'],
      [0x18ff50e5, true, '0102030405060708'],
    ]);
    if (!name.endsWith('without time')) expect(data[1].t_s - data[0].t_s).toBeCloseTo(0.25, 6);
    if (name === 'SavvyCAN') return;
    expect(frames.filter(({ remote }) => remote).map(({ id }) => id)).toEqual([0x123]);
    expect(frames.filter(({ error }) => error)).toHaveLength(1);
  });
});

test('a file in decimal numbers, and one of CAN FD', () => {
  const dec = new LogLineParser();
  expect(dec.parse('base dec  timestamps absolute')).toBe('skip');
  expect(dec.parse(' 0.1 1 854 Rx d 2 208 20')).toMatchObject({ id: 0x356, data: Uint8Array.of(208, 20) });
  const fd = new LogLineParser();
  const line = ` 0.1 CANFD 1 Rx 356 1 0 9 12 ${'AB '.repeat(12)} 0 0 0 0`;
  expect(fd.parse(line)).toMatchObject({ id: 0x356, fd: true, data: new Uint8Array(12).fill(0xab) });
});

test('what is cut, too long or out of range is no frame, and nothing throws', () => {
  for (const line of [
    ' (1.0)  can0  356   [6]  D0 14',
    ' (1.0)  can0  956   [1]  D0',
    ' 0.25 1 356 Rx d 8 01 02',
    ' 0.25 1 3FFFFFFFx Rx d 0',
    '  1) 2.0 Rx 0356 8 01',
    '250000,00000356,false,Rx,0,6,D0',
  ])
    expect(new LogLineParser().parse(line), line).toBeUndefined();
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 80 })),
      fc.constantFrom(...Object.values(FORMATS)),
      (odd, text) => {
        const parser = new LogLineParser();
        for (const line of [...text.split('\n'), ...odd]) {
          const frame = parser.parse(line);
          if (frame !== undefined && frame !== 'skip') expect(frame.data.length).toBeLessThanOrEqual(64);
        }
      },
    ),
  );
});
