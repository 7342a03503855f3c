/** Taking alerts, rules and packs out of service, and putting them back: for the batteries in one's care. */
import Type from 'typebox';
import type { OutOfService, ServiceScope } from '../../../core/alerts/out-of-service.ts';
import {
  OutOfServiceReply,
  OutOfServiceView,
  TakeOutOfService,
} from '../../../core/contract/out-of-service.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Viewer } from '../auth/access.ts';
import { visibleService } from '../auth/visible.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 700 }) });

export function addOutOfServiceRoutes(app: App, context: ServerContext): void {
  const { services } = context;
  const { alerts, clock } = services;
  app.get(
    '/api/out-of-service',
    {
      config: { access: 'login' },
      schema: {
        summary: 'What is out of service: alerts, rules of a pack, and whole packs',
        response: { 200: OutOfServiceReply, ...problems(401) },
      },
    },
    async request => ({ out_of_service: visibleService(viewerOf(request), services) }),
  );
  app.post(
    '/api/out-of-service',
    {
      config: { access: 'moderator', audit: 'alert.out_of_service' },
      schema: {
        summary: 'Takes an alert, a rule of a pack, or all rules of a pack out of service',
        description:
          'It is judged and shown, but neither counted nor notified, until somebody puts it back or the time is over. What ' +
          'is out of service already gets the new reason and time',
        body: TakeOutOfService,
        response: { 201: OutOfServiceView, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      const { reason, until_ms = null } = request.body;
      const at_ms = clock.wallMs();
      if (until_ms !== null && until_ms <= at_ms)
        throw new GatewayError(
          'BAD_REQUEST',
          `until_ms: found ${until_ms}, expected a time to come, after ${at_ms}`,
        );
      const scope = scopeOf(request.body, viewer, context);
      const entry = await alerts.takeOutOfService(scope, {
        by: viewer.user.username,
        at_ms,
        until_ms,
        reason,
      });
      request.audited = { target: entry.id, new: { ...scope, reason, until_ms } };
      reply.code(201);
      return visibleService(viewer, services).find(({ id }) => id === entry.id) as OutOfServiceView;
    },
  );
  app.delete(
    '/api/out-of-service/:id',
    {
      config: { access: 'moderator', audit: 'alert.in_service' },
      schema: {
        summary: 'Puts back in service',
        params: Params,
        response: { 204: Type.Null(), ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      const { id } = request.params;
      const entry: OutOfService | undefined = alerts.outOfService().find(one => one.id === id);
      if (!entry || !viewer.sees(entry.battery_id))
        throw new GatewayError(
          'NOT_FOUND',
          `'${id.slice(0, 80)}' is not out of service: perhaps it was put back`,
        );
      await alerts.putInService(id, { by: viewer.user.username, at_ms: clock.wallMs() });
      request.audited = { target: id, old: { reason: entry.reason, by: entry.by, until_ms: entry.until_ms } };
      return reply.code(204).send(null);
    },
  );
}

/** NOT_FOUND for what the viewer may not see, or what there is not. */
function scopeOf(
  { alert_id, pack_id, rule_id }: TakeOutOfService,
  viewer: Viewer,
  { services, visible }: ServerContext,
): ServiceScope {
  const { alerts, topology } = services;
  if (alert_id !== undefined && pack_id === undefined && rule_id === undefined) {
    const alert = alerts.open().find(({ id }) => id === alert_id);
    if (!alert || !viewer.sees(alert.battery_id))
      throw new GatewayError(
        'NOT_FOUND',
        `There is no open alert '${alert_id.slice(0, 80)}': perhaps it is over`,
      );
    const { battery_id, connection_id } = alert;
    return { rule_id: alert.rule_id, battery_id, pack_id: alert.pack_id, connection_id };
  }
  if (alert_id !== undefined || pack_id === undefined)
    throw new GatewayError(
      'BAD_REQUEST',
      'body: expected either alert_id, or pack_id with or without rule_id',
    );
  const pack = visible.pack(viewer, pack_id);
  if (rule_id !== undefined && !alerts.hasRule(rule_id, pack))
    throw new GatewayError(
      'BAD_REQUEST',
      `rule_id: found "${rule_id}", expected a rule that holds for pack ${pack_id}`,
    );
  const { battery_id } = topology.packs[pack];
  return { rule_id: rule_id ?? null, battery_id, pack_id, connection_id: null };
}
