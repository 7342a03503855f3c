/** `bms-gateway scan` as a person runs it: on a log, on a Modbus link, on nothing. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatCanId } from '../../drivers/can/can-bus.ts';
import { createUnitImage } from '../../drivers/modbus/unit-image.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import { candidateBinding } from '../../drivers/scan/candidate.ts';
import { healthyReading, trafficOf } from '../../drivers/scan/testing/scan.ts';
import { startGateway } from '../support/gateway-process.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bms-scan-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function binding(id: string, address: number) {
  const profile = loadProfiles().profiles.get(id);
  if (!profile) throw new Error(`no profile ${id}`);
  return candidateBinding(profile, address, 16);
}

async function bmsGateway(...args: string[]): Promise<{ code: number | null; output: string }> {
  const program = startGateway(args, {});
  const code = await program.exited;
  return { code, output: program.output() };
}

async function jkLog(): Promise<string> {
  const lines: string[] = [];
  for (const { id, extended, frames } of trafficOf([binding('jk-can-v2', 2)]).ids)
    for (const { t_ms, data } of frames) {
      const hex = Buffer.from(data).toString('hex').toUpperCase();
      lines.push(`(${(1_700_000_000 + t_ms / 1000).toFixed(6)}) can0 ${formatCanId(id, extended)}#${hex}`);
    }
  const file = join(directory, 'jk.log');
  await writeFile(file, `${lines.join('\n')}\nnot a line\n`);
  return file;
}

test('a log is known, and the configuration it prints passes check-config', async () => {
  const file = await jkLog();
  const { code, output } = await bmsGateway('scan', file);
  expect(code, output).toBe(0);
  expect(output).toMatch(/^received \d+ frames of \d+ ids, 1 lines unreadable$/m);
  expect(output).toMatch(/^jk-can-v2 +2 +\d+ % +JK/m);
  expect(output).toMatch(/for +ids \d+ of \d+ received, 16 cells good 3\.30-3\.31 V, pack 52\.9 V/);
  const config = join(directory, 'config.yaml');
  await writeFile(config, output.slice(output.indexOf('# Found by scanning')));
  expect(await bmsGateway('check-config', config)).toMatchObject({
    code: 0,
    output: expect.stringContaining('1 battery, 1 pack, 16 cells'),
  });
});

test('--json says the same for programs', async () => {
  const { code, output } = await bmsGateway('scan', await jkLog(), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({
    received: { unreadable_lines: 1, ids: expect.arrayContaining([expect.objectContaining({ id: '2F6' })]) },
    findings: [{ profile: 'jk-can-v2', address: 2, cells: 16 }],
    configuration: expect.stringContaining('profile: jk-can-v2'),
  });
});

test('a log of something else: what was received, what to try, exit code 1', async () => {
  const file = join(directory, 'other.log');
  await writeFile(file, '(1.0) can0 123#0102\n(1.1) can0 123#0102\n');
  const { code, output } = await bmsGateway('scan', file);
  expect(code).toBe(1);
  expect(output).toContain('ids: 123 (2, every 100 ms)');
  expect(output).toContain('no profile fits; what to try:');
});

test('a unit on Modbus TCP is known by its profile', async () => {
  const hub = new VirtualModbusHub();
  const unit = binding('sunspec-battery', 1);
  const { image, write } = createUnitImage(unit);
  write(healthyReading(unit));
  hub.attach('served', 1, pdu => image.answer(pdu));
  const server = createServer(socket => hub.serve('served', socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const target = `tcp://127.0.0.1:${port}`;
  try {
    const { code, output } = await bmsGateway('scan', target, '--profile', 'sunspec-battery');
    expect(code, output).toBe(0);
    expect(output).toContain('1 of 4: sunspec-battery at unit 1');
    expect(output).toContain('units that answered: 1');
    expect(output).toMatch(/^sunspec-battery +1 +\d+ %/m);
    expect(output).toMatch(/type: modbus-tcp/);
  } finally {
    server.close();
  }
  expect(await bmsGateway('scan', target)).toMatchObject({
    code: 1,
    output: expect.stringMatching(/^bms-gateway: cannot connect to 127\.0\.0\.1:\d+: .*\n$/),
  });
});

test('an interface that is not there is one line and exit code 1; misuse is exit code 2', async () => {
  const absent = await bmsGateway('scan', 'nocan9', '--seconds', '1');
  expect(absent.code).toBe(1);
  expect(absent.output).toMatch(/^listening to nocan9 for 1 s\nbms-gateway: .+\n$/);
  for (const args of [['scan'], ['scan', 'can0', '--seconds', 'long'], ['scan', 'can0', '--units', 'all']]) {
    const { code, output } = await bmsGateway(...args);
    expect(output, args.join(' ')).toMatch(/^bms-gateway: .+\n$/);
    expect(code, args.join(' ')).toBe(2);
  }
});
