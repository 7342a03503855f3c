/** A drafted profile loads and reads what the table says, however its columns, addresses, units and scales are spelt. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { RegisterImage } from '../../../drivers/modbus/register-image.ts';
import { bindingFor, roundBench } from '../../../drivers/modbus/testing/registers.ts';
import { createUnitImage } from '../../../drivers/modbus/unit-image.ts';
import { loadProfiles } from '../../../drivers/profiles/load.ts';
import { draftRegisters } from './draft-registers.ts';

const folder = mkdtempSync(join(tmpdir(), 'draft-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The draft of a table as a profile, by way of a file as a person keeps it. */
function profileOf(csv: string, code: 3 | 4 = 3) {
  const { text, open } = draftRegisters('map.csv', csv, 'map', code);
  writeFileSync(join(folder, 'map.yaml'), text);
  const { profiles, problems } = loadProfiles(folder);
  expect(problems).toEqual([]);
  return { profile: profiles.get('map')!, open, text };
}

const addressWriters = [
  (at: number) => `0x${at.toString(16)}`,
  (at: number) => `${at.toString(16).toUpperCase().padStart(4, '0')}H`,
  String,
];
/** What the step of a value may be written as, and what it is in SI. */
const volts = [
  ['0.001', 'V', 0.001],
  ['1', 'mV', 0.001],
  ['1/1000', 'V', 0.001],
  ['', '0.1mV', 0.0001],
  ['x0.5', 'mV', 0.0005],
] as const;
const degrees = [
  ['0.1', '℃', 0.1, 0],
  ['0.1', 'K', 0.1, -273.15],
  ['', '0.5°C', 0.5, 0],
  ['1', 'degC', 1, 0],
] as const;
const headings = [
  ['Address', 'Name', 'Type', 'Scale', 'Unit'],
  ['Register Address (hex/dec)', 'Signal name', 'Data type', 'Resolution', 'Units'],
  ['reg', 'DESCRIPTION', 'format', 'factor', 'UOM'],
];
const columns = [
  [0, 1, 2, 3, 4],
  [4, 2, 0, 1, 3],
];

test('whatever is drafted is read as the table says, and the simulator shows it', async () => {
  const one = fc.record({
    heading: fc.constantFrom(...headings),
    order: fc.constantFrom(...columns),
    separator: fc.constantFrom(',', ';', '\t'),
    address: fc.constantFrom(...addressWriters),
    cell_name: fc.constantFrom(
      (n: number) => `Cell ${n} voltage`,
      (n: number) => `"Voltage of cell #${n}, measured"`,
      (n: number) => `Cell${String(n).padStart(2, '0')}_Volt`,
      (n: number) => `VCell${n}`,
    ),
    count: fc.integer({ min: 1, max: 24 }),
    stride: fc.integer({ min: 1, max: 3 }),
    first: fc.constantFrom(0, 1),
    code: fc.constantFrom(3 as const, 4 as const),
    at: fc.integer({ min: 1000, max: 30_000 }),
    volt: fc.constantFrom(...volts),
    degree: fc.constantFrom(...degrees),
    raw: fc.array(fc.integer({ min: 2500, max: 4200 }), { minLength: 24, maxLength: 24 }),
    current: fc.integer({ min: -9000, max: 9000 }),
    energy: fc.integer({ min: 0, max: 4_000_000 }),
  });
  await fc.assert(
    fc.asyncProperty(one, async table => {
      const { at, count, stride, volt, degree, raw, code } = table;
      const rows: string[][] = [table.heading.slice()];
      const registers = new Map<number, number>();
      const cell_at = at + 16;
      rows.push([table.address(at), 'Pack voltage', 'UINT16', '0.01', 'V']);
      rows.push([table.address(at + 1), 'Current', 'INT16', '10', 'mA']);
      rows.push([table.address(at + 2), 'Temperature 1', 'S16', degree[0], degree[1]]);
      rows.push([table.address(at + 3), 'Remaining capacity', 'U32 ABCD', '1', 'mAh']);
      rows.push([table.address(at + 5), 'Alarm bits', 'bitfield', '', '']);
      registers
        .set(at, 5120)
        .set(at + 1, table.current & 0xffff)
        .set(at + 2, 300);
      registers.set(at + 3, table.energy >> 16).set(at + 4, table.energy & 0xffff);
      for (let i = 0; i < count; i++) {
        rows.push([
          table.address(cell_at + i * stride),
          table.cell_name(i + table.first),
          'u16',
          volt[0],
          volt[1],
        ]);
        registers.set(cell_at + i * stride, raw[i]);
      }
      const csv = rows.map(cells => table.order.map(i => cells[i]).join(table.separator)).join('\r\n');
      const quoted = table.separator === ',' ? csv : csv.replaceAll('"', '');
      const { profile, open } = profileOf(`\ufeff${quoted}`, code);
      expect(open.filter(line => line.includes('expected'))).toEqual([]);
      expect([profile.cells.max, profile.sensors?.max]).toEqual([count, 1]);
      const segments = [...registers].map(([address, word]) => ({
        code,
        address,
        registers: Uint16Array.of(word),
      }));
      const unit = new Uint16Array(at + 1000);
      for (const { address, registers: words } of segments) unit[address] = words[0];
      const image = new RegisterImage({ code, address: 0, registers: unit });
      const binding = bindingFor(profile, { cells: count, sensors: 1 });
      const bench = roundBench(binding, pdu => image.answer(pdu));
      await bench.round();
      const read = bench.snapshot();
      expect(read.values[PackMetric.voltage_v]).toBeCloseTo(51.2, 9);
      expect(read.values[PackMetric.current_a]).toBeCloseTo(table.current * 0.01, 9);
      expect(read.values[PackMetric.capacity_remaining_ah]).toBeCloseTo(table.energy * 0.001, 6);
      expect(read.sensors[0]).toBeCloseTo(300 * degree[2] + degree[3], 3);
      const cells = [...read.column(CellMetric.voltage_v)];
      cells.forEach((value, i) => {
        expect(value).toBeCloseTo(raw[i] * volt[2], 5);
      });
      const simulated = createUnitImage(binding);
      const shown = new PackReading(0, binding.shape);
      shown.values.set(read.values);
      shown.sensors.set(read.sensors);
      shown.column(CellMetric.voltage_v).set(cells);
      simulated.write(shown);
      const again = roundBench(binding, pdu => simulated.image.answer(pdu));
      await again.round();
      expect([...again.snapshot().column(CellMetric.voltage_v)]).toEqual(cells);
      expect(again.snapshot().values).toEqual(read.values);
    }),
    { numRuns: runsOf(24) },
  );
});

test('what a vendor sends: units with steps, spans, titles, references, text', () => {
  const { profile, open } = profileOf(
    [
      'Battery map V1.2;;;;;',
      'No.;Address;Signal;Type;Gain;Unit',
      '1;40001;Total voltage;U16;10;V',
      ';;Cells;;;',
      '2;40003-40018;Cell 1~16 voltage;U16;1000;V',
      '3;40020;Discharge current limit;U16;;0.1A',
      '4;40021;Serial number;STRING;;',
      '5;4x22;Fan;U16;;',
      '6;40023;Cell over voltage protection;U16;;mV',
      '7;40024;Voltage;U16;;V',
      '8;40025;Cycle count;U16;;times',
    ].join('\n'),
  );
  expect(profile.registers).toMatchObject({
    blocks: { block_1: { code: 3, first: 0, last: 0 }, block_2: { first: 2, last: 17 } },
    pack: {
      voltage_v: { at: 0, scale: 0.1 },
      discharge_current_limit_a: { at: 19, scale: 0.1 },
      cycle_count: { at: 24 },
    },
    cells: { voltage_v: [{ at: 2, count: 16, scale: 0.001 }] },
  });
  expect(open).toEqual([
    'map.csv:8: found address "4x22", expected a number such as 4096, 0x1000 or 1000h',
    'map.csv: addresses from 40001 on are taken as references: less 40001, function 3',
    'map.csv:7: 0x0014 "Serial number": no number that is read: text, bits or a type that is not known',
    'map.csv:9: 0x0016 "Cell over voltage protection": the name does not say which quantity it is',
    'map.csv:10: 0x0017 "Voltage": a second voltage_v; the first one was taken',
  ]);
});

test.each([
  ['', 'map.csv:1: found an empty file, expected a heading and rows of a CSV'],
  ['a,b\n1,2', 'map.csv:1: found the columns a, b, expected one for address and one for name'],
  ['addres,name\n1,2', 'expected one for address; did you mean "address"?'],
  ['address,name\n70000,Voltage', 'map.csv:2: found address 70000, expected one from 0 to 65535'],
  [
    'address,name,scale\n1,Voltage,often',
    'map.csv:2: found scale "often", expected a number above 0, such as 0.01 or 1/100',
  ],
])('%j is reported with its place', (csv, message) => {
  const { text, open } = draftRegisters('map.csv', csv, 'map', 3);
  expect([text, open[0]]).toEqual(['', expect.stringContaining(message)]);
});

test('no text whatever makes it throw, and what it drafts loads', () => {
  const word = fc.constantFrom(
    'address',
    'name',
    'Cell 1',
    'Cell 2',
    'volt',
    'V',
    '0x10',
    '17',
    'u32',
    '"',
    ',',
    ';',
    '\n',
    '1e999',
    '-',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 40 }), words => {
      const { text } = draftRegisters('map.csv', `address,name,unit\n${words.join('')}`, 'map', 3);
      if (text !== '') profileOf(`address,name,unit\n${words.join('')}`);
    }),
    { numRuns: runsOf(60) },
  );
});
