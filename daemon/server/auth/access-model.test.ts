/**
 * Any order of logins, log-outs, new passwords, disabling, revoking, restarts and hours gone by: each token ever given
 * opens what it should, no more and no less. Against a model that knows nothing of tokens.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { buildApp } from '../app.ts';
import type { App, ServerContext } from '../options.ts';
import {
  addTestUsers,
  makeTestSite,
  PASSWORD,
  type TestSite,
  testOptions,
  tokenOf,
} from '../testing/test-site.ts';

const HOUR_MS = 3_600_000;
const SESSION_HOURS = 12;
const PEOPLE = ['una', 'mo'] as const;
type Person = (typeof PEOPLE)[number];

/** A token that was given to somebody, and whether it should still open anything. */
interface Given {
  readonly token: string;
  readonly of: Person | 'key';
  readonly id: string;
  readonly ends_ms: number;
  is_revoked: boolean;
}

class World {
  readonly site: TestSite;
  app!: App;
  context!: ServerContext;
  readonly given: Given[] = [];
  readonly passwords: Record<Person, string> = { una: PASSWORD, mo: PASSWORD };
  readonly disabled = new Set<Person>();
  #changes = 0;

  private constructor(site: TestSite) {
    this.site = site;
  }

  static async begin(): Promise<World> {
    const site = makeTestSite();
    await addTestUsers(site);
    const world = new World(site);
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const options = testOptions({ session_hours: SESSION_HOURS, jwt_secret: undefined });
    const built = await buildApp(this.site.services, options);
    this.app = built.app;
    this.context = built.context;
  }

  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, token?: string, payload?: object) {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    return this.app.inject({ method, url, headers, ...(payload && { payload }) });
  }

  async admin(method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) {
    return this.ask(method, url, await tokenOf(this.context, 'ada'), payload);
  }

  newPassword(): string {
    return `password number ${++this.#changes}`;
  }

  isAlive({ of, is_revoked, ends_ms }: Given): boolean {
    return !is_revoked && ends_ms > this.site.clock.wallMs() && (of === 'key' || !this.disabled.has(of));
  }

  revokeAllOf(person: Person, except?: Given): void {
    for (const one of this.given) if (one.of === person && one !== except) one.is_revoked = true;
  }

  async check(): Promise<void> {
    for (const one of this.given) {
      const { statusCode } = await this.ask('GET', '/api/batteries', one.token);
      expect(statusCode, JSON.stringify(one)).toBe(this.isAlive(one) ? 200 : 401);
    }
    const open = this.context.sessions.list().map(session => session.id);
    const expected = this.given.filter(one => one.of !== 'key' && this.isAlive(one)).map(one => one.id);
    expect(open.filter(id => this.given.some(one => one.id === id)).sort()).toEqual(expected.sort());
  }
}

type Step = (world: World) => Promise<void>;

const logIn =
  (person: Person): Step =>
  async world => {
    const body = { username: person, password: world.passwords[person] };
    const reply = await world.ask('POST', '/api/auth/login', undefined, body);
    expect(reply.statusCode).toBe(world.disabled.has(person) ? 401 : 200);
    if (reply.statusCode !== 200) return;
    const [session] = world.context.sessions
      .list(person)
      .filter(({ id }) => !world.given.some(one => one.id === id));
    const ends_ms = world.site.clock.wallMs() + SESSION_HOURS * HOUR_MS;
    world.given.push({ token: reply.json().token, of: person, id: session!.id, ends_ms, is_revoked: false });
  };

const withOne =
  (pick: number, of: (one: Given) => boolean, step: (world: World, one: Given) => Promise<void>): Step =>
  async world => {
    const known = world.given.filter(one => of(one) && world.isAlive(one));
    const one = known[pick % Math.max(1, known.length)];
    if (one) await step(world, one);
  };

const isSession = (one: Given) => one.of !== 'key';
const person = fc.constantFrom(...PEOPLE);
const pick = fc.nat({ max: 20 });

const steps: fc.Arbitrary<Step>[] = [
  person.map(logIn),
  pick.map(n =>
    withOne(n, isSession, async (world, one) => {
      await world.ask('POST', '/api/auth/logout', one.token);
      one.is_revoked = true;
    }),
  ),
  pick.map(n =>
    withOne(n, isSession, async (world, one) => {
      const of = one.of as Person;
      const body = { old_password: world.passwords[of], new_password: world.newPassword() };
      expect((await world.ask('PUT', '/api/auth/password', one.token, body)).statusCode).toBe(200);
      world.passwords[of] = body.new_password;
      world.revokeAllOf(of, one);
    }),
  ),
  pick.map(n =>
    withOne(n, isSession, async (world, one) => {
      await world.admin('DELETE', `/api/admin/sessions/${one.id}`);
      one.is_revoked = true;
    }),
  ),
  person.map(name => async world => {
    const password = world.newPassword();
    await world.admin('PUT', `/api/admin/users/${name}`, { password });
    world.passwords[name] = password;
    world.revokeAllOf(name);
  }),
  fc.tuple(person, fc.boolean()).map(([name, disabled]) => async world => {
    await world.admin('PUT', `/api/admin/users/${name}`, { disabled });
    if (disabled) {
      world.disabled.add(name);
      world.revokeAllOf(name);
    } else world.disabled.delete(name);
  }),
  fc.nat({ max: 20 }).map(hours => async world => {
    const expires_ms = world.site.clock.wallMs() + (hours + 1) * HOUR_MS;
    const name = `key ${world.given.length}`;
    const body = { name, role: 'user', expires_ms: hours > 10 ? null : expires_ms };
    const { key, secret } = (await world.admin('POST', '/api/admin/keys', body)).json();
    const ends_ms = hours > 10 ? Number.POSITIVE_INFINITY : expires_ms;
    world.given.push({ token: secret, of: 'key', id: key.id, ends_ms, is_revoked: false });
  }),
  pick.map(n =>
    withOne(
      n,
      one => !isSession(one),
      async (world, one) => {
        await world.admin('DELETE', `/api/admin/keys/${one.id}`);
        one.is_revoked = true;
      },
    ),
  ),
  fc.nat({ max: 9 * HOUR_MS }).map(ms => async world => world.site.clock.advance(ms)),
  fc.constant<Step>(async world => {
    expect((await world.admin('POST', '/api/admin/signing-keys')).statusCode).toBe(201);
  }),
  fc.constant<Step>(async world => {
    await world.app.close();
    await world.start();
  }),
];

test('each token opens what it should, whatever happened', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...steps), { minLength: 5, maxLength: 25 }), async sequence => {
      const world = await World.begin();
      try {
        for (const step of [logIn('una'), logIn('una'), ...sequence]) {
          await step(world);
          await world.check();
        }
      } finally {
        await world.app.close();
      }
    }),
    { numRuns: runsOf(15) },
  );
}, 180_000);
