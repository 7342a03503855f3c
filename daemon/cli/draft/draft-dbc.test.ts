/** A profile drafted from a DBC loads with it, and what is encoded by it decodes to the same. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { createCanEncoder } from '../../../drivers/can/can-encoder.ts';
import { PackDecoder } from '../../../drivers/can/pack-decoder.ts';
import { bindingOf, snapshot } from '../../../drivers/can/testing/bench.ts';
import { loadProfiles } from '../../../drivers/profiles/load.ts';
import { draftProfile } from './command.ts';
import { draftDbc } from './draft-dbc.ts';

const folder = mkdtempSync(join(tmpdir(), 'draft-'));
afterAll(() => rmSync(folder, { recursive: true }));

function profileOf(dbc: string) {
  const { text, open } = draftDbc('pack.dbc', new TextEncoder().encode(dbc), 'pack');
  writeFileSync(join(folder, 'pack.dbc'), dbc);
  writeFileSync(join(folder, 'pack.yaml'), text);
  const { profiles, problems } = loadProfiles(folder);
  expect(problems).toEqual([]);
  return { profile: profiles.get('pack')!, open };
}

const cellNames = [
  (n: number) => `Cell${n}`,
  (n: number) => `Cell${String(n).padStart(2, '0')}_Voltage`,
  (n: number) => `Pack_CellVolt_${String(n).padStart(3, '0')}_mV`,
  (n: number) => `VCell${n}`,
];

/** Cells three to a frame, the number of the frame as multiplexer; or plain messages of four. */
function dbcOf(count: number, first: number, name: (n: number) => string, is_muxed: boolean): string {
  const signal = (n: number, start: number, mux = '') =>
    ` SG_ ${name(first + n)} ${mux}: ${start}|16@1+ (1,0) [0|0] "mV" X`;
  const cells = Array.from({ length: count }, (_, n) => n);
  const messages = is_muxed
    ? [`BO_ 512 Cells: 8 X`, ' SG_ Row M : 0|8@1+ (1,0) [0|0] "" X'].concat(
        cells.map(n => signal(n, 8 + 16 * (n % 3), `m${Math.floor(n / 3)} `)),
      )
    : cells.flatMap(n => [
        ...(n % 4 === 0 ? [`BO_ ${512 + n} Cells${n / 4}: 8 X`] : []),
        signal(n, 16 * (n % 4)),
      ]);
  return [
    'VERSION ""',
    'BO_ 256 State: 8 X',
    ' SG_ PackVoltage : 0|16@1+ (0.1,0) [0|0] "V" X',
    ' SG_ PackCurrent : 16|16@1- (0.1,0) [0|0] "A" X',
    ' SG_ SOC : 32|8@1+ (0.5,0) [0|0] "%" X',
    ' SG_ Temp1 : 40|8@1+ (1,-40) [0|0] "degC" X',
    ' SG_ Temp2 : 48|8@1+ (1,-40) [0|0] "degC" X',
    ' SG_ Counter : 56|8@1+ (1,0) [0|0] "" X',
    ...messages,
    '',
  ].join('\n');
}

test('what is encoded by a drafted profile decodes to the same', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(0, 1),
      fc.constantFrom(...cellNames),
      fc.boolean(),
      fc.boolean(),
      fc.array(fc.integer({ min: 2000, max: 4300 }), { minLength: 40, maxLength: 40 }),
      (count, first, name, is_muxed, is_discharge, mv) => {
        const { profile, open } = profileOf(dbcOf(count, first, name, is_muxed));
        expect([profile.cells.max, profile.sensors?.max]).toEqual([count, 2]);
        expect(open).toContain('State.Counter: the name does not say which quantity it is');
        const options = { positive_current_is: is_discharge ? 'discharge' : 'charge' };
        const binding = bindingOf(profile, { cells: count, sensors: 2, options });
        const truth = new PackReading(0, binding.shape);
        truth.values[PackMetric.voltage_v] = 51.2;
        truth.values[PackMetric.current_a] = -12.5;
        truth.values[PackMetric.soc_pct] = 87.5;
        truth.sensors.set([21, -7]);
        truth.column(CellMetric.voltage_v).forEach((_, i, column) => {
          column[i] = mv[i] / 1000;
        });
        const decoder = new PackDecoder(binding);
        createCanEncoder(binding).frames(truth, ({ id, extended, data }) => {
          const mapped = decoder.mapping.messages.find(message => message.id === id)!;
          const length = data.length;
          decoder.decode(mapped, { id, extended, data: data.slice(), length, fd: false, rx_mono_ms: 0 });
          if (id === 256) expect(data[2] | (data[3] << 8)).toBe((is_discharge ? 125 : -125) & 0xffff);
        });
        const back = snapshot(decoder.state, 0);
        for (const metric of [PackMetric.voltage_v, PackMetric.current_a, PackMetric.soc_pct])
          expect(back.values[metric]).toBeCloseTo(truth.values[metric], 6);
        expect([...back.sensors]).toEqual([21, -7]);
        back.column(CellMetric.voltage_v).forEach((value, i) => {
          expect(value).toBeCloseTo(mv[i] / 1000, 5);
        });
      },
    ),
    { numRuns: runsOf(24) },
  );
});

test('what is not guessed is named: no unit, a wrong one, a second one, a row behind a hole', () => {
  const { profile, open } = profileOf(
    [
      'BO_ 1 A: 8 X',
      ' SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "" X',
      ' SG_ Battery_Current : 16|16@1- (0.1,0) [0|0] "V" X',
      ' SG_ Soc : 32|8@1+ (1,0) [0|0] "%" X',
      ' SG_ SocUser : 40|8@1+ (1,0) [0|0] "%" X',
      'BO_ 2 B: 8 X',
      ' SG_ Cell1 : 0|16@1+ (1,0) [0|0] "mV" X',
      ' SG_ Cell3 : 16|16@1+ (1,0) [0|0] "mV" X',
      '',
    ].join('\n'),
  );
  expect(profile.can).toMatchObject({
    messages: { A: { pack: { soc_pct: 'Soc' } }, B: {} },
    cells: { voltage_v: { signals: 'Cell{n}', first: 1 } },
  });
  expect(profile.cells.max).toBe(1);
  expect(open.slice(0, 5)).toEqual([
    'A.Voltage: likely voltage_v, but it has no unit',
    'A.Battery_Current: likely current_a, but V is no unit of it',
    'A.SocUser: a second soc_pct; the first one was taken',
    'B.Cell3: number 2 is missing before it',
    'no voltage of the pack was found',
  ]);
});

test('the command wants one file, and says what is wrong with it', () => {
  const none = { csv: undefined, dbc: undefined, id: undefined, code: undefined };
  expect(() => draftProfile(none)).toThrow('profiles draft needs either --csv FILE or --dbc FILE');
  expect(() => draftProfile({ ...none, csv: 'a.csv', code: '6' })).toThrow('--code: found "6", expected 3');
  expect(() => draftProfile({ ...none, csv: 'a.csv', id: 'A B' })).toThrow('--id: found "A B"');
  expect(() => draftProfile({ ...none, dbc: join(folder, 'none.dbc') })).toThrow('none.dbc cannot be read');
  const file = join(folder, 'Empty thing (v2).dbc');
  writeFileSync(file, 'no dbc');
  const { text, open } = draftProfile({ ...none, dbc: file });
  expect([text, open[0]]).toEqual(['', `${file}: found no message, expected a DBC file`]);
});
