/**
 * From a frame on the bus to the message on the dashboard's WebSocket: the program as on a box, with the default fleet and one
 * more pack, which hangs on an slcan adapter of ours (a pseudo terminal; needs socat), while histories are asked for.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SerialPort } from 'serialport';
import { WebSocket } from 'ws';
import { ReadingDecoder } from '../core/reading/codec.ts';
import type { Topology } from '../core/topology/topology.ts';
import { createSqliteStore } from '../daemon/store/sqlite-store.ts';
import { smallTopology, storeOptions } from '../daemon/store/testing/fixtures.ts';
import { logIn } from '../test/support/gateway-process.ts';
import { DEMO_CONFIG, startAsOnBox } from './box-program.ts';
import type { AskerOrder } from './history-asker.ts';
import { simulateFleet } from './simulated-rows.ts';

const ASKER = fileURLToPath(new URL('./history-asker.ts', import.meta.url));
const PASSWORD = 'measured-in-milliseconds';
const HOURS = 4;
const FRAMES = 240;
/** Further apart than the feed conflates. */
const FRAME_EVERY_MS = 250;
const GOAL_MS = 20;
const EXTRA = `
  - id: measured
    name: Measured
    packs:
      - { id: measured, name: Measured, connection: adapter, profile: can-bus-bms-lv, cells: 0 }
`;

export async function benchLatency(): Promise<string[]> {
  if (!existsSync('/usr/bin/socat')) return ['not measured: socat is not installed'];
  const directory = await mkdtemp(join(tmpdir(), 'bms-latency-'));
  await chmod(directory, 0o711);
  const [ours, theirs] = [join(directory, 'ours'), join(directory, 'theirs')];
  const pair = spawn('socat', [`pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`], {
    stdio: 'ignore',
  });
  const config = join(directory, 'config.yaml');
  await writeFile(config, await configWith(theirs));
  const span = await fillStore(directory);
  const gateway = startAsOnBox({
    BMS_CONFIG: config,
    BMS_STATE_DIR: directory,
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: PASSWORD,
  });
  try {
    const url = (await gateway.waitFor(/(http:\/\/[\d.]+:\d+)/))[1];
    return await measure(url, ours, span);
  } finally {
    await gateway.stop();
    pair.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function configWith(port: string): Promise<string> {
  const demo = await readFile(DEMO_CONFIG, 'utf8');
  return demo
    .replace(
      'connections:\n',
      `connections:\n  - { id: adapter, type: slcan, port: ${port}, bitrate_bps: 500000 }\n`,
    )
    .replace('batteries:\n', `batteries:${EXTRA}`);
}

/** Some hours of the default fleet up to now, for the histories. */
async function fillStore(directory: string) {
  const { pack_ids, interval_ms, moments } = await simulateFleet(225);
  const small = smallTopology(pack_ids.length);
  const topology: Topology = {
    ...small,
    packs: small.packs.map((pack, i) => ({ ...pack, id: pack_ids[i] })),
  };
  const store = createSqliteStore(storeOptions(directory));
  await store.open(topology);
  const decoder = new ReadingDecoder();
  const to_ms = Math.floor((performance.timeOrigin + performance.now()) / interval_ms) * interval_ms;
  const count = (HOURS * 3_600_000) / interval_ms;
  for (let n = 0; n < count; n++) {
    for (const { pack, body } of moments[n % moments.length]) {
      const reading = decoder.decode(new DataView(body.buffer, body.byteOffset), 0, body.length);
      if (typeof reading === 'number') throw new Error('a simulated reading cannot be decoded');
      reading.pack = pack;
      reading.t_ms = to_ms - (count - n) * interval_ms;
      store.append(reading);
    }
    if (n % 15 === 0) await store.flush();
  }
  await store.flush();
  await store.close();
  return { pack_ids, from_ms: to_ms - HOURS * 3_600_000, to_ms };
}

async function measure(
  url: string,
  tty: string,
  { pack_ids, from_ms, to_ms }: { pack_ids: readonly string[]; from_ms: number; to_ms: number },
): Promise<string[]> {
  const { token } = await logIn(url, 'admin', PASSWORD);
  const port = new SerialPort({ path: tty, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open(error => (error ? reject(error) : resolve())));
  // The adapter acknowledges each command.
  port.on('data', (commands: Buffer) => {
    for (const byte of commands) if (byte === 13) port.write('\r');
  });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await once(socket, 'open');
  const sent = new Map<number, number>();
  const took_ms: number[] = [];
  socket.on('message', data => {
    const voltage = /"voltage_v":\{"value":([\d.]+)|"voltage_v":([\d.]+)/.exec(String(data));
    const key = Math.round(Number(voltage?.[1] ?? voltage?.[2]) * 100);
    const at_ms = sent.get(key);
    if (at_ms === undefined) return;
    took_ms.push(performance.now() - at_ms);
    sent.delete(key);
  });
  socket.send(JSON.stringify({ type: 'subscribe', room: 'pack:measured' }));
  const asker = fork(ASKER);
  const order: AskerOrder = { url, token, pack_ids, from_ms, to_ms };
  asker.send(order);
  await sleep(3000);
  for (let n = 0; n < FRAMES; n++) {
    // 0x356: voltage in 0.01 V, current and temperature in 0.1.
    const data = Buffer.alloc(8);
    const value = 4500 + (n % 1000);
    data.writeInt16LE(value, 0);
    sent.set(value, performance.now());
    port.write(`t3568${data.toString('hex').toUpperCase()}\r`);
    await sleep(FRAME_EVERY_MS);
  }
  await sleep(500);
  const asked = once(asker, 'message');
  asker.send('end');
  const [histories] = await asked;
  socket.close();
  await new Promise<void>(resolve => port.close(() => resolve()));
  took_ms.sort((a, b) => a - b);
  const at = (share: number) => took_ms[Math.min(took_ms.length - 1, Math.floor(share * took_ms.length))];
  if (took_ms.length === 0) throw new Error('no frame came through');
  return [
    `${took_ms.length} of ${FRAMES} frames reported, while ${histories} histories were read`,
    `bus frame to WebSocket: median ${at(0.5).toFixed(1)} ms, 99 % within ${at(0.99).toFixed(1)} ms (goal ${GOAL_MS}), most ${at(1).toFixed(1)} ms`,
  ];
}
