/**
 * What goes wrong on site: interface absent, connection refused, wrong unit, PostgreSQL absent at start.
 * The daemon starts, says each in one line in the log and in the status, serves what it has, and recovers by
 * itself when the cause goes.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SystemStatus } from '../../core/contract/http.ts';
import type { PackDetail } from '../../core/contract/model.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { type DemoPostgres, startDemoPostgres } from '../../daemon/cli/demo-postgres.ts';
import { createSunSpecImage } from '../../drivers/modbus/sunspec/sunspec-image.ts';
import { bindingOf } from '../../drivers/modbus/testing/line.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';

const PASSWORD = 'a password for this test';
const CELLS = 4;

let directory: string;
let gateway: GatewayProcess;
let url: string;
let get: (path: string) => Promise<unknown>;
let live_port: number;
let late_port: number;
let postgres: DemoPostgres | undefined;
const servers: Server[] = [];

/** One SunSpec unit with number 1 on a real TCP port; every other unit is silent. */
async function serveUnit(port: number): Promise<number> {
  const hub = new VirtualModbusHub();
  const binding = bindingOf({ cells: CELLS, address: 1 });
  const { image, write } = createSunSpecImage(binding);
  const reading = new PackReading(0, binding.shape);
  reading.values[PackMetric.voltage_v] = 13.2;
  reading.value_quality[PackMetric.voltage_v] = Quality.good;
  reading.column(CellMetric.voltage_v).set([3.301, 3.302, 3.303, 3.304]);
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  write(reading);
  hub.attach('tcp', 1, pdu => image.answer(pdu));
  const server = createServer((socket: Socket) => {
    socket.on('error', () => socket.destroy());
    hub.serve('tcp', socket);
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function portNobodyListensOn(): Promise<number> {
  const port = await serveUnit(0);
  await new Promise(resolve => servers.pop()?.close(resolve));
  return port;
}

const configuration = () => `
site: { id: bench, name: Bench }
interval_ms: 500
connections:
  - { id: absent, type: socketcan, interface: can77 }
  - { id: live, type: modbus-tcp, host: 127.0.0.1, port: ${live_port}, timeout_ms: 300, retries: 0 }
  - { id: late, type: modbus-tcp, host: 127.0.0.1, port: ${late_port}, timeout_ms: 300 }
batteries:
  - id: b1
    packs:
      - { id: on-can, connection: absent, profile: jk-can-v2, address: 0, cells: 4 }
      - { id: well, connection: live, profile: sunspec-battery, address: 1, cells: ${CELLS} }
      - { id: wrong-unit, connection: live, profile: sunspec-battery, address: 9, cells: ${CELLS} }
      - { id: late, connection: late, profile: sunspec-battery, address: 1, cells: ${CELLS} }
`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bms-bad-input-'));
  await chmod(directory, 0o711);
  live_port = await serveUnit(0);
  late_port = await portNobodyListensOn();
  postgres = await startDemoPostgres(join(directory, 'postgres'));
  const { database_url } = postgres;
  await postgres.stop();
  await writeFile(join(directory, 'config.yaml'), configuration());
  gateway = startGateway(['run', '--config', join(directory, 'config.yaml')], {
    BMS_STATE_DIR: join(directory, 'state'),
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: PASSWORD,
    DATABASE_URL: database_url,
  });
  url = (await gateway.waitFor(/"url":"(http:[^"]+)"/))[1];
  ({ get } = await logIn(url, 'admin', PASSWORD));
});

afterAll(async () => {
  await gateway?.stop();
  for (const server of servers) server.close();
  await postgres?.stop().catch(() => undefined);
  await rm(directory, { recursive: true, force: true });
});

async function component(name: string) {
  const status = (await get('/api/system/status')) as SystemStatus;
  return status.components.find(one => one.name === name);
}

test('each fault is one line in the status and in the log, without a secret', async () => {
  await expect
    .poll(() => component('connection:absent'), { timeout: 20_000 })
    .toMatchObject({
      state: 'down',
      reason: expect.stringMatching(/can77|SocketCAN/),
    });
  await expect
    .poll(() => component('connection:late'), { timeout: 20_000 })
    .toMatchObject({
      state: 'down',
      reason: expect.stringContaining(`127.0.0.1:${late_port}`),
    });
  await expect
    .poll(() => component('connection:live'), { timeout: 20_000 })
    .toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('unit 9'),
    });
  await expect
    .poll(() => component('upstream'), { timeout: 20_000 })
    .toMatchObject({
      state: 'down',
      reason: expect.stringMatching(/127\.0\.0\.1.*"bms"/),
    });
  const secret = new URL(postgres?.database_url ?? '').password;
  const status = JSON.stringify(await get('/api/system/status'));
  for (const text of [status, gateway.output()]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(PASSWORD);
  }
  expect(gateway.output()).toMatch(new RegExp(`"connection":"late".*127\\.0\\.0\\.1:${late_port}`));
});

test('what works is served: the good unit is read while the others are not there', async () => {
  await expect
    .poll(() => get('/api/packs/well'), { timeout: 20_000 })
    .toMatchObject({
      summary: { state: 'ok' },
      cells: { voltage_v: { values: [3.301, 3.302, 3.303, 3.304], quality: 'gggg' } },
    });
  const silent = (await get('/api/packs/wrong-unit')) as PackDetail;
  expect(silent.summary.state).toBe('offline');
  expect(silent.cells.voltage_v).toEqual({ values: [null, null, null, null], quality: 'mmmm' });
});

test('a refused connection recovers by itself', async () => {
  await serveUnit(late_port);
  await expect
    .poll(() => get('/api/packs/late'), { timeout: 60_000 })
    .toMatchObject({ summary: { state: 'ok' }, cells: { voltage_v: { quality: 'gggg' } } });
  await expect
    .poll(() => component('connection:late'), { timeout: 5000 })
    .toMatchObject({ state: 'ok', reason: null });
});

test('PostgreSQL that comes late gets everything from the beginning, once', async () => {
  const { database_url } = await restartPostgresOnSamePort();
  await expect
    .poll(() => component('upstream'), { timeout: 60_000 })
    .toMatchObject({ state: 'ok', reason: null });
  const client = new pg.Client({ connectionString: database_url });
  await client.connect();
  const count = async (sql: string) => Number((await client.query(sql)).rows[0].count);
  await expect
    .poll(
      () =>
        count(`select count(distinct ts) from readings where cell_id like 'well/%' and voltage is not null`),
      {
        timeout: 30_000,
      },
    )
    .toBeGreaterThan(10);
  expect(
    await count('select count(*) from (select 1 from readings group by cell_id, ts having count(*) > 1) d'),
  ).toBe(0);
  await client.end();
});

/** The port the gateway was given at its start is the one to come back on. */
async function restartPostgresOnSamePort(): Promise<DemoPostgres> {
  const port = Number(new URL(postgres?.database_url ?? '').port);
  postgres = await startDemoPostgres(join(directory, 'postgres'), port);
  return postgres;
}

test('SIGTERM ends it cleanly', async () => {
  const { code, took_ms } = await gateway.stop('SIGTERM');
  expect(code, gateway.output()).toBe(0);
  expect(took_ms).toBeLessThan(5000);
});

test('a wrong configuration is refused with line, path, found and expected; exit code 2', async () => {
  const file = join(directory, 'wrong.yaml');
  await writeFile(
    file,
    configuration().replace('cells: 4 }', 'cells: many }').replace('interval_ms', 'intervall_ms'),
  );
  for (const args of [
    ['check-config', file],
    ['run', '--config', file],
  ]) {
    const refused = startGateway(args, { BMS_STATE_DIR: join(directory, 'state2') });
    expect(await refused.exited).toBe(2);
    expect(refused.output()).toMatch(/wrong\.yaml:3:\d+ .*intervall_ms/);
    expect(refused.output()).toMatch(
      /wrong\.yaml:11:\d+ batteries\[0\]\.packs\[0\]\.cells: found "many", expected/,
    );
  }
});
