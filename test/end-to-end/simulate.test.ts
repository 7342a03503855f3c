/** `bms-gateway simulate` as a person starts it: what it says, what it refuses, how it ends. */
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';

let running: GatewayProcess | undefined;
afterEach(() => running?.stop('SIGKILL'));

const simulate = (...args: string[]) => {
  running = startGateway(['simulate', ...args], {});
  return running;
};

test('it says where the devices are, survives rubbish, and ends at Ctrl-C with its counts', async () => {
  const hardware = simulate(
    '--profile',
    'seplos-v3',
    '--packs',
    '2',
    '--listen',
    'tcp://127.0.0.1:0',
    '--listen',
    'rtu://127.0.0.1:0',
  );
  await hardware.waitFor(/Ctrl-C stops/);
  expect(hardware.output()).not.toContain('Open to other machines');
  const ports = [...hardware.output().matchAll(/(?:tcp|rtu):\/\/127\.0\.0\.1:(\d+)/g)].map(match =>
    Number(match[1]),
  );
  expect(ports).toHaveLength(2);
  for (const port of ports)
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(Buffer.alloc(3000, 0xa5)));
      socket
        .on('error', reject)
        .on('close', () => resolve())
        .resume();
      setTimeout(() => socket.destroy(), 500);
    });
  const { code } = await hardware.stop('SIGINT');
  expect(code).toBe(0);
  expect(hardware.output()).toMatch(/tcp:.*stray_bytes 3000/);
});

test('it says so when other machines can reach it, and stops by itself', async () => {
  const hardware = simulate('--profile', 'daly-d2', '--listen', 'tcp://0.0.0.0:0', '--seconds', '1');
  expect(await hardware.exited).toBe(0);
  expect(hardware.output()).toContain('Open to other machines on 0.0.0.0');
});
