/** Command lines of `simulate` that cannot be: exit code 2, and what was found and expected. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { main } from './main.ts';

/** A site with profiles of its own, before it has a configuration. */
const OWN = `${mkdtempSync(join(tmpdir(), 'simulate-own-'))}/`;
cpSync(new URL('../../drivers/_blueprint/', import.meta.url), join(OWN, 'profiles'), { recursive: true });
afterAll(() => rmSync(OWN, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

test.each([
  [[], /needs --profile ID or --config FILE/],
  [['--profile', 'jk-can-v3', '--listen', 'vcan0'], /no profile "jk-can-v3"; there are .*jk-can-v2/],
  [['--profile', 'jk-can-v2'], /needs --listen with vcan0/],
  [['--profile', 'jk-can-v2', '--listen', 'tcp://127.0.0.1:0'], /is for Modbus, jk-can-v2 speaks CAN/],
  [['--profile', 'jk-can-v2', '--listen', 'here there'], /found "here there", expected vcan0/],
  [
    ['--profile', 'jk-can-v2', '--cells', '99', '--listen', 'vcan0'],
    /--cells: found 99, expected at most 32/,
  ],
  [['--profile', 'jk-can-v2', '--address', '99', '--listen', 'vcan0'], /--address: found 99/],
  [
    ['--profile', 'tesla-model-3', '--packs', '2', '--listen', 'vcan0'],
    /--packs: found 2, but devices of tesla-model-3 have no address/,
  ],
  [['--profile', 'jk-can-v2', '--option', 'x=1', '--listen', 'vcan0'], /--option x=1: jk-can-v2 has/],
  [
    ['--profile', 'jk-can-v2', '--fault', 'weak_cell:pack-7:1', '--listen', 'vcan0'],
    /--fault: found unknown pack "pack-7"/,
  ],
  [['--profile', 'jk-can-v2', '--load', 'wind', '--listen', 'vcan0'], /--load: found "wind"/],
  [['--profile', 'jk-can-v2', '--time-scale', 'abc', '--listen', 'vcan0'], /--time-scale: found "abc"/],
  [
    ['--config', `${OWN}config.yaml`, '--profile', 'acme-can', '--cells', '99', '--listen', 'vcan0'],
    /--cells: found 99, expected at most 16/,
  ],
] as const)('wrong: %j', async (args, message) => {
  let output = '';
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    output += text;
    return true;
  });
  expect(await main(['simulate', ...args], {})).toBe(2);
  expect(output).toMatch(message);
});
