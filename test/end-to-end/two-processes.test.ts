/** Two starts on one state directory: the second learns who is there, and the first goes on as if nothing was. */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGateway } from '../support/gateway-process.ts';

let state_dir: string;
let first: GatewayProcess;
let database_url: string;

const environment = () => ({ BMS_STATE_DIR: state_dir, BMS_HTTP_PORT: '0', SIMULATION_INTERVAL: '1000' });

beforeAll(async () => {
  state_dir = await mkdtemp(join(tmpdir(), 'bms-two-'));
  await chmod(state_dir, 0o711);
  first = startGateway(['demo'], environment());
  database_url = (await first.waitFor(/psql '(postgres:[^']+)'/))[1];
});

const PACKS = 100;

afterAll(async () => {
  await first?.stop();
  await rm(state_dir, { recursive: true, force: true });
});

async function newestSync(): Promise<number> {
  const client = new pg.Client({ connectionString: database_url });
  await client.connect();
  try {
    return Number((await client.query('select max(last_seq) as seq from gateways')).rows[0].seq);
  } finally {
    await client.end();
  }
}

async function syncedAfter(seq: number): Promise<number> {
  for (;;) {
    const now = await newestSync().catch(error => {
      if (error.code === '42P01') return 0;
      throw error;
    });
    if (now > seq) return now;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

test('a second start ends with one line that names the first, which goes on with its PostgreSQL', async () => {
  const before = await syncedAfter(0);
  const demo = startGateway(['demo'], environment());
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toMatch(
    new RegExp(
      `^bms-gateway: [^\n]* in use by process ${first.pid}; stop that one first, or [^\n]*BMS_STATE_DIR`,
    ),
  );
  expect(demo.output().trim().split('\n')).toHaveLength(1);
  const run = startGateway(['demo'], { ...environment(), DATABASE_URL: database_url });
  expect(await run.exited).toBe(1);
  expect(run.output()).toContain(`${state_dir} is in use by process ${first.pid}; `);
  expect(run.output().trim().split('\n')).toHaveLength(1);
  await syncedAfter(before);
});

test('export works beside the one that runs', async () => {
  // What the centre has is stored here: more than a reading of each pack.
  await syncedAfter(3 * PACKS);
  const exporting = startGateway(['export', '--from', '1h', '--state-dir', state_dir, '--rows', 'pack'], {});
  expect(await exporting.exited).toBe(0);
  expect(exporting.output().split('\n').length).toBeGreaterThan(100);
});

test('a PostgreSQL that is gone is no fault of the stop', async () => {
  const [pid] = (await readFile(join(state_dir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(pid), 'SIGQUIT');
  const ended = await first.stop();
  expect(ended.code).toBe(0);
  expect(first.output()).toMatch(/Stopped\.\n$/);
  expect(first.output()).not.toMatch(/ {4}at |pg_ctl/);
});
