/** How the gateway itself is doing, for people and for monitoring. */
import { HealthReply, SystemStatus } from '../../../core/contract/http.ts';
import { prometheusText, serverStatus } from '../metrics.ts';
import type { App, ServerContext } from '../options.ts';
import { problems } from './replies.ts';

export function addSystemRoutes(app: App, { services, counters }: ServerContext): void {
  app.get(
    '/api/system/status',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Every part of the gateway, how it is and what it counted',
        response: { 200: SystemStatus, ...problems(401) },
      },
    },
    async () => services.status(),
  );

  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        summary: 'Whether the gateway works, nothing else',
        response: { 200: HealthReply, 503: HealthReply },
        security: [],
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store');
      return services.status().state === 'down'
        ? reply.code(503).send({ status: 'not_ok' })
        : reply.send({ status: 'ok' });
    },
  );

  app.get(
    '/metrics',
    { config: { access: 'login_or_local' }, schema: { hide: true } },
    async (_request, reply) => {
      const text = await prometheusText(services.status(), serverStatus(counters));
      return reply
        .header('cache-control', 'no-store')
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(text);
    },
  );
}
