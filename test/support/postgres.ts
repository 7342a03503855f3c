/** A real PostgreSQL of a test's own: data under the temporary folder, a free port, gone afterwards. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type DemoPostgres, startDemoPostgres } from '../../daemon/cli/demo-postgres.ts';

export interface TestPostgres {
  /** URL of an empty database. */
  readonly url: string;
  readonly port: number;
  readonly data_directory: string;
  /** A further empty database on this server; returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Ends the server and with it all connections; data stay. */
  halt(): Promise<void>;
  /** SIGKILL to the server and all its processes. */
  kill(): Promise<void>;
  /** Starts it again after `halt` or `kill`, on the same port and data. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  /** Lines for postgresql.conf, from the next start on. */
  readonly settings?: readonly string[];
  /** Puts files into the data directory before that start. */
  readonly prepare?: (data_directory: string) => void;
}

export async function startPostgres(options: StartOptions = {}): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'bms-postgres-'));
  const port = await freePort();
  let server = await startDemoPostgres(directory, port);
  const url = server.database_url;
  const data_directory = join(directory, 'data');
  if (options.settings) {
    await stopPatiently(server, data_directory);
    options.prepare?.(data_directory);
    appendFileSync(join(data_directory, 'postgresql.conf'), `\n${options.settings.join('\n')}\n`);
    server = await startDemoPostgres(directory, port);
  }
  return {
    url,
    port,
    data_directory,
    async createDatabase(name) {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      await client.end();
      return url.replace(/[^/]+$/, name);
    },
    halt: () => stopPatiently(server, data_directory),
    async kill() {
      await killServer(data_directory);
      // There is nothing left to stop: this gives back the lock on its directory, which is this process's.
      await server.stop().catch(() => {});
    },
    async resume() {
      server = await startDemoPostgres(directory, port);
    },
    async stop() {
      await stopPatiently(server, data_directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** On a busy machine the last checkpoint takes longer than the demo waits. */
async function stopPatiently(server: DemoPostgres, data_directory: string): Promise<void> {
  await server.stop().catch(async error => {
    for (let waited_ms = 0; existsSync(join(data_directory, 'postmaster.pid')); waited_ms += 50) {
      if (waited_ms > 60_000) throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  });
}

/** The children first: they would end by themselves only at their next check of their parent. */
async function killServer(data_directory: string): Promise<void> {
  const pid = Number(readFileSync(join(data_directory, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  process.kill(pid, 'SIGSTOP');
  for (const child of [...children, pid]) if (child > 0) process.kill(child, 'SIGKILL');
  while (existsSync(`/proc/${pid}`)) await new Promise(resolve => setTimeout(resolve, 20));
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(address && typeof address === 'object' ? address.port : 0));
    });
  });
}
