/** What wins where a value is given twice: the environment over the file, the file over what follows from it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Environment, readEnvironment } from './environment.ts';
import { type GatewayConfig, loadConfig } from './load.ts';
import { quietEnvironment, testProfiles } from './testing/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'precedence-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'config.yaml');

function load(text: string, environment: Environment = quietEnvironment): GatewayConfig {
  writeFileSync(file, text);
  return loadConfig(file, environment, testProfiles);
}

const SIMULATED = `site: { id: home }
connections: [{ id: bus, type: virtual-can }, { id: idle, type: virtual-modbus }]
batteries: [{ id: b1, packs: [{ id: p1, connection: bus, profile: acme-can, cells: 4 }] }]
`;

test('the environment wins over the file; SIMULATION_INTERVAL only where there is a simulation', () => {
  const text = `${SIMULATED}interval_ms: 500
upstream: { database_url: postgres://file/db }
server: { host: localhost, port: 1 }
storage: { directory: data }
`;
  const environment = readEnvironment({
    DATABASE_URL: 'postgres://env/db',
    SIMULATION_INTERVAL: '250',
    BMS_HTTP_HOST: '::1',
    BMS_HTTP_PORT: '0',
  });
  expect(load(text, environment).config).toMatchObject({
    interval_ms: 500,
    upstream: { database_url: 'postgres://env/db' },
    server: { host: '::1', port: 0 },
    storage: { directory: join(folder, 'data') },
  });
  expect(load(`${text}simulation: {}\n`, environment).config.interval_ms).toBe(250);
  expect(load(text).config).toMatchObject({
    upstream: { database_url: 'postgres://file/db' },
    server: { host: 'localhost', port: 1 },
  });
});

test('a slow interval does not make every pack silent', () => {
  expect(load(`${SIMULATED}interval_ms: 60000\n`).config.alerts.silent_after_ms).toBe(300_000);
  const slow = load(`${SIMULATED}simulation: {}\ninterval_ms: 60000\nalerts: { silent_after_ms: 90000 }\n`);
  expect(slow.config.alerts.silent_after_ms).toBe(90_000);
  expect(slow.warnings.map(({ path }) => path)).toContain('alerts.silent_after_ms');
});
