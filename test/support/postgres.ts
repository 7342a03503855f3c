/** A real PostgreSQL of a test's own: data under the temporary folder, a free port, gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startDemoPostgres } from '../../daemon/cli/demo-postgres.ts';

export interface TestPostgres {
  /** URL of an empty database. */
  readonly url: string;
  readonly port: number;
  /** A further empty database on this server; returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Ends the server and with it all connections; data stay. */
  halt(): Promise<void>;
  /** Starts it again after `halt`, on the same port and data. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'bms-postgres-'));
  const port = await freePort();
  let server = await startDemoPostgres(directory, port);
  const url = server.database_url;
  return {
    url,
    port,
    async createDatabase(name) {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      await client.end();
      return url.replace(/[^/]+$/, name);
    },
    halt: () => server.stop(),
    async resume() {
      server = await startDemoPostgres(directory, port);
    },
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
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
