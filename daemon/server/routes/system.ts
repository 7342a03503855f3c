/** How the gateway itself is doing, for people and for monitoring. */
import { ClockConfirmBody, ComponentStatus, HealthReply, SystemStatus } from '../../../core/contract/http.ts';
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
      const { told_ms } = request.body;
      const apart_ms = services.clock.wallMs() - told_ms;
      const status = services.time.confirm(told_ms);
      request.audited = { new: { told: new Date(told_ms).toISOString(), apart_ms } };
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
    async (_request, reply) => {
      const text = await prometheusText(services.status(), serverStatus(counters));
      return reply
        .header('cache-control', 'no-store')
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(text);
    },
  );
}
