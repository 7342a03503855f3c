/** The notifier against a real unix datagram socket, in the place where systemd's would be. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import { createNotifier } from './notify.ts';

/** Stands in systemd's place: a unix datagram socket that prints each message as a JSON string. */
const RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('"bound"', flush=True)
while True:
    text = s.recv(4096).decode()
    if not text.startswith('BARRIER'):
        print(json.dumps(text), flush=True)
`;

let receiver: ChildProcess | undefined;
let directory: string | undefined;

async function systemdSocket(): Promise<{ path: string; next: () => Promise<string> }> {
  directory = mkdtempSync(join(tmpdir(), 'notify-'));
  const path = join(directory, 'socket');
  const child = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  receiver = child;
  const lines = createInterface({ input: child.stdout });
  const messages = lines[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await messages.next()).value ?? 'null');
  expect(await next()).toBe('bound');
  return { path, next };
}

afterEach(async () => {
  if (receiver?.exitCode === null) {
    receiver.kill('SIGKILL');
    await once(receiver, 'exit');
  }
  if (directory) rmSync(directory, { recursive: true });
  receiver = directory = undefined;
});

function recordingLogger(): { log: Logger; warnings: string[]; errors: string[] } {
  const warnings: string[] = [];
  const errors: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (_, message) => warnings.push(message),
    error: (_, message) => errors.push(message),
  };
  return { log, warnings, errors };
}

test('reports readiness with a one-line status, later statuses and stopping', async () => {
  const { path, next } = await systemdSocket();
  const env = { PATH: process.env.PATH, NOTIFY_SOCKET: path };
  const notifier = createNotifier(env, new ManualClock(), silentLogger);

  await notifier.ready('100 packs\non 2 connections');
  expect((await next()).split('\n')).toEqual(['READY=1', 'STATUS=100 packs on 2 connections']);

  notifier.status('first');
  notifier.status('overtaken');
  notifier.status('last');
  expect(await next()).toBe('STATUS=first');
  expect(await next()).toBe('STATUS=last');

  await notifier.stopping();
  expect(await next()).toBe('STOPPING=1');
  expect(notifier.failures).toBe(0);
  notifier.close();
});

test('beats at half the watchdog time, and only while healthy', async () => {
  const { path, next } = await systemdSocket();
  const clock = new ManualClock();
  const { log, errors } = recordingLogger();
  const env = { PATH: process.env.PATH, NOTIFY_SOCKET: path, WATCHDOG_USEC: '30000000' };
  const notifier = createNotifier(env, clock, log);
  let healthy = true;

  notifier.startWatchdog(() => healthy);
  expect(await next()).toBe('WATCHDOG=1');
  await vi.waitUntil(() => clock.pendingTimers === 1);
  clock.advance(14_999);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(1);
  expect(await next()).toBe('WATCHDOG=1');
  await vi.waitUntil(() => clock.pendingTimers === 1);

  healthy = false;
  clock.advance(60_000);
  await notifier.ready('nothing in between');
  expect(await next()).toMatch(/^READY=1/);
  expect(errors).toHaveLength(1);

  notifier.close();
  notifier.close();
  expect(clock.pendingTimers).toBe(0);
});

test('a socket that nobody reads is counted, logged once and never thrown', async () => {
  const { log, warnings } = recordingLogger();
  const env = { PATH: process.env.PATH, NOTIFY_SOCKET: '/nonexistent/notify' };
  const notifier = createNotifier(env, new ManualClock(), log);
  await notifier.ready('up');
  await notifier.stopping();
  expect(notifier.failures).toBe(2);
  expect(warnings).toHaveLength(1);
});

test('a missing systemd-notify is counted in the same way', async () => {
  const notifier = createNotifier(
    { PATH: '/nonexistent', NOTIFY_SOCKET: '/nonexistent/notify' },
    new ManualClock(),
    silentLogger,
  );
  await notifier.ready('up');
  expect(notifier.failures).toBe(1);
});

test('outside systemd nothing is started', async () => {
  const clock = new ManualClock();
  const notifier = createNotifier({ WATCHDOG_USEC: '30000000' }, clock, silentLogger);
  await notifier.ready('up');
  notifier.startWatchdog(() => true);
  expect(clock.pendingTimers).toBe(0);
  expect(notifier.failures).toBe(0);
});
