/** A server with a small site behind it and clients of the live feed, for the tests of this folder. */
import { afterEach } from 'vitest';
import { PasswordHasher } from '../auth/passwords.ts';
import { Sessions, sessionKey } from '../auth/sessions.ts';
import { UserDirectory } from '../auth/users.ts';
import type { ServerLimits } from '../limits.ts';
import { createServer, type HttpServer } from '../server.ts';
import type { GatewayServices } from '../services.ts';
import {
  addTestUsers,
  CHEAP,
  JWT_SECRET,
  makeTestSite,
  type TestSite,
  testOptions,
} from '../test-services.ts';
import { TestClient } from './test-client.ts';

export interface Started {
  readonly site: TestSite;
  readonly server: HttpServer;
  readonly url: string;
  token(username: string): Promise<string>;
  connect(username: string, protocols?: string[]): Promise<TestClient>;
}

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

export async function start(
  limits: Partial<ServerLimits> = {},
  change: (services: GatewayServices) => GatewayServices = services => services,
  session_hours = 12,
): Promise<Started> {
  const site = makeTestSite();
  await addTestUsers(site);
  const server = await createServer(change(site.services), testOptions({ limits, session_hours }));
  servers.push(server);
  const { url } = await server.listen();
  const users = new UserDirectory(site.documents, site.clock, new PasswordHasher(CHEAP), 0);
  const key = await sessionKey(site.documents, JWT_SECRET);
  const sessions = new Sessions(key, site.topology.gateway_id, users, site.clock, session_hours);
  const token = async (username: string) => sessions.issue((await users.find(username))!);
  const connect = async (username: string, protocols?: string[]) =>
    TestClient.open(url, { authorization: `Bearer ${await token(username)}` }, protocols);
  return { site, server, url, token, connect };
}
