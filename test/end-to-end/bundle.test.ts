/** The bundle that a box runs is the same program: it finds its threads, migrations, profiles and page. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { HistoryReply } from '../../core/contract/http.ts';
import type { BatteryDetail, FleetState } from '../../core/contract/model.ts';
import { type GatewayProcess, logIn, startGateway } from '../support/gateway-process.ts';

const BUNDLE = fileURLToPath(new URL('../../dist/bms-gateway.mjs', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../daemon/config/demo.yaml', import.meta.url));
const PASSWORD = 'bundled with the rest';
let directory: string;
let gateway: GatewayProcess | undefined;

afterAll(async () => {
  await gateway?.stop();
  await rm(directory, { recursive: true, force: true });
});

test('it serves page and history of a fleet, and stops', async () => {
  directory = await mkdtemp(join(tmpdir(), 'bms-bundle-'));
  gateway = startGateway(
    ['run'],
    {
      BMS_CONFIG: CONFIG,
      BMS_STATE_DIR: directory,
      BMS_HTTP_PORT: '0',
      BMS_ADMIN_PASSWORD: PASSWORD,
      SIMULATION_INTERVAL: '500',
    },
    undefined,
    [BUNDLE],
  );
  const [, url] = await gateway.waitFor(/"url":"(http:[^"]+)"/);
  expect(await (await fetch(url)).text()).toContain('<script');
  const { token } = await logIn(url, 'admin', PASSWORD);
  const get = async <T>(path: string) =>
    (await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })).json() as Promise<T>;
  const { batteries } = await get<FleetState>('/api/batteries');
  expect(batteries.length).toBeGreaterThan(1);
  const { packs } = await get<BatteryDetail>(`/api/battery/${batteries[0].id}`);
  await expect
    .poll(async () => (await get<HistoryReply>(`/api/packs/${packs[0].id}/history`)).reading_count, {
      timeout: 20_000,
    })
    .toBeGreaterThan(2);
  expect((await gateway.stop('SIGTERM')).code).toBe(0);
});
