/**
 * The live feed under load: 200 dashboards that show every cell of the default fleet, each pack changed once a
 * second. Measured is the processor time of the server's process alone; clients have a process of their own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BINARY_PROTOCOL, JSON_PROTOCOL } from '../core/contract/live-binary.ts';
import type { ServerLimits } from '../daemon/server/limits.ts';
import { createServer, type HttpServer } from '../daemon/server/server.ts';
import type { ClientsOrder, ClientsReport } from './fan-out-clients.ts';
import { type BenchSite, makeFleetSite } from './fleet-site.ts';

const DASHBOARDS = 200;
const INTERVAL_MS = 1000;
const MEASURED_MS = 15_000;
const GOAL_CORES = 0.5;
const CLIENTS = fileURLToPath(new URL('./fan-out-clients.ts', import.meta.url));

export async function benchFanOut(): Promise<string[]> {
  const idle = await withServer(async site => measure(site, undefined));
  const lines = [
    `${DASHBOARDS} dashboards on ${idle.cells} cells at 1 Hz; without any: ${idle.cores.toFixed(3)} cores`,
  ];
  for (const [name, protocol, is_tls] of [
    ['binary', BINARY_PROTOCOL, false],
    ['JSON', JSON_PROTOCOL, false],
    ['binary over TLS', BINARY_PROTOCOL, true],
    ['JSON over TLS', JSON_PROTOCOL, true],
  ] as const) {
    const { cores, states, bytes } = await withServer(site => measure(site, protocol), { is_tls });
    lines.push(
      `${name.padEnd(15)} ${cores.toFixed(3)} cores (goal ${GOAL_CORES}, ratio ${(cores / GOAL_CORES).toFixed(2)}), ` +
        `${states.toFixed(1)} states/s and ${(bytes / 1000).toFixed(1)} kB/s per dashboard`,
    );
  }
  // Faster than any dashboard needs, so that the kernel's own buffers are soon full.
  lines.push(await withServer(stall, { limits: { live_summary_interval_ms: 1, live_gather_ms: 1 } }));
  return lines;
}

interface Running {
  readonly site: BenchSite;
  readonly server: HttpServer;
  readonly url: string;
  readonly token: string;
}

async function withServer<T>(
  work: (running: Running) => Promise<T>,
  { limits = {}, is_tls = false }: { limits?: Partial<ServerLimits>; is_tls?: boolean } = {},
): Promise<T> {
  const site = await makeFleetSite();
  const certificate_directory = await mkdtemp(join(tmpdir(), 'bms-bench-'));
  const listening = is_tls ? { host: '0.0.0.0', certificate_directory } : {};
  const server = await createServer(site.services, {
    ...site.options,
    ...listening,
    // All of them log in as one.
    limits: { live_clients_per_user: DASHBOARDS, ...limits },
  });
  const { url } = await server.listen();
  const login = { method: 'POST', url: '/api/auth/login', payload: site.login } as const;
  const { token } = (await server.app.inject(login)).json<{ token: string }>();
  const changing = setInterval(() => site.changeAll(), INTERVAL_MS);
  try {
    return await work({ site, server, url, token });
  } finally {
    clearInterval(changing);
    await server.close();
    await rm(certificate_directory, { recursive: true });
  }
}

async function measure({ site, url, token }: Running, protocol: string | undefined) {
  const clients = protocol === undefined ? undefined : await startClients(site, url, token, protocol);
  await sleep(2 * INTERVAL_MS);
  await report(clients);
  const begun_ms = performance.now();
  const before = process.cpuUsage();
  await sleep(MEASURED_MS);
  const { user, system } = process.cpuUsage(before);
  const wall_s = (performance.now() - begun_ms) / 1000;
  const { states, bytes } = await report(clients);
  clients?.disconnect();
  const perDashboard = (count: number) => count / wall_s / DASHBOARDS;
  return {
    cells: site.cells,
    cores: (user + system) / 1e6 / wall_s,
    states: perDashboard(states),
    bytes: perDashboard(bytes),
  };
}

async function startClients(site: BenchSite, url: string, token: string, protocol: string) {
  const child = fork(CLIENTS, { stdio: 'inherit' });
  child.send({ url, token, count: DASHBOARDS, protocol, rooms: site.rooms } satisfies ClientsOrder);
  await once(child, 'message');
  return child;
}

async function report(clients: ChildProcess | undefined): Promise<ClientsReport> {
  if (!clients) return { states: 0, bytes: 0 };
  clients.send('report');
  return (await once(clients, 'message'))[0] as ClientsReport;
}

/** One client that reads nothing, while the others are served: the most it ever made the gateway hold. */
async function stall({ site, server, url, token }: Running): Promise<string> {
  const sockets = new Set<Socket>();
  server.app.server.on('connection', (socket: Socket) => sockets.add(socket));
  const child = fork(CLIENTS, { stdio: 'inherit' });
  child.send({ url, token, count: 1, protocol: JSON_PROTOCOL, rooms: site.rooms } satisfies ClientsOrder);
  await once(child, 'message');
  process.kill(child.pid as number, 'SIGSTOP');
  let held = 0;
  for (let i = 0; i < 3000 && server.status().counters.live_states_skipped < 1000; i++) {
    site.changeAll();
    await sleep(5);
    for (const socket of sockets) held = Math.max(held, socket.writableLength);
  }
  const skipped = server.status().counters.live_states_skipped;
  process.kill(child.pid as number, 'SIGCONT');
  child.disconnect();
  return `stalled client: at most ${(held / 1024).toFixed(0)} KiB held for it, ${skipped} states skipped`;
}
