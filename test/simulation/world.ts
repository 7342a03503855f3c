/** What all seeds share: the disk, the wire, and one real PostgreSQL, where each has a gateway id of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { POSTGRES_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { migrateCentre } from '../../daemon/upstream/migrate.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import type { World } from './gateway-life.ts';
import { Receivers } from './receivers.ts';
import { VirtualDisk } from './virtual-disk.ts';
import { WireFaults } from './wire-faults.ts';

/** What little lies on a real disk need not wait for one. */
const MEMORY = '/dev/shm';

export interface OpenWorld extends World {
  close(): Promise<void>;
}

/** A PostgreSQL with its tables, for any number of worlds. */
export async function startCentre(): Promise<TestPostgres> {
  const postgres = await startPostgres();
  const client = new pg.Client(postgres.url);
  await client.connect();
  await hurry(client, postgres.url);
  await migrateCentre(client, POSTGRES_MIGRATIONS, 'the test');
  await client.end();
  return postgres;
}

export async function openWorld(centre_url: string, trace: (line: string) => void): Promise<OpenWorld> {
  const directory = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'bms-simulation-'));
  const disk = new VirtualDisk();
  const target = new URL(centre_url);
  const wire = new WireFaults(Number(target.port));
  target.port = String(await wire.listen());
  const receivers = new Receivers();
  await receivers.listen();
  const centre = new pg.Client(centre_url);
  await centre.connect();
  return {
    disk,
    wire,
    receivers,
    centre,
    trace,
    database_url: target.href,
    file: join(directory, 'gateway.db'),
    async close() {
      await centre.end();
      await wire.close();
      await receivers.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** This server need not outlive its machine, and thousands log in to it. */
async function hurry(client: pg.Client, url: string): Promise<void> {
  for (const setting of [
    'synchronous_commit = off',
    'fsync = off',
    'jit = off',
    'autovacuum = off',
    'scram_iterations = 1',
  ])
    await client.query(`ALTER SYSTEM SET ${setting}`);
  await client.query('SELECT pg_reload_conf()');
  await client.query('SET scram_iterations = 1');
  const password = decodeURIComponent(new URL(url).password);
  await client.query(`ALTER ROLE bms PASSWORD ${client.escapeLiteral(password)}`);
}
