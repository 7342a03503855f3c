/** What is made of the machine's answers: real commands in a folder of their own, real files in another. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { createTimeSource } from './time-source.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const clock = new ManualClock(NOW_MS);
let root: string;
beforeEach(() => {
  root = `${mkdtempSync(join(tmpdir(), 'time-source-'))}/`;
  file('proc/sys/kernel/random/boot_id', 'the-boot\n');
});
afterEach(() => rmSync(root, { recursive: true }));

function file(name: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text, { mode });
}

const command = (name: string, script: string) => file(`bin/${name}`, `#!/bin/sh\n${script}\n`, 0o755);
const source = () => createTimeSource({ clock, platform: 'linux', root, path: `${root}bin` });

function mark(age_ms: number): void {
  const name = 'run/systemd/timesync/synchronized';
  file(name, '');
  utimesSync(join(root, name), (NOW_MS - age_ms) / 1000, (NOW_MS - age_ms) / 1000);
}

test.each([
  ['yes', 'yes', { synchronised: true, has_time_service: true }],
  ['yes', 'no', { synchronised: false, has_time_service: true }],
  ['no', 'no', { synchronised: false, has_time_service: false }],
])('timedatectl: NTP %s, synchronised %s', async (service, synchronised, facts) => {
  command('timedatectl', `echo NTP=${service}; echo NTPSynchronized=${synchronised}`);
  command('chronyc', 'echo never asked >&2; exit 1');
  mark(0);
  expect(await source().facts()).toEqual({ ...facts, hardware_agrees: undefined });
});

test.each([
  ['fails', 'echo "Failed to connect to bus" >&2; exit 1'],
  ['says something else', 'echo Unknown=yes'],
])('where timedatectl %s, a fresh mark of timesyncd counts', async (_, script) => {
  command('timedatectl', script);
  mark(60_000);
  expect(await source().facts()).toMatchObject({ synchronised: true });
  mark(3 * 3_600_000);
  expect(await source().facts()).toMatchObject({ synchronised: false, has_time_service: true });
  mark(-3_600_000);
  expect(await source().facts()).toMatchObject({ synchronised: false });
});

test.each([
  ['Normal', true],
  ['Not synchronised', false],
])('chrony says %s', async (leap, synchronised) => {
  command(
    'chronyc',
    `[ "$1 $2" = "-c tracking" ] && echo "C0A80001,192.168.0.1,3,1,2,3,4,5,6,7,8,9,10,${leap}"`,
  );
  expect(await source().facts()).toMatchObject({ synchronised, has_time_service: true });
});

test('nobody to ask: nothing is known', async () => {
  const { boot_id, boot_offset_ms, facts } = source();
  expect([boot_id, Number.isInteger(boot_offset_ms)]).toEqual(['the-boot', true]);
  expect(await facts()).toEqual({ hardware_agrees: undefined });
  const elsewhere = createTimeSource({ clock, platform: 'darwin' });
  expect(await elsewhere.facts()).toEqual({});
  expect(elsewhere.boot_id).not.toBe(createTimeSource({ clock, platform: 'darwin' }).boot_id);
});

test.each([
  [0, true],
  [45, true],
  [90, false],
  [-3600, false],
])('a battery-backed clock that is %d s ahead', async (ahead_s, hardware_agrees) => {
  file('sys/class/rtc/rtc0/since_epoch', `${NOW_MS / 1000 + ahead_s}\n`);
  expect(await source().facts()).toEqual({ hardware_agrees });
});
