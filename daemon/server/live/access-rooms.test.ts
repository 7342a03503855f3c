/** Every room against everybody who may knock at the live feed. A kind of room without a line here fails to compile. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BINARY_PROTOCOL } from '../../../core/contract/live-binary.ts';
import type { Role } from '../../../core/contract/roles.ts';
import { buildApp } from '../app.ts';
import type { App, ServerContext } from '../options.ts';
import { addProvisional, badTokens, keysByRole, PROVISIONAL, ROLES } from '../testing/access.ts';
import { TestClient } from '../testing/live-client.ts';
import { addTestUsers, makeTestSite, testOptions, tokenOf } from '../testing/test-site.ts';
import type { RoomKind } from './rooms.ts';

type Answer = 'state' | 'NOT_FOUND' | 'BAD_REQUEST';
const all = (answer: Answer) => ({ user: answer, moderator: answer, admin: answer });
/** Users and moderators are assigned `north` (packs n1, n2). */
const FOREIGN = { user: 'NOT_FOUND', moderator: 'NOT_FOUND', admin: 'state' } as const;

const ROOMS: Record<RoomKind, Record<string, Record<Role, Answer>>> = {
  fleet: { fleet: all('state'), 'fleet:north': all('BAD_REQUEST') },
  alerts: { alerts: all('state') },
  system: { system: all('state') },
  battery: {
    'battery:north': all('state'),
    'battery:south': FOREIGN,
    'battery:none': all('NOT_FOUND'),
    'battery:': all('BAD_REQUEST'),
  },
  pack: { 'pack:n2': all('state'), 'pack:s1': FOREIGN, 'pack:none': all('NOT_FOUND') },
};

async function enter(client: TestClient, room: string): Promise<Answer> {
  client.send({ type: 'subscribe', room });
  const from = client.messages.length;
  await client.settled();
  for (const message of client.messages.slice(from)) {
    if (message.type === 'state' && message.room === room) return 'state';
    if (message.type === 'error') return message.problem.code as Answer;
  }
  throw new Error(`no answer about ${room}`);
}

const site = makeTestSite();
let app: App;
let context: ServerContext;
let url: string;

beforeAll(async () => {
  await addTestUsers(site);
  ({ app, context } = await buildApp(site.services, testOptions()));
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  for (const pack of [0, 2]) {
    site.setCells(pack, 3.9);
    site.judge(pack);
  }
  site.raiseGatewayAlert();
});
afterAll(() => app.close());

const open = (token: string, protocols: string[] = []) =>
  TestClient.open(url, { authorization: `Bearer ${token}` }, protocols);

test('rooms by role, by login and by API key, in either form', async () => {
  const keys = await keysByRole(context);
  const answers: Record<string, Record<string, Answer>> = {};
  const expected: typeof answers = {};
  const clients: TestClient[] = [];
  // Who sees all comes first and stays, so that what is made for it could reach the others.
  for (const [role, username] of Object.entries(ROLES).reverse() as [Role, string][]) {
    const login = await tokenOf(context, username);
    for (const [who, token, protocols] of [
      ['login, JSON', login, []],
      ['login, binary', login, [BINARY_PROTOCOL]],
      ['key', keys[role], []],
    ] as const) {
      const client = await open(token, [...protocols]);
      const subject = `${role} by ${who}`;
      for (const [name, line] of Object.values(ROOMS).flatMap(rooms => Object.entries(rooms))) {
        answers[subject] = { ...answers[subject], [name]: await enter(client, name) };
        expected[subject] = { ...expected[subject], [name]: line[role] };
      }
      const received = JSON.stringify(client.states());
      expect(received.includes('"south"'), `${subject} sees south`).toBe(role === 'admin');
      expect(received).toContain('"north"');
      expect(received.includes('"storage_fault"'), `${subject} sees the gateway`).toBe(role !== 'user');
      clients.push(client);
    }
  }
  expect(answers).toEqual(expected);
  for (const { socket } of clients) socket.terminate();
});

test('no bad token opens the feed, nor one who has to choose a new password first', async () => {
  const refusal = (token: string) =>
    open(token).then(
      () => 'open',
      error => error.message,
    );
  for (const [name, token] of Object.entries(await badTokens(context, site)))
    expect(await refusal(token), name).toBe('401');
  await addProvisional(context);
  expect(await refusal(await tokenOf(context, PROVISIONAL))).toBe('403');
});
