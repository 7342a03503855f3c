/** Paging, time spans, tables and conditional requests, as programs use them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlertsReply } from '../../core/contract/http.ts';
import { historyOfReadings, ThinnedSeries } from '../store/read/history.ts';
import { historyText } from '../store/read/history-text.ts';
import type { HistoryFormat, HistoryRequest } from '../store/store.ts';
import { buildApp } from './app.ts';
import type { App, ServerContext } from './options.ts';
import { addTestUsers, makeTestSite, PASSWORD, testOptions } from './testing/test-site.ts';

const site = makeTestSite();
let app: App;
let context: ServerContext;

beforeAll(async () => {
  await addTestUsers(site);
  const rows = new ThinnedSeries(3);
  const moments = [
    [13.2, -1.5, 50, 25, 3.3, 25],
    [Number.NaN, 0, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
    [13.1, 2, 50.5, 25.1, 3.287, 24.9],
  ];
  for (const [i, values] of moments.entries())
    rows.add((i + 1) * 1000, values.keys(), series => values[series]);
  const history = async (request: HistoryRequest, format: HistoryFormat) =>
    historyText(historyOfReadings(request, rows), format);
  const services = { ...site.services, store: { ...site.services.store, history } };
  ({ app, context } = await buildApp(services, testOptions({ limits: { histories_per_minute: 10 } })));
  // Twelve alerts in each battery, two at each moment.
  for (let i = 0; i < 12; i++) {
    for (const pack of [0, 2]) {
      site.setCells(pack, 3.9);
      site.judge(pack);
      site.setCells(pack, 3.3);
      site.judge(pack);
      // What nobody acknowledges would be one alert that comes and goes.
      for (const { id } of site.services.alerts.open())
        site.services.alerts.acknowledge(id, { by: 'ada', at_ms: site.clock.wallMs() }, null);
    }
    site.clock.advance(500);
  }
});
afterAll(() => app.close());

async function ask(username: string, url: string, headers: Record<string, string> = {}) {
  const login = {
    method: 'POST',
    url: '/api/auth/login',
    payload: { username, password: PASSWORD },
  } as const;
  const { token } = (await app.inject(login)).json();
  return app.inject({ url, headers: { authorization: `Bearer ${token}`, ...headers } });
}

async function allPages(username: string, query: string): Promise<AlertsReply['alerts']> {
  const seen: AlertsReply['alerts'] = [];
  for (let cursor = ''; ; ) {
    const { alerts, next } = (await ask(username, `/api/alerts?${query}${cursor}`)).json<AlertsReply>();
    seen.push(...alerts);
    if (next === null) return seen;
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

test.each(['all', 'cleared', 'active'])('pages of %s alerts make up the whole, each once', async state => {
  const whole = (await ask('ada', `/api/alerts?state=${state}&limit=1000`)).json<AlertsReply>();
  expect(whole.next).toBeNull();
  expect(await allPages('ada', `state=${state}&limit=5`)).toEqual(whole.alerts);
  expect(new Set(whole.alerts.map(({ id }) => id)).size).toBe(whole.alerts.length);
});

test('a full page is filled with what one may see, not thinned by what one may not', async () => {
  const { alerts, next } = (await ask('una', '/api/alerts?limit=10')).json<AlertsReply>();
  expect(alerts).toHaveLength(10);
  expect(alerts.every(({ battery_id }) => battery_id === 'north')).toBe(true);
  expect(next).not.toBeNull();
});

test('alerts are asked for by battery, pack, severity and span; what is not for one is not there', async () => {
  const count = async (username: string, query: string) =>
    (await ask(username, `/api/alerts?limit=1000&${query}`)).json().alerts?.length;
  const all = await count('ada', '');
  expect(await count('ada', 'battery_id=north')).toBe(all / 2);
  expect(await count('ada', 'pack_id=s1')).toBe(all / 2);
  expect(await count('ada', 'severity=info')).toBe(0);
  const from = site.clock.wallMs() - 2000;
  expect(await count('ada', `from_ms=${from}`)).toBeLessThan(all);
  expect((await count('ada', `from_ms=${from}`)) + (await count('ada', `to_ms=${from - 1}`))).toBe(all);
  for (const query of ['battery_id=south', 'pack_id=s1', 'pack_id=none'])
    expect((await ask('una', `/api/alerts?${query}`)).statusCode).toBe(404);
  for (const query of ['cursor=x', 'cursor=~', 'severity=loud', 'from_ms=2&to_ms=1', 'limit=0', 'format=xml'])
    expect((await ask('ada', `/api/alerts?${query}`)).json()).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    });
});

test('alerts as a table, with the way to the next page', async () => {
  const reply = await ask('una', '/api/alerts?limit=5&format=csv');
  expect(reply.headers).toMatchObject({
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': 'attachment; filename="alerts-test-gateway.csv"',
  });
  const lines = reply.body.split('\r\n');
  expect(lines[0]).toMatch(/^raised,cleared,severity,state,battery_id,/);
  expect(lines).toHaveLength(5 + 2);
  expect(lines[1]).toMatch(/^\d{4}-\d\d-\d\dT.*Z,.*,critical,cleared,north,North,n1,Pack n1,/);
  const [, next] = /^<(.*)>; rel="next"$/.exec(String(reply.headers.link)) ?? [];
  expect((await ask('una', next!)).body.split('\r\n').slice(1)).not.toContain(lines[1]);
});

test('history as a table: a row per moment, a column per series, nothing where nothing was', async () => {
  const expected = [
    'time,t_ms,time_certain,newest_age_ms,oldest_age_ms,is_repeated,voltage_v,current_a,soc_pct,temperature_c,cell_1_voltage_v,cell_1_temperature_c',
    '1970-01-01T00:00:01.000Z,1000,true,,,false,13.2,-1.5,50,25,3.3,25',
    '1970-01-01T00:00:02.000Z,2000,true,,,false,,0,,,,',
    '1970-01-01T00:00:03.000Z,3000,true,,,false,13.1,2,50.5,25.1,3.287,24.9',
    '',
  ].join('\r\n');
  expect((await ask('una', '/api/packs/n1/history?format=csv')).body).toBe(expected);
  expect((await ask('una', '/api/packs/n1/history', { accept: 'text/csv' })).body).toBe(expected);
  for (const accept of ['*/*', 'application/json, text/csv'])
    expect((await ask('una', '/api/packs/n1/history', { accept })).json().pack_id).toBe('n1');
  expect((await ask('una', '/api/packs/s1/history?format=csv')).statusCode).toBe(404);
});

test('histories are bounded by user: one who floods holds up nobody else', async () => {
  const asked = [];
  for (let i = 0; i < 11; i++) asked.push(await ask('mo', '/api/packs/n1/history'));
  expect(asked.map(({ statusCode }) => statusCode)).toEqual([...Array(10).fill(200), 429]);
  expect(asked.at(-1)!.json()).toMatchObject({
    code: 'RATE_LIMITED',
    detail: expect.stringContaining('10 '),
  });
  expect(Number(asked.at(-1)!.headers['retry-after'])).toBeGreaterThan(0);
  expect((await ask('ada', '/api/packs/n1/history')).statusCode).toBe(200);
});

test('the description of the API is sent once', async () => {
  const first = await app.inject({ url: '/api/openapi.json' });
  const { etag } = first.headers;
  expect(etag).toMatch(/^"[\w-]+"$/);
  const again = await app.inject({
    url: '/api/openapi.json',
    headers: { 'if-none-match': `W/"x", ${etag}` },
  });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect(
    (await app.inject({ url: '/api/openapi.json', headers: { 'if-none-match': '"x"' } })).statusCode,
  ).toBe(200);
});

test('every route of the description says what it is for and whom it is for', async () => {
  const { paths } = (await app.inject({ url: '/api/openapi.json' })).json();
  const lacking: string[] = [];
  for (const [path, methods] of Object.entries(paths as Record<string, Record<string, Operation>>))
    for (const [method, { summary, tags, 'x-access': access }] of Object.entries(methods))
      if ((!summary || !tags?.length || !access) && !/\/(auth|users|settings)\b/.test(path))
        lacking.push(`${method} ${path}`);
  expect(lacking).toEqual([]);
  for (const path of ['/api/alerts', '/api/packs/{id}/history'])
    expect(Object.keys(paths[path].get.responses['200'].content)).toEqual(['application/json', 'text/csv']);
  expect(context.routes.length).toBeGreaterThan(10);
});

interface Operation {
  readonly summary?: string;
  readonly tags?: string[];
  readonly 'x-access'?: string;
}
