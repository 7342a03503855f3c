/**
 * Runs inside the edge box, beside the real daemon: moves interfaces, puts frames on the bus with `cansend`,
 * asks the daemon as a browser would, and writes down what it saw. It judges nothing; the test does.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { ComponentStatus, SystemStatus } from '../../core/contract/http.ts';
import type { ServerMessage } from '../../core/contract/live.ts';
import type { PackDetail } from '../../core/contract/model.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';
import { type BusObservations, observeBus } from './bus-scenario.ts';
import { bringUp, ip, until } from './inside.ts';

export interface Task {
  /** What to put on each bus, as `cansend` takes it; sent over and over. */
  readonly frames: Readonly<Record<'vcan0' | 'vcan1', readonly string[]>>;
  /** A frame cut short, for vcan0. */
  readonly truncated: string;
}

export interface Observations {
  /** Of one bus alone, before the daemon starts. */
  bus?: BusObservations;
  /** While vcan1 does not exist. */
  absent?: SystemStatus;
  /** After it appeared and spoke. */
  appeared?: SystemStatus;
  packs: Record<string, PackDetail>;
  live: Record<string, PackDetail>;
  /** While vcan0 is set down, and after it came up again. */
  down?: SystemStatus;
  up_again?: SystemStatus;
  pack_after_up?: PackDetail;
  truncated_before?: number;
  truncated_after?: number;
  /** Some time after the last frame, both interfaces up. */
  silent?: SystemStatus;
  daemon_exit_code?: number | null;
  /** What the scenario waited for in vain. */
  failure?: string;
}

export const PACKS = { jk: 'jk-1', foxbms: 'foxbms-1' } as const;
export const CONNECTIONS = { jk: 'jk-bus', foxbms: 'foxbms-bus' } as const;
export const ADMIN_PASSWORD = 'edge-box-technician';
export const TRUNCATED_SENT = 3;
const PORT = 8080;
const URL = `http://127.0.0.1:${PORT}`;
const STATE = '/run/state/bms';

export function connection(
  status: SystemStatus | undefined,
  of: keyof typeof CONNECTIONS,
): ComponentStatus | undefined {
  return status?.components.find(component => component.name === `connection:${CONNECTIONS[of]}`);
}

const progress = (text: string) => console.log(`${performance.now().toFixed(0)} ms: ${text}`);

/** Repeats all frames on a bus about once a second, each by a `cansend` of its own, until killed. */
function sendOver(bus: string, frames: readonly string[]): ChildProcess {
  const round = frames.map(frame => `cansend ${bus} ${frame}`).join('; ');
  return spawn('bash', ['-c', `while true; do ${round}; sleep 0.5; done`], { stdio: 'ignore' });
}

/** Keeps the newest state of each pack room in `into`. */
async function watch(token: string, pack_ids: readonly string[], into: Record<string, PackDetail>) {
  const socket = new WebSocket(`${URL.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on('message', data => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === 'state' && message.kind === 'pack') into[message.data.id] = message.data;
  });
  await once(socket, 'open');
  for (const id of pack_ids) socket.send(JSON.stringify({ type: 'subscribe', room: `pack:${id}` }));
  return socket;
}

const isUp = (of: keyof typeof CONNECTIONS) => (status: SystemStatus) =>
  connection(status, of)?.state === 'ok';

const hasSpoken = (pack: PackDetail | undefined) =>
  [pack?.cells.voltage_v, pack?.sensors].every(column => column?.values.some(value => value !== null));

async function observeDaemon(task: Task, seen: Observations, share: string): Promise<void> {
  bringUp('vcan0');
  const daemon = startGateway(['run', '--config', join(share, 'config.yaml')], {
    BMS_STATE_DIR: STATE,
    BMS_ADMIN_PASSWORD: ADMIN_PASSWORD,
    BMS_HTTP_PORT: String(PORT),
  });
  try {
    await observe(task, seen, daemon);
    cpSync(STATE, join(share, 'state'), { recursive: true });
  } finally {
    await daemon.stop('SIGKILL');
    writeFileSync(join(share, 'daemon.log'), daemon.output());
  }
}

async function observe(task: Task, seen: Observations, daemon: GatewayProcess): Promise<void> {
  const senders: ChildProcess[] = [];
  await daemon.waitFor(/serving/, 120_000);
  const { token, get } = await logIn(URL, 'admin', ADMIN_PASSWORD);
  const status = () => get('/api/system/status') as Promise<SystemStatus>;
  const pack = (id: string) => get(`/api/packs/${id}`) as Promise<PackDetail>;
  try {
    progress('logged in');
    senders.push(sendOver('vcan0', task.frames.vcan0));
    seen.absent = await until(
      'vcan0 up, vcan1 missed',
      status,
      now => isUp('jk')(now) && !isUp('foxbms')(now),
    );

    bringUp('vcan1');
    senders.push(sendOver('vcan1', task.frames.vcan1));
    seen.appeared = await until('vcan1 found', status, isUp('foxbms'));
    progress('vcan1 found');

    const socket = await watch(token, Object.values(PACKS), seen.live);
    for (const id of Object.values(PACKS)) {
      seen.packs[id] = await until(`values of ${id}`, () => pack(id), hasSpoken);
      await until(`live values of ${id}`, () => seen.live[id], hasSpoken);
    }
    socket.close();
    progress('values seen');

    ip('link', 'set', 'vcan0', 'down');
    const down = await until('vcan0 seen down', status, now => !isUp('jk')(now));
    seen.down = down;
    ip('link', 'set', 'vcan0', 'up');
    seen.up_again = await until('vcan0 seen up', status, isUp('jk'));
    const isFresh = ({ summary }: PackDetail) => (summary.t_ms ?? 0) > down.t_ms;
    seen.pack_after_up = await until('a fresh value after up', () => pack(PACKS.jk), isFresh);
    progress('vcan0 down and up');

    for (const sender of senders) sender.kill('SIGKILL');
    const truncatedFrames = (now: SystemStatus) => connection(now, 'jk')?.counters.truncated_frames ?? 0;
    seen.truncated_before = truncatedFrames(await status());
    for (let i = 0; i < TRUNCATED_SENT; i++) execFileSync('cansend', ['vcan0', task.truncated]);
    const all = seen.truncated_before + TRUNCATED_SENT;
    seen.truncated_after = truncatedFrames(
      await until('truncated frames counted', status, now => truncatedFrames(now) >= all),
    );
    seen.silent = await until('silence noticed', status, now => !isUp('jk')(now) && !isUp('foxbms')(now));
    seen.daemon_exit_code = (await daemon.stop('SIGTERM')).code;
    progress('daemon stopped');
  } finally {
    for (const sender of senders) sender.kill('SIGKILL');
  }
}

if (import.meta.main) {
  const share = process.env.SHARE!;
  const seen: Observations = { packs: {}, live: {} };
  const task = JSON.parse(readFileSync(join(share, 'task.json'), 'utf8')) as Task;
  try {
    seen.bus = await observeBus();
    progress('one bus observed');
    await observeDaemon(task, seen, share);
  } catch (error) {
    seen.failure = String(error);
  }
  writeFileSync(join(share, 'observations.json'), JSON.stringify(seen));
}
