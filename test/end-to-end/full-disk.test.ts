/**
 * A state directory that is full or read-only when the gateway starts: it serves, people log in, the status says that the
 * storage is down, and when there is room again all goes on by itself. On a real file system in memory, so root only.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SystemStatus } from '../../core/contract/http.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';

const CONFIG = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PASSWORD = 'a password for this test';

const run = (program: string, ...args: string[]) =>
  spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });

/** Whether this machine lets us mount one. */
function canMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'bms-mount-'));
  const is_mounted = run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place).status === 0;
  if (is_mounted) run('umount', place);
  rmSync(place, { recursive: true });
  return is_mounted;
}

let state_dir: string;
let gateway: GatewayProcess | undefined;

beforeEach(() => {
  state_dir = mkdtempSync(join(tmpdir(), 'bms-full-'));
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  run('umount', state_dir);
  rmSync(state_dir, { recursive: true, force: true });
});

async function start(): Promise<{ url: string; status: () => Promise<SystemStatus> }> {
  gateway = startGateway(['run', '--config', CONFIG], {
    BMS_STATE_DIR: state_dir,
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: PASSWORD,
    SIMULATION_INTERVAL: '1000',
  });
  const [, url] = (await gateway.waitFor(/"url":"(http[^"]+)"/)) as unknown as [string, string];
  const { get } = await logIn(url, 'admin', PASSWORD);
  return { url, status: () => get('/api/system/status') as Promise<SystemStatus> };
}

const storeOf = (status: SystemStatus) => status.components.find(({ name }) => name === 'store')!;

async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

function fill(): string {
  const file = join(state_dir, 'filler');
  for (let bytes = 1 << 20; bytes >= 4096; bytes /= 4) {
    for (;;) {
      if (statfsSync(state_dir).bavail * statfsSync(state_dir).bsize < bytes) break;
      writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    }
  }
  expect(statfsSync(state_dir).bavail).toBeLessThan(2);
  return file;
}

async function fillLog(): Promise<void> {
  expect(run('mount', '-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', state_dir).status).toBe(0);
  const { status } = await start();
  await until(status, now => (storeOf(now).counters.readings_committed ?? 0) > 300);
  expect((await gateway!.stop('SIGTERM')).code).toBe(0);
}

test.skipIf(!canMount())(
  'a full disk at the start: served, storage down, and all goes on when there is room (needs mount)',
  async () => {
    await fillLog();
    const filler = fill();
    const { status } = await start();
    const down = await until(status, now => (storeOf(now).counters.readings_appended ?? 0) > 300);
    expect(storeOf(down)).toMatchObject({
      state: 'down',
      reason: expect.stringContaining('is full'),
    });
    const { readings_appended } = storeOf(down).counters;
    rmSync(filler);
    const up = await until(status, now => storeOf(now).state === 'ok');
    const stored = await until(status, now => storeOf(now).counters.readings_committed! > readings_appended!);
    expect(storeOf(up).counters.readings_dropped).toBe(0);
    expect(storeOf(stored).counters.readings_dropped).toBe(0);
    expect((await gateway!.stop('SIGTERM')).code).toBe(0);
  },
);

test.skipIf(!canMount())(
  'a disk that stays full: the stop says how many readings are lost, and ends with code 1 (needs mount)',
  async () => {
    await fillLog();
    fill();
    const { status } = await start();
    await until(status, now => (storeOf(now).counters.readings_appended ?? 0) > 300);
    expect((await gateway!.stop('SIGTERM')).code).toBe(1);
    const [, lost] = /(\d+) readings that waited in memory could not be written and are lost/.exec(
      gateway!.output(),
    )!;
    expect(Number(lost)).toBeGreaterThan(300);
  },
);

test.skipIf(!canMount())(
  'a read-only disk at the start: served, storage down, and all goes on when it can be written (needs mount)',
  async () => {
    await fillLog();
    expect(run('mount', '-o', 'remount,ro', state_dir).status).toBe(0);
    const { status } = await start();
    const down = await until(status, now => (storeOf(now).counters.readings_appended ?? 0) > 300);
    expect(storeOf(down).state).toBe('down');
    expect(run('mount', '-o', 'remount,rw', state_dir).status).toBe(0);
    const up = await until(status, now => storeOf(now).state === 'ok');
    expect(storeOf(up).counters.readings_dropped).toBe(0);
  },
);

test.skipIf(!canMount())(
  'a new box on a full disk: served, storage down, and all goes on when there is room (needs mount)',
  async () => {
    expect(run('mount', '-t', 'tmpfs', '-o', 'size=90m', 'tmpfs', state_dir).status).toBe(0);
    const filler = fill();
    const { status } = await start();
    const down = await until(status, now => (storeOf(now).counters.readings_appended ?? 0) > 300);
    expect(storeOf(down)).toMatchObject({ state: 'down', reason: expect.stringContaining('cannot be') });
    rmSync(filler);
    const serving = /"msg":"serving"/g;
    const { pid } = gateway!;
    while ((gateway!.output().match(serving)?.length ?? 0) < 2)
      await new Promise(resolve => setTimeout(resolve, 200));
    expect(gateway!.output()).toContain('which could not be read at the start, is there again');
    expect(gateway!.pid).toBe(pid);
    const urls = [...gateway!.output().matchAll(/"url":"(http[^"]+)"/g)].map(([, url]) => url!);
    const { get } = await logIn(urls.at(-1)!, 'admin', PASSWORD);
    const again = () => get('/api/system/status') as Promise<SystemStatus>;
    const { readings_appended } = storeOf(down).counters;
    const up = await until(again, now => storeOf(now).counters.readings_committed! > 300);
    expect(storeOf(up)).toMatchObject({ state: 'ok', counters: { readings_dropped: 0 } });
    // With those that waited in memory.
    expect(storeOf(up).counters.durable_seq!).toBeGreaterThan(readings_appended! + 300);
    expect((await gateway!.stop('SIGTERM')).code).toBe(0);
  },
);

test.skipIf(!canMount())(
  'the demo on a full disk: served to who reads the password on the screen, and ends with code 1 (needs mount)',
  async () => {
    expect(run('mount', '-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', state_dir).status).toBe(0);
    fill();
    gateway = startGateway(['demo'], {
      BMS_STATE_DIR: state_dir,
      BMS_HTTP_PORT: '0',
      SIMULATION_INTERVAL: '1000',
    });
    await gateway.waitFor(/Stop\s+Ctrl-C/);
    const [, url] = await gateway.waitFor(/Dashboard\s+(http:\S+)/);
    const [, password] = await gateway.waitFor(/Login\s+admin \/ (\S+)/);
    const { get } = await logIn(url!, 'admin', password!);
    const status = () => get('/api/system/status') as Promise<SystemStatus>;
    const down = await until(status, now => (storeOf(now).counters.readings_appended ?? 0) > 300);
    expect(storeOf(down).state).toBe('down');
    expect((await gateway.stop('SIGINT')).code).toBe(1);
    expect(gateway.output()).toMatch(/\d+ readings that waited in memory could not be written and are lost/);
  },
);
