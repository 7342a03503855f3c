/** What the status, the room `system` and the metrics show to whom: one rule, three outlets. */
import { expect, test } from 'vitest';
import type { ComponentStatus, SystemStatus } from '../../../core/contract/http.ts';
import type { Role } from '../../../core/contract/roles.ts';
import type { GatewayServices } from '../services.ts';
import { start } from '../testing/live.ts';

const connection = (id: string): ComponentStatus => ({
  name: `connection:${id}`,
  state: 'degraded',
  reason: `secret of ${id}`,
  code: 'LINK_REFUSED',
  counters: { [`frames_of_${id}`]: 3 },
});
const COMPONENTS: ComponentStatus[] = [
  ...[connection('own'), connection('shared'), connection('foreign'), connection('of_nobody')],
  {
    name: 'upstream',
    state: 'down',
    reason: 'secret: database "bms" refuses user "bms"',
    code: 'UPSTREAM_REFUSED',
    counters: { rows_behind: 8 },
  },
  { name: 'store', state: 'ok', reason: null, counters: { commits: 7 } },
];

/** North (packs n1, n2) is on `own` and `shared`, south (s1) on `shared` and `foreign`. */
function wired(services: GatewayServices): GatewayServices {
  const { topology } = services;
  const [n1, n2, s1] = topology.packs;
  const packs = [
    { ...n1, connection_id: 'own' },
    { ...n2, connection_id: 'shared' },
    { ...s1, connection_id: 'shared' },
    { ...s1, pack: 3, id: 's2', connection_id: 'foreign' },
  ];
  const status = (): SystemStatus => ({ ...services.status(), components: COMPONENTS });
  return { ...services, topology: { ...topology, packs }, status };
}

const NAMES = { una: 'user', mo: 'moderator', ada: 'admin' } as const satisfies Record<string, Role>;
async function shown(username: keyof typeof NAMES) {
  const { url, connect } = await start({}, wired);
  const client = await connect(username);
  const { headers } = client;
  const get = (path: string) => fetch(`${url}${path}`, { headers });
  const status = (await (await get('/api/system/status')).json()) as SystemStatus;
  const room = (await client.subscribed('system')).data as SystemStatus;
  expect(room.components).toEqual(status.components);
  return { components: status.components, metrics: await (await get('/metrics')).text() };
}

const secrets = (value: unknown) => JSON.stringify(value).match(/secret of \w+|secret: database/g) ?? [];

test('a user sees connections of own batteries, and of the gateway’s parts the bare state', async () => {
  const { components, metrics } = await shown('una');
  expect(components.map(({ name }) => name)).toEqual([
    ...['connection:own', 'connection:shared', 'upstream', 'store'],
  ]);
  expect(secrets(components)).toEqual(['secret of own']);
  expect(components.slice(1)).toMatchObject([
    { state: 'degraded', reason: expect.stringContaining('not yours'), counters: {} },
    { state: 'down', reason: expect.stringContaining('moderators'), counters: {} },
    { state: 'ok', reason: null, counters: {} },
  ]);
  expect(JSON.stringify(components)).not.toContain('UPSTREAM_REFUSED');
  expect(metrics).toContain('component_up{component="connection:own"}');
  expect(metrics).not.toMatch(/foreign|of_nobody|rows_behind|frames_of_shared/);
});

test('a moderator also sees what the centre says, an administrator everything', async () => {
  const moderator = await shown('mo');
  expect(secrets(moderator.components)).toEqual(['secret of own', 'secret: database']);
  expect(moderator.metrics).toContain('rows_behind{component="upstream"} 8');
  expect(moderator.metrics).not.toMatch(/foreign|of_nobody/);
  const admin = await shown('ada');
  expect(admin.components).toEqual(COMPONENTS);
  expect(admin.metrics).toContain('frames_of_foreign');
});
