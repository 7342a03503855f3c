/** What `check-config` prints: problems, or what the file describes, never a password. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkConfig } from './check.ts';

const folder = mkdtempSync(join(tmpdir(), 'check-'));
afterAll(() => rmSync(folder, { recursive: true }));

function check(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  const { ok, lines } = checkConfig(file, { BMS_STATE_DIR: '/state', ...env });
  return { ok, lines: lines.map(line => line.replaceAll(`${folder}/`, '')) };
}

const SITE = `site: { id: home, name: At home }
connections: [{ id: bus, type: virtual-can }]
batteries: [{ id: b1, packs: [{ id: p1, connection: bus, profile: jk-can-v2, cells: 16 }] }]
`;

test('a good file is described, with warnings', () => {
  const env = { DATABASE_URL: 'postgres://gateway:hunter2@db.example:5433/bms?sslmode=require' };
  const { ok, lines } = check(SITE, env);
  expect(ok).toBe(true);
  expect(lines).toEqual([
    'config.yaml is fine',
    'site         At home (home), gateway home',
    'fleet        1 battery, 1 pack, 16 cells, read every 2000 ms',
    'connections  1 CAN, 0 Modbus',
    expect.stringMatching(/^alerts {7}\d+ rules; a pack is silent after 15000 ms$/),
    'notify       nobody',
    'storage      /state, 30 days, 4 GB',
    'upstream     PostgreSQL at db.example:5433, database bms',
    'dashboard    http://127.0.0.1:8080',
    expect.stringMatching(
      /^warning: config\.yaml:2:32 connections\[0\]\.type: found virtual-can without a simulation/,
    ),
  ]);
  expect(lines.join()).not.toContain('hunter2');
});

const PROFILE = `id: slow
title: Slow
vendor: Acme
models: [Slow]
source: Acme
transport: modbus
address: { min: 1, max: 200, default: 1 }
cells: { max: 30 }
registers:
  blocks: { all: { code: 3, first: 0, last: 39 } }
  pack: { voltage_v: { block: all, at: 0, scale: 0.01 } }
  cells: { voltage_v: { block: all, at: 10, count: 30, scale: 0.001 } }`;

const LINE = `site: { id: home, name: At home }
connections: [{ id: line, type: modbus-rtu, port: /dev/ttyUSB0, baud_rate: 9600 }]
batteries: [{ id: b1, packs: [{ id: 'p{01..15}', connection: line, profile: jk-pb-modbus, address: 1..15, cells: 16 }] }]
`;

test('a line that cannot carry a round within the interval is a warning, with an interval that would fit', () => {
  const slow = check(LINE);
  expect(slow.ok).toBe(true);
  expect(slow.lines.at(-1)).toMatch(
    /^warning: config\.yaml:2:15 connections\[0\]: found 15 units on line, whose round of \d+ requests takes about \d+(\.\d)? s at 9600 baud, each answered after 10 ms, expected a round within the interval of 2 s; interval_ms \d+ would fit$/,
  );
  expect(check(`${LINE}interval_ms: 60000\n`).lines.join()).not.toContain('warning');
  expect(
    check(LINE.replace('9600', '115200').replace('{01..15}', '{1..2}').replace('1..15', '1..2')).lines.join(),
  ).not.toContain('warning');
  const gaps = LINE.replace('baud_rate: 9600', 'baud_rate: 115200, gap_ms: 100');
  expect(check(gaps).lines.at(-1)).toContain('with pauses of 100 ms');
});

test('how long devices take to answer counts: as is typical, or as the profile says', () => {
  // One request of 40 registers: some 10 ms on the line.
  const line = (units: number, answer_ms?: number) => {
    mkdirSync(join(folder, 'profiles'), { recursive: true });
    const said = answer_ms === undefined ? '' : `\n  answer_ms: ${answer_ms}`;
    writeFileSync(join(folder, 'profiles', 'slow.yaml'), `${PROFILE}${said}\n`);
    const site = `site: { id: home, name: At home }
connections: [{ id: line, type: modbus-rtu, port: /dev/ttyUSB0, baud_rate: 115200 }]
batteries: [{ id: b1, packs: [{ id: 'p{01..${units}}', connection: line, profile: slow, address: 1..${units}, cells: 16 }] }]
interval_ms: 1000
`;
    return check(site).lines.join();
  };
  expect(line(30)).not.toContain('warning');
  expect(line(70)).toContain('70 units on line, whose round of 70 requests takes about');
  expect(line(30, 40)).toContain('at 115200 baud, each answered after 40 ms, expected a round within');
  expect(line(70, 2)).not.toContain('warning');
  rmSync(join(folder, 'profiles'), { recursive: true });
});

test('a wrong file is a line for each problem', () => {
  expect(check(SITE.replace('cells: 16', 'cells: 5000').replace('virtual-can', 'virtual-bus'))).toEqual({
    ok: false,
    lines: [
      expect.stringMatching(
        /^config\.yaml:2:32 connections\[0\]\.type: found "virtual-bus", expected one of .*virtual-can, .*; did you mean "virtual-can"\?$/,
      ),
      'config.yaml:3:85 batteries[0].packs[0].cells: found 5000, expected a whole number from 0 to 4096',
    ],
  });
});

test('so is a wrong environment, and a file that is not there', () => {
  expect(check(SITE, { BMS_HTTP_PORT: '-1' })).toEqual({
    ok: false,
    lines: ['environment BMS_HTTP_PORT: found "-1", expected a whole number from 0 to 65535'],
  });
  const { ok, lines } = checkConfig(join(folder, 'absent.yaml'), {});
  expect([ok, lines]).toEqual([false, [expect.stringContaining('absent.yaml: found no such file')]]);
});
