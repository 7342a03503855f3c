/** A server with a small site behind it and clients of the live feed, for the tests of this folder. */
import { afterEach } from 'vitest';
import type { ServerLimits } from '../limits.ts';
import { createServer, type HttpServer } from '../server.ts';
import type { GatewayServices } from '../services.ts';
import { TestClient } from './live-client.ts';
import { addTestUsers, makeTestSite, PASSWORD, type TestSite, testOptions } from './test-site.ts';

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
  { session_hours = 12, cell_count = 4 } = {},
): Promise<Started> {
  const site = makeTestSite({ cell_count });
  await addTestUsers(site);
  const server = await createServer(change(site.services), testOptions({ limits, session_hours }));
  servers.push(server);
  const { url } = await server.listen();
  const token = async (username: string): Promise<string> => {
    const payload = { username, password: PASSWORD };
    const reply = await server.app.inject({ method: 'POST', url: '/api/auth/login', payload });
    return reply.json().token;
  };
  const connect = async (username: string, protocols?: string[]) =>
    TestClient.open(url, { authorization: `Bearer ${await token(username)}` }, protocols);
  return { site, server, url, token, connect };
}
