/** How the gateway itself is doing, for people and for monitoring. */
import { ClockConfirmBody, ComponentStatus, HealthReply, SystemStatus } from '../../../core/contract/http.ts';
import { prometheusText, serverStatus } from '../metrics.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

export function addSystemRoutes(app: App, { services, counters, visible }: ServerContext): void {
  app.get(
    '/api/system/status',
    {
      config: { access: 'login' },
      schema: {
        summary: 'The parts of the gateway, how they are and what they counted',
        description:
          'Connections of one’s own batteries; reasons and counters of the gateway’s own parts from moderator on',
        response: { 200: SystemStatus, ...problems(401) },
      },
    },
    async request => visible.status(viewerOf(request), services.status()),
  );

  app.post(
    '/api/system/clock/confirm',
    {
      config: { access: 'admin', audit: 'clock.confirm' },
      schema: {
        summary: 'Says that the gateway’s clock is right, where nobody else vouches for it',
        description:
          'Times are certain from then on, for as long as this boot lasts and the clock is not set; earlier readings ' +
          'of the boot get their right times. Sets no clock. 409 where the time is certain already, or where the ' +
          'two clocks differ by more than five seconds.',
        body: ClockConfirmBody,
        response: { 200: ComponentStatus, ...problems(400, 401, 403, 409) },
      },
    },
    async request => {
      const { client_clock_ms } = request.body;
      const apart_ms = services.clock.wallMs() - client_clock_ms;
      const status = services.time.confirm(client_clock_ms);
      request.audited = { new: { client_clock: new Date(client_clock_ms).toISOString(), apart_ms } };
      return status;
    },
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
    async ({ viewer }, reply) => {
      const server = serverStatus(counters);
      const status = services.status();
      const is_listed = status.components.some(({ name }) => name === server.name);
      const all = is_listed ? status : { ...status, components: [...status.components, server] };
      // Without a login from the machine itself alone: whoever is on it may see all.
      const text = await prometheusText(viewer ? visible.status(viewer, all) : all);
      return reply
        .header('cache-control', 'no-store')
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(text);
    },
  );
}
