/** What `check-config` prints: problems, or what the file describes, never a password. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    'storage      /state, 30 days, 4 GB',
    'upstream     PostgreSQL at db.example:5433, database bms',
    'dashboard    http://127.0.0.1:8080',
    expect.stringMatching(
      /^warning: config\.yaml:2:32 connections\[0\]\.type: found virtual-can without a simulation/,
    ),
  ]);
  expect(lines.join()).not.toContain('hunter2');
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
  expect([ok, lines]).toEqual([false, [expect.stringContaining('absent.yaml: cannot be read: ENOENT')]]);
});
