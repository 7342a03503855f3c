/** Alerts, active and past. */
import { AlertQuery, AlertsReply } from '../../../core/contract/http.ts';
import { visibleAlerts } from '../live/rooms.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const DEFAULT_LIMIT = 200;

export function addAlertRoutes(app: App, { services }: ServerContext): void {
  app.get(
    '/api/alerts',
    {
      config: { access: 'login' },
      schema: { querystring: AlertQuery, response: { 200: AlertsReply, ...problems(400, 401) } },
    },
    async request => {
      const viewer = viewerOf(request);
      const { state = 'all', limit = DEFAULT_LIMIT } = request.query;
      if (state === 'active') {
        const { alerts } = visibleAlerts(services.alerts.active(), viewer, services.topology);
        return { alerts: alerts.slice(0, limit) };
      }
      const battery_ids = viewer.batteries && [...viewer.batteries];
      const found = await services.store.alerts({ state, limit, battery_ids });
      return visibleAlerts(found, viewer, services.topology);
    },
  );
}
