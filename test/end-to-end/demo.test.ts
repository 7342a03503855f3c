/** The whole product in its first true form: the demo, from wire bytes to the browser's API and to PostgreSQL. */
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { SystemStatus } from '../../core/contract/http.ts';
import type { ServerMessage } from '../../core/contract/live.ts';
import type { FleetState, PackDetail } from '../../core/contract/model.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';

const INTERVAL_MS = 1000;
const CELLS = 1000;

let state_dir: string;
let gateway: GatewayProcess;
let url: string;
let password: string;
let database_url: string;

async function start(): Promise<void> {
  gateway = startGateway(['demo'], {
    BMS_STATE_DIR: state_dir,
    BMS_HTTP_PORT: '0',
    SIMULATION_INTERVAL: String(INTERVAL_MS),
  });
  await gateway.waitFor(/Stop\s+Ctrl-C/);
  url = (await gateway.waitFor(/Dashboard\s+(http:\S+)/))[1];
  password = (await gateway.waitFor(/Login\s+admin \/ (\S+)/))[1];
  database_url = (await gateway.waitFor(/psql '(postgres:[^']+)'/))[1];
}

beforeAll(async () => {
  state_dir = await mkdtemp(join(tmpdir(), 'bms-demo-'));
  await chmod(state_dir, 0o711);
  await start();
});

afterAll(async () => {
  await gateway?.stop();
  await rm(state_dir, { recursive: true, force: true });
});

async function query<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: database_url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

interface Moment extends pg.QueryResultRow {
  ts: Date;
  cells: string;
  distinct_cells: string;
  min: number;
  max: number;
  without_voltage: string;
}

const PER_MOMENT = `
  select ts, count(*) as cells, count(distinct cell_id) as distinct_cells, min(voltage), max(voltage),
         count(*) filter (where voltage is null or temperature is null) as without_voltage
  from readings group by ts order by ts`;

/** Waits until PostgreSQL holds `moments` whole moments after `after`. The newest may still be arriving. */
async function momentsAfter(after: Date, moments: number): Promise<Moment[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const rows = (await query<Moment>(PER_MOMENT).catch(untilMigrated)).filter(row => row.ts > after);
    if (rows.length > moments) return rows.slice(0, -1);
    if (Date.now() > deadline)
      throw new Error(`only ${rows.length} moments of ${moments}: ${gateway.output()}`);
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

/** Right after the start the gateway has not yet made its tables at the centre. */
function untilMigrated(error: Error & { code?: string }): Moment[] {
  const UNDEFINED_TABLE = '42P01';
  if (error.code !== UNDEFINED_TABLE) throw error;
  return [];
}

/** Every moment is whole; one that a busy machine let pass is counted as such by the gateway. */
async function expectWhole(rows: Moment[]): Promise<void> {
  for (const row of rows) {
    expect(row).toMatchObject({ cells: String(CELLS), distinct_cells: String(CELLS), without_voltage: '0' });
    expect(row.min).toBeGreaterThan(2.5);
    expect(row.max).toBeLessThan(3.7);
  }
  const steps = rows.slice(1).map(({ ts }, i) => (ts.getTime() - rows[i].ts.getTime()) / INTERVAL_MS);
  expect(steps.filter(step => !(Number.isInteger(step) && step >= 1))).toEqual([]);
  const missed = steps.reduce((sum, step) => sum + step - 1, 0);
  if (missed === 0) return;
  const { get } = await logIn(url, 'admin', password);
  const { components } = (await get('/api/system/status')) as SystemStatus;
  const sampler = components.find(({ name }) => name === 'sampler');
  expect(sampler?.counters.moments_missed).toBeGreaterThanOrEqual(missed);
}

test.runIf(process.platform === 'linux')('has the bounds on memory that a box has', async () => {
  const [command, environment] = await Promise.all(
    ['cmdline', 'environ'].map(name => readFile(`/proc/${gateway.pid}/${name}`, 'utf8')),
  );
  expect(command.split('\0')).toEqual(
    expect.arrayContaining(['--max-semi-space-size=2', '--expose-gc', 'demo']),
  );
  expect(environment.split('\0')).toContain('MALLOC_ARENA_MAX=2');
});

test('PostgreSQL has 1,000 plausible cells at every interval, none missing without a word, none double', async () => {
  await expectWhole(await momentsAfter(new Date(0), 8));
});

test('the API shows the same fleet: 10 batteries, 100 packs, 1,000 cells, all good', async () => {
  const { get } = await logIn(url, 'admin', password);
  const fleet = (await get('/api/batteries')) as FleetState;
  expect(fleet.batteries).toHaveLength(10);
  expect(fleet.batteries.map(battery => battery.pack_count)).toEqual(new Array(10).fill(10));
  expect(fleet.batteries.reduce((sum, battery) => sum + battery.cell_count, 0)).toBe(CELLS);
  expect(fleet.batteries.map(battery => battery.packs_ok)).toEqual(new Array(10).fill(10));
  const status = (await get('/api/system/status')) as SystemStatus;
  expect(status.components.filter(component => component.reason !== null)).toEqual([]);
});

test('a pack is the same in the API, on the WebSocket and at the centre', async () => {
  const { get, token } = await logIn(url, 'admin', password);
  const fleet = (await get('/api/batteries')) as FleetState;
  const battery = (await get(`/api/battery/${fleet.batteries[0].id}`)) as { packs: { id: string }[] };
  const pack_id = battery.packs[3].id;
  const detail = (await get(`/api/packs/${pack_id}`)) as PackDetail;
  expect(detail.cells.voltage_v.quality).toBe('g'.repeat(10));
  expect(detail.cells.temperature_c.quality).toBe('g'.repeat(10));

  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const states: PackDetail[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', room: `pack:${pack_id}` })));
    socket.on('error', reject);
    socket.on('message', data => {
      const message = JSON.parse(String(data)) as ServerMessage;
      if (message.type === 'state' && message.kind === 'pack') states.push(message.data);
      if (states.length >= 4) resolve();
    });
  });
  socket.close();
  expect(states.every(state => state.id === pack_id)).toBe(true);
  expect(new Set(states.map(state => JSON.stringify(state.cells.voltage_v.values))).size).toBeGreaterThan(1);

  const [stored] = await query<{ voltages: number[] }>(
    `select array_agg(voltage order by cell_id) as voltages from readings
     where cell_id like '${pack_id}/%' group by ts order by ts desc limit 1`,
  );
  stored.voltages.forEach((voltage, cell) => {
    expect(Math.abs(voltage - (states.at(-1)?.cells.voltage_v.values[cell] ?? 0))).toBeLessThan(0.25);
  });
});

test('what it writes is for its own account alone', async () => {
  for (const file of ['gateway.db', 'demo-password']) {
    expect((await stat(join(state_dir, file))).mode & 0o077, file).toBe(0);
  }
});

test('Ctrl-C stops everything in under 5 s, and a second start goes on without a gap in the order or a double row', async () => {
  const stopped = await gateway.stop('SIGINT');
  expect(stopped.code, gateway.output()).toBe(0);
  expect(stopped.took_ms).toBeLessThan(5000);
  const first_password = (await readFile(join(state_dir, 'demo-password'), 'utf8')).trim();

  await start();
  expect(password).toBe(first_password);
  const [{ now }] = await query<{ now: Date }>('select now() as now');
  await expectWhole(await momentsAfter(now, 6));
  const doubles = await query('select cell_id, ts from readings group by cell_id, ts having count(*) > 1');
  expect(doubles).toEqual([]);
});
