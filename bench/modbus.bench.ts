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
import { wireOf } from '../drivers/modbus/open-wire.ts';
import { RegisterImage } from '../drivers/modbus/register-image.ts';
import { VirtualModbusHub } from '../drivers/modbus/virtual-link.ts';
import type { Profile } from '../drivers/profiles/profile.ts';
import { shapeOf } from '../drivers/profiles/shape.ts';
import { perSecond, ratio } from './rate.ts';

const UNITS = 16;
const REGISTERS = 60;
const READS = 20_000;
const ROUNDS = 8;
const GOAL_SHARE = 0.9;
/** Requests in flight where a device takes several, and TCP devices of a site. */
const IN_FLIGHT = 4;
const DEVICES = 8;
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
  const program = new URL('../test/serial/serial_player.py', import.meta.url).pathname;
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

/** A server and a client of libmodbus, each as plain as can be: the client asks its servers one after the other. */
const C_SOURCE = `
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
  if (!strcmp(argv[1], "serve")) {
    modbus_t *ctx = modbus_new_tcp("127.0.0.1", atoi(argv[2]));
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
  int count = atoi(argv[2]), devices = argc - 3;
  modbus_t *device[${DEVICES}];
  unsigned short words[125];
  struct timespec a, b;
  for (int i = 0; i < devices; i++) {
    device[i] = modbus_new_tcp("127.0.0.1", atoi(argv[3 + i]));
    if (modbus_connect(device[i])) return 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (int i = 0; i < count; i++)
    if (modbus_read_registers(device[i % devices], 0, ${REGISTERS}, words) < 0) return 1;
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
  const servers: ChildProcess[] = [];
  try {
    if (!program) return await readsOfOwnServer();
    const ports: number[] = [];
    for (let device = 0; device < DEVICES; device++) {
      const port = await freePort();
      const child = spawn(program, ['serve', String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
      servers.push(child);
      await once(createInterface(child.stdout), 'line');
      ports.push(port);
    }
    const [port] = ports;
    const loop = (...of: number[]) =>
      Number(execFileSync(program, ['read', String(READS), ...of.map(String)]));
    // In turns, because these machines grow faster and slower by the second; the best round of each counts.
    const best = { plain: 0, one: 0, socket: 0, several: 0, plain_site: 0, site: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      best.plain = Math.max(best.plain, loop(port));
      best.one = Math.max(best.one, await ownReads([port], 1));
      best.socket = Math.max(best.socket, await rawReads(port));
      best.several = Math.max(best.several, await ownReads([port], IN_FLIGHT));
      best.plain_site = Math.max(best.plain_site, loop(...ports));
      best.site = Math.max(best.site, await ownReads(ports, 1));
    }
    const { plain, one, socket, several, plain_site, site } = best;
    return [
      `TCP     ${perSecond(one, 'reads')} of ${REGISTERS} registers, one in flight`,
      `socket  ${perSecond(socket, 'reads')} by the same bytes on a bare socket of Node; ${ratio(one, socket, 0.5)}`,
      `libmodbus ${perSecond(plain, 'reads')} in C, same server; ${ratio(one, plain, 1)}`,
      `TCP     ${perSecond(several, 'reads')} with ${IN_FLIGHT} in flight on one connection, against the same loop in C; ${ratio(several, plain, 1)}`,
      `site    ${perSecond(site, 'reads')} from ${DEVICES} devices, one in flight each; loop in C over the same ${DEVICES} ${perSecond(plain_site, 'reads')}; ${ratio(site, plain_site, 1)}`,
    ];
  } finally {
    for (const server of servers) server.kill();
    rmSync(folder, { recursive: true });
  }
}

async function readsOfOwnServer(): Promise<string[]> {
  const port = await freePort();
  const server = await ownServer(port);
  try {
    const one = await ownReads([port], 1);
    const several = await ownReads([port], IN_FLIGHT);
    return [
      `TCP     ${perSecond(one, 'reads')} of ${REGISTERS} registers, one in flight, server in this process`,
      `TCP     ${perSecond(several, 'reads')} with ${IN_FLIGHT} in flight`,
      NO_LIBMODBUS,
    ];
  } finally {
    server.close();
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

/** Reads per second through links of ours, all at once: one per port, each with so many requests in flight. */
async function ownReads(ports: readonly number[], in_flight: number): Promise<number> {
  const links = ports.map(port => linkTo(port, in_flight));
  for (const link of links) link.start();
  try {
    // Connected before time is taken, as the loop in C is.
    for (const link of links) await readOften(link, 1, atMost(1));
    const isLeft = atMost(READS);
    const begun_ms = performance.now();
    await Promise.all(links.map(link => readOften(link, in_flight, isLeft)));
    return READS / ((performance.now() - begun_ms) / 1000);
  } finally {
    for (const link of links) await link.stop();
  }
}

function linkTo(port: number, max_in_flight: number): ModbusLink {
  const wire = wireOf({ id: 'bench', type: 'modbus-tcp', host: '127.0.0.1', port }, new VirtualModbusHub());
  return new ModbusLink({
    wire,
    clock: systemClock,
    timeout_ms: 1000,
    gap_ms: 0,
    max_jobs: max_in_flight,
    max_in_flight,
    onState: () => {},
  });
}

/** So many jobs side by side, each reading as long as there is something left to read. */
async function readOften(link: ModbusLink, jobs: number, isLeft: () => boolean): Promise<void> {
  const read = async (): Promise<void> => {
    const words = new Uint16Array(REGISTERS);
    while (isLeft()) {
      const failure = await link.read({ unit: 255, code: 3, address: 0, count: REGISTERS }, words);
      if (failure) throw new Error(failure.message);
    }
  };
  await Promise.all(
    Array.from(
      { length: jobs },
      () => new Promise<void>((resolve, reject) => link.run(() => read().then(resolve, reject))),
    ),
  );
}

function atMost(reads: number): () => boolean {
  let left = reads;
  return () => left-- > 0;
}
