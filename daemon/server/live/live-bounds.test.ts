/** How many live connections there may be, of whom, and that a busy store ends none of them. */
import { expect, test } from 'vitest';
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../../store/store.ts';
import { PasswordHasher } from '../auth/passwords.ts';
import { UserDirectory } from '../auth/users.ts';
import type { GatewayServices } from '../services.ts';
import { start } from '../testing/live.ts';
import { TestClient } from '../testing/live-client.ts';
import { CHEAP } from '../testing/test-site.ts';

/** A store as ours: it takes 256 calls at a time, and refuses what is more. `busy`: it refuses all. */
function withCountedStore() {
  const state = { busy: false, refused: 0, under_way: 0 };
  const change = (services: GatewayServices): GatewayServices => {
    const { documents } = services.store;
    const counted: Documents = {
      list: kind => documents.list(kind),
      put: (kind, id, body) => documents.put(kind, id, body),
      delete: (kind, id) => documents.delete(kind, id),
      async get(kind, id) {
        if (state.busy || state.under_way >= 256) {
          state.refused++;
          throw new GatewayError('STORE_FAILED', 'reader, get: 256 calls are waiting already');
        }
        state.under_way++;
        await new Promise(setImmediate);
        state.under_way--;
        return documents.get(kind, id);
      },
    };
    return { ...services, store: { ...services.store, documents: counted } };
  };
  return { state, change };
}

test('500 clients of 25 users stay, and one more of an administrator; the store is never asked too much', async () => {
  const { state, change } = withCountedStore();
  const { site, server, url, connect } = await start({}, change);
  const users = new UserDirectory(site.documents, site.clock, new PasswordHasher(CHEAP), 0);
  for (let i = 0; i < 25; i++)
    await users.create({ username: `u${i}`, password: 'correct horse', role: 'user', batteries: ['north'] });
  const clients: TestClient[] = [];
  const one = await connect('una');
  one.socket.close();
  await one.closed;
  for (let i = 0; i < 25; i++) {
    const first = await connect(`u${i}`);
    const rest = Array.from({ length: 19 }, () => TestClient.open(url, first.headers));
    clients.push(first, ...(await Promise.all(rest)));
  }
  await expect(connect('una')).rejects.toThrow('503');
  const ada = await connect('ada');
  await expect(connect('ada')).rejects.toThrow('503');
  for (let second = 0; second < 6; second++) {
    site.clock.advance(1000);
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
  }
  await ada.settled();
  expect(clients.filter(({ socket }) => socket.readyState !== socket.OPEN)).toEqual([]);
  expect(server.status().counters.live_clients).toBe(501);
  expect(state.refused).toBe(0);
});

test('a busy store ends nobody’s session; a disabled user is ended once it answers again', async () => {
  const { state, change } = withCountedStore();
  const { site, connect } = await start({}, change);
  const [una, ada] = [await connect('una'), await connect('ada')];
  state.busy = true;
  for (let second = 0; second < 10; second++) {
    site.clock.advance(1000);
    await una.settled();
    await ada.settled();
  }
  expect(state.refused).toBeGreaterThan(0);
  expect([una, ada].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  const users = new UserDirectory(site.documents, site.clock, new PasswordHasher(CHEAP), 0);
  await users.change('una', { disabled: true });
  state.busy = false;
  site.clock.advance(3000);
  expect(await una.closed).toMatchObject({ code: 4401 });
  await ada.settled();
});

test('one user has a share of the connections only', async () => {
  const { connect } = await start({ live_clients_per_user: 2 });
  const [first] = [await connect('una'), await connect('una')];
  await expect(connect('una')).rejects.toThrow('429');
  await connect('mo');
  first.socket.close();
  await first.closed;
  await connect('una');
});

test('of handshakes that come all at once no more are let in either', async () => {
  const { server, url, connect } = await start({ live_clients_per_user: 3 });
  const first = await connect('una');
  const all = await Promise.allSettled(Array.from({ length: 12 }, () => TestClient.open(url, first.headers)));
  for (const one of all) if (one.status === 'fulfilled') await one.value.next('hello').catch(() => undefined);
  expect(server.status().counters.live_clients).toBe(3);
});
