/**
 * Modbus: how much of a serial line's time the driver uses with 16 units on it (the line is a pty whose far
 * end keeps the pace of the baud rate), and reads per second over TCP beside a plain libmodbus loop, where
 * the machine has a C compiler and libmodbus.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../core/clock/system-clock.ts';
import { silentLogger } from '../core/log.ts';
import { encodeMbap } from '../drivers/modbus/mbap.ts';
import { createModbusDriver } from '../drivers/modbus/modbus-driver.ts';
import { ModbusLink } from '../drivers/modbus/modbus-link.ts';
import { RegisterImage } from '../drivers/modbus/register-image.ts';
import { VirtualModbusHub } from '../drivers/modbus/virtual-link.ts';
import { wireOf } from '../drivers/modbus/wires.ts';
import { shapeOf } from '../drivers/profiles/load.ts';
import type { Profile } from '../drivers/profiles/profile.ts';
import { perSecond, ratio } from './rate.ts';

const UNITS = 16;
const REGISTERS = 60;
const READS = 20_000;
const ROUNDS = 8;
const GOAL_SHARE = 0.9;
const PYTHON = '/usr/bin/python3';

export async function benchModbus(): Promise<string[]> {
  const lines: string[] = [];
  if (process.platform === 'linux' && existsSync(PYTHON)) {
    for (const baud of [9600, 115_200]) lines.push((await lineShare(baud)).text);
    lines.push(await costOfDeadUnit(115_200));
  } else {
    lines.push(`line share: left out, needs Linux and ${PYTHON}`);
  }
  return [...lines, ...(await tcpReads())];
}

const PROFILE: Profile = {
  id: 'bench',
  title: 'Bench',
  vendor: 'Bench',
  models: [],
  source: 'Bench',
  transport: 'modbus',
  cells: { max: REGISTERS },
  directory: '',
  registers: {
    blocks: { cells: { code: 3, first: 0, last: REGISTERS - 1 } },
    pack: {},
    cells: { voltage_v: { block: 'cells', at: 0, count: REGISTERS, scale: 0.001 } },
  },
};

/** Reads per second of 16 units, and of the same with a seventeenth that never answers, in turns. */
async function costOfDeadUnit(baud_rate: number): Promise<string> {
  const settled_ms = 12_000;
  const alone = await lineShare(baud_rate, { settled_ms });
  const beside = await lineShare(baud_rate, { settled_ms, dead: [UNITS + 1] });
  return (
    `${baud_rate} baud, ${UNITS} units beside a dead one: ${perSecond(beside.rate, 'reads')}, ` +
    `without it ${perSecond(alone.rate, 'reads')}; ${ratio(beside.rate, alone.rate, 0.98)}`
  );
}

/** Share of the line's time that carries frames or the silence the standard demands between them. */
async function lineShare(
  baud_rate: number,
  { dead = [], settled_ms = 0 }: { dead?: readonly number[]; settled_ms?: number } = {},
): Promise<{ text: string; rate: number }> {
  const words = Array.from({ length: REGISTERS }, (_, i) => 3300 + i);
  const alive = Array.from({ length: UNITS }, (_, i) => i + 1);
  const ids = [...alive, ...dead];
  const units = alive.map(id => ({ id, reply_id: id, blocks: [{ code: 3, address: 0, words }] }));
  const program = new URL('../drivers/modbus/rtu/serial_player.py', import.meta.url).pathname;
  const player = spawn(PYTHON, [program, JSON.stringify({ units, baud: baud_rate })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(createInterface(player.stdout), 'line');
  const bindings = ids.map((address, pack) => ({
    pack,
    pack_id: `pack-${pack}`,
    profile: PROFILE,
    address,
    shape: shapeOf(PROFILE, REGISTERS),
    options: {},
    sensor_of_cell: undefined,
  }));
  const context = {
    clock: systemClock,
    log: silentLogger,
    interval_ms: 10,
    onUpdate: () => {},
    onLink: () => {},
  };
  const connection = { id: 'line', type: 'modbus-rtu', port: String(port), baud_rate } as const;
  const driver = createModbusDriver(connection, bindings, context, new VirtualModbusHub());
  try {
    await driver.start();
    while (driver.health().counters.replies < UNITS) await new Promise(resolve => setTimeout(resolve, 10));
    await new Promise(resolve => setTimeout(resolve, settled_ms));
    const begin = driver.health().counters;
    let rate = 0;
    for (const window_ms of baud_rate < 50_000 ? [8000] : [2500, 2500, 2500, 2500]) {
      const before = driver.health().counters.replies;
      const begun_ms = performance.now();
      await new Promise(resolve => setTimeout(resolve, window_ms));
      const exchanges = driver.health().counters.replies - before;
      rate = Math.max(rate, (exchanges * 1000) / (performance.now() - begun_ms));
    }
    const end = driver.health().counters;
    const frame_ms = ((8 + 5 + 2 * REGISTERS) * 10_000) / baud_rate;
    const silence_ms = Math.max(1.75, (3.5 * 11 * 1000) / baud_rate);
    const share = (rate * (frame_ms + silence_ms)) / 1000;
    const lost = end.timeouts + end.bad_replies - begin.timeouts - begin.bad_replies;
    const text = `${baud_rate} baud, ${UNITS} units: ${perSecond(rate, 'reads')}, ${lost} lost; ${ratio(share, 1, GOAL_SHARE)} of the line's time`;
    return { text, rate };
  } finally {
    await driver.stop();
    player.kill();
  }
}

/** A server and a client of libmodbus, each as plain as can be. */
const C_SOURCE = `
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
  modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(argv[2]));
  if (!strcmp(argv[1], "serve")) {
    modbus_mapping_t *map = modbus_mapping_new(0, 0, 125, 0);
    int listener = modbus_tcp_listen(ctx, 4);
    puts("ready");
    fflush(stdout);
    for (;;) {
      unsigned char query[MODBUS_TCP_MAX_ADU_LENGTH];
      int n;
      if (modbus_tcp_accept(ctx, &listener) < 0) return 1;
      while ((n = modbus_receive(ctx, query)) >= 0) if (n > 0) modbus_reply(ctx, query, n, map);
      modbus_close(ctx);
    }
  }
  int count = atoi(argv[3]);
  unsigned short words[125];
  struct timespec a, b;
  if (modbus_connect(ctx)) return 1;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int i = 0; i < count; i++) if (modbus_read_registers(ctx, 0, ${REGISTERS}, words) < 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("%f\\n", count / ((b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9));
  return 0;
}
`;

/** The compiled program, or undefined where the machine cannot build it. */
function buildLibmodbus(folder: string): string | undefined {
  const program = join(folder, 'libmodbus-loop');
  const paths = ['-I/usr/include/modbus', '-x', 'c', '-', '-O2', '-o', program, '-lmodbus'];
  try {
    execFileSync('cc', paths, { input: C_SOURCE, stdio: ['pipe', 'ignore', 'ignore'] });
    return program;
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

async function tcpReads(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-modbus-'));
  const program = buildLibmodbus(folder);
  const port = await freePort();
  let server: ChildProcess | Server | undefined;
  try {
    if (!program) {
      server = await ownServer(port);
      const own = await ownReads(port);
      return [
        `TCP     ${perSecond(own, 'reads')} of ${REGISTERS} registers, server in this process`,
        NO_LIBMODBUS,
      ];
    }
    const child = spawn(program, ['serve', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
    server = child;
    await once(createInterface(child.stdout), 'line');
    // In turns, because these machines grow faster and slower by the second; the best round of each counts.
    let [plain, best, socket] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      const loop = execFileSync(program, ['read', String(port), String(READS)]);
      plain = Math.max(plain, Number(loop));
      best = Math.max(best, await ownReads(port));
      socket = Math.max(socket, await rawReads(port));
    }
    return [
      `TCP     ${perSecond(best, 'reads')} of ${REGISTERS} registers, one in flight`,
      `socket  ${perSecond(socket, 'reads')} by the same bytes on a bare socket of Node; ${ratio(best, socket, 0.5)}`,
      `libmodbus ${perSecond(plain, 'reads')} in C, same server; ${ratio(best, plain, 1)}`,
    ];
  } finally {
    if (server && 'kill' in server) server.kill();
    else server?.close();
    rmSync(folder, { recursive: true });
  }
}

const NO_LIBMODBUS = 'libmodbus: left out, needs a C compiler and Debian package libmodbus-dev';

async function ownServer(port: number): Promise<Server> {
  const hub = new VirtualModbusHub();
  const image = new RegisterImage({ address: 0, registers: new Uint16Array(125) });
  hub.attach('bench', 255, pdu => image.answer(pdu));
  const server = createServer({ noDelay: true }, socket => hub.serve('bench', socket)).listen(
    port,
    '127.0.0.1',
  );
  await once(server, 'listening');
  return server;
}

/** What a socket of Node can do: one request after the other, replies not looked at. */
async function rawReads(port: number): Promise<number> {
  const request = encodeMbap(1, 255, Uint8Array.of(3, 0, 0, 0, REGISTERS));
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const begun_ms = performance.now();
  await new Promise<void>(resolve => {
    let replies = 0;
    socket.on('data', () => (++replies >= READS ? resolve() : socket.write(request)));
    socket.write(request);
  });
  socket.destroy();
  return READS / ((performance.now() - begun_ms) / 1000);
}

async function ownReads(port: number): Promise<number> {
  const wire = wireOf({ id: 'bench', type: 'modbus-tcp', host: '127.0.0.1', port }, new VirtualModbusHub());
  const options = { wire, clock: systemClock, timeout_ms: 1000, gap_ms: 0, max_jobs: 2, onState: () => {} };
  const link = new ModbusLink(options);
  link.start();
  const words = new Uint16Array(REGISTERS);
  try {
    return await new Promise<number>((resolve, reject) => {
      link.run(async () => {
        const begun_ms = performance.now();
        for (let i = 0; i < READS; i++) {
          const failure = await link.read({ unit: 255, code: 3, address: 0, count: REGISTERS }, words);
          if (failure) reject(new Error(failure.message));
        }
        resolve(READS / ((performance.now() - begun_ms) / 1000));
      });
    });
  } finally {
    await link.stop();
  }
}
