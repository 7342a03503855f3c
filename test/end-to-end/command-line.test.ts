/** The command line beside the daemon: profiles, decode, and what it says when it is misused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway } from '../support/gateway-process.ts';

let directory: string;
let log_file: string;
let dbc_file: string;

/** Frames of a JK unit at address 0: 53.0 V, discharge 15.3 A, SoC 62 %, cells 1 to 4. */
const LOG = `(1700000000.000000) can0 2F4#12024F0F3E000000
(1700000000.010000) can0 18E028F4#E50CE60CE70CE80C
not a line
(1700000000.020000) can0 7FF#00
`;
const DBC = `VERSION ""
BO_ 756 Pack: 8 Vector__XXX
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" Vector__XXX
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bms-cli-'));
  log_file = join(directory, 'bus.log');
  dbc_file = join(directory, 'pack.dbc');
  await writeFile(log_file, LOG);
  await writeFile(dbc_file, DBC);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function bmsGateway(...args: string[]): Promise<{ code: number | null; output: string }> {
  const program = startGateway(args, {});
  const code = await program.exited;
  return { code, output: program.output() };
}

test('profiles lists what can be read and explains one', async () => {
  const list = await bmsGateway('profiles');
  expect(list).toMatchObject({ code: 0 });
  expect(list.output).toMatch(/^jk-can-v2 +can +up to 32 +bronze +JK/m);
  const one = await bmsGateway('profiles', 'jk-can-v2');
  expect(one.output).toMatch(/positive_current_is: charge \| discharge \(default charge\)/);
  const none = await bmsGateway('profiles', 'jk-can-v3');
  expect(none).toMatchObject({
    code: 2,
    output: expect.stringContaining('no profile "jk-can-v3"; there are'),
  });
});

test('decode by profile says what the driver makes of a log', async () => {
  const { code, output } = await bmsGateway('decode', log_file, '--profile', 'jk-can-v2', '--cells', '4');
  expect(code).toBe(0);
  // Of a pack of sixteen, as it says itself: four cells do not add up to it.
  expect(output).toMatch(/^voltage_v +53\.00 V \(suspect\)$/m);
  expect(output).toMatch(/^pack: cells add up to 13\.2 V, the pack says 53\.0 V$/m);
  expect(output).toMatch(/^current_a +-8\.10 A \(suspect\)$/m);
  expect(output).toMatch(/^soc_pct +62\.00 %$/m);
  expect(output).toMatch(/^cell 4 voltage_v +3\.3040 V$/m);
  expect(output).toMatch(/unknown_ids 1.*unreadable_lines 1/);
});

test('decode by DBC prints each frame as the file names it', async () => {
  const { code, output } = await bmsGateway('decode', log_file, '--dbc', dbc_file);
  expect(code).toBe(0);
  expect(output).toContain('(1700000000.000000) can0 2F4 Pack Voltage=53V');
  expect(output).toContain('1 frames decoded, 2 of unknown ids, 1 lines unreadable');
});

test('misuse is reported in one line and exit code 2; what cannot be read in one line and exit code 1', async () => {
  for (const args of [
    ['frobnicate'],
    ['decode', log_file],
    ['decode', log_file, '--profile', 'jk-can-v2', '--cells', 'ten'],
    ['decode', log_file, '--profile', 'jk-can-v2', '--option', 'sign=left'],
    ['run', '--no-such-flag'],
  ]) {
    const { code, output } = await bmsGateway(...args);
    expect(output, args.join(' ')).toMatch(/^bms-gateway: .+\n$/);
    expect(code, args.join(' ')).toBe(2);
  }
  for (const files of [
    [join(directory, 'none'), '--dbc', dbc_file],
    [log_file, '--dbc', join(directory, 'none')],
  ]) {
    expect(await bmsGateway('decode', ...files)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^bms-gateway: .*none cannot be read: .*\n$/),
    });
  }
});

test('a .env file in the working directory is read, and the environment wins over it', async () => {
  await writeFile(join(directory, '.env'), 'BMS_HTTP_PORT=many\n');
  const wrong = startGateway(['profiles'], {}, directory);
  expect(await wrong.exited).toBe(2);
  expect(wrong.output()).toContain('BMS_HTTP_PORT: found "many", expected a whole number from 0 to 65535');
  const overruled = startGateway(['profiles'], { BMS_HTTP_PORT: '8081' }, directory);
  expect(await overruled.exited).toBe(0);
});
