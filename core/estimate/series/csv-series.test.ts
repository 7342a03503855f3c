/** Recordings as people have them: any order of columns, dates, units, holes; what cannot be read is named. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCsvSeries } from './csv-series.ts';
import { chargeOf } from './series.ts';

test('columns are found by their names, in any order, case and unit', () => {
  const { series, notes } = parseCsvSeries(
    'a.csv',
    'Voltage_mV;temperature;Time;Current [A]\r\n3700;25;2024-01-01 00:00:00;-1,5\r\n3690;;2024-01-01 00:01:00;-1,5\r\n',
  );
  expect(series?.voltage_v).toEqual(Float64Array.of(3.7, 3.69));
  expect(series?.current_a).toEqual(Float64Array.of(-1.5, -1.5));
  expect(series && series.time_s[1] - series.time_s[0]).toBe(60);
  expect(series?.temperature_c).toEqual(Float64Array.of(25, Number.NaN));
  expect(notes).toEqual([]);
});

test.each([
  ['', /^b.csv:1: found an empty file/],
  [
    'time,voltage\n1,3\n2,3',
    /^b.csv:1: found the columns time, voltage, expected one of the current \(current_A\)$/,
  ],
  ['time_s,curent_A,voltage_V\n1,3,3\n2,3,3', /is "curent_A" meant\?$/],
  ['time_s,current_A,voltage_V\n1,3,3', /found 1 rows with a time, expected two at least/],
])('%j is refused', (text, message) => {
  const { series, problems } = parseCsvSeries('b.csv', text);
  expect(series).toBeUndefined();
  expect(problems.join('\n')).toMatch(message);
});

test('rows without a time or out of order are left out and counted; the others keep their place', () => {
  const read = parseCsvSeries(
    'c.csv',
    'time_s,current_A,voltage_V,temp_C\n0,1,3,20\n,1,3,20\n5,1,3,20\n4,1,3,20\n6,x,3,20\n',
  );
  expect([...read.rows]).toEqual([0, 2, 4]);
  expect(read.row_count).toBe(5);
  expect(read.notes).toEqual([
    'c.csv:6 current_A: found "x", expected a number',
    'c.csv: 1 rows without a time are left out',
    'c.csv: 1 rows older than the one before are left out',
  ]);
});

test('whatever stands in a file, reading it never throws', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      parseCsvSeries('x', text);
      parseCsvSeries('x', `time_s,current_A,voltage_V\n${text}`);
    }),
  );
});

test('charge is counted by the currents where there is no counter; a gap counts for the smaller of its ends', () => {
  const { series } = parseCsvSeries('d', 'time_s,current_A,voltage_V\n0,2,3\n60,4,3\n3660,1,3\n');
  expect(series && [...chargeOf(series)]).toEqual([0, 0.05, 1.05]);
});

test('cycles whose times each begin again are put one after the other', () => {
  const { series, rows, notes } = parseCsvSeries(
    'e.csv',
    'cycle,time_s,current_A,voltage_V,temp_C\n1,0,1,3,20\n1,60,1,3,20\n26,0,1,3,20\n26,60,1,3,20\n',
  );
  expect(series && [...series.time_s]).toEqual([0, 60, 43_260, 43_320]);
  expect([...rows]).toEqual([0, 1, 2, 3]);
  expect(notes).toEqual(['e.csv: the times of 2 cycles each begin again; half a day is put between them']);
});
