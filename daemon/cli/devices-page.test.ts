/** docs/devices.md says what the profiles say, and so does `bms-gateway profiles`. */
import { expect, test } from 'vitest';
import { expectPage } from '../../core/testing/generated-page.ts';
import { bundledProfiles } from '../../drivers/profiles/every-profile.ts';
import { devicesReference, devicesTable, gradesTable } from './devices-page.ts';
import { explainProfile, listProfiles } from './profiles.ts';

const PAGE = new URL('../../docs/devices.md', import.meta.url);

/** The generated parts of the page, by the word that opens each. */
const PARTS = {
  grades: gradesTable(bundledProfiles),
  table: devicesTable(bundledProfiles),
  devices: devicesReference(bundledProfiles),
};

test('the page holds what the profiles say (UPDATE_DOCS=1 writes it again)', () => {
  const page = expectPage(PAGE, PARTS);
  for (const { id } of bundledProfiles) expect(page).toContain(`\n### ${id}\n`);
});

const known = new Map(bundledProfiles.map(profile => [profile.id, profile]));

test('the list names the grade of each', () => {
  const lines = listProfiles(known);
  expect(lines[0]).toMatch(/^profile +bus +cells +grade +device$/);
  for (const { id, grade } of bundledProfiles)
    expect(lines.find(line => line.startsWith(`${id} `))).toContain(` ${grade} `);
});

test('one profile: grade and what it means, wiring, what is read, settings, what goes wrong', () => {
  const text = explainProfile(known, 'eg4-ll').join('\n');
  expect(text).toMatch(/grade +silver: checked against frames recorded from real devices/);
  expect(text).toMatch(/wiring +RS485, 9600 baud 8N1/);
  expect(text).toMatch(/reads +Voltage, Current, .*of up to 16 cells: Cell voltage/);
  expect(text).toContain('\nsettings of the device\n  DIP switches');
  expect(text).toContain('\nwhat is known to go wrong\n  Firmware LL-V2');
});

test('who has read a device is named', () => {
  const hardware_reports = [{ by: 'A. Person', on: '2026-11-30', device: 'LL 48 V, Z02T11' }];
  const profile = { ...known.get('eg4-ll')!, hardware_reports };
  expect(explainProfile(new Map([['eg4-ll', profile]]), 'eg4-ll')).toContain(
    '  LL 48 V, Z02T11, by A. Person, 2026-11-30',
  );
  expect(devicesReference([profile])).toContain('  - LL 48 V, Z02T11, by A. Person, 2026-11-30\n');
});
