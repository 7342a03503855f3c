/** Thresholds, for administrators. */
import { Settings, SettingsReply } from '../../../core/contract/http.ts';
import type { App, ServerContext } from '../options.ts';
import { problems } from './replies.ts';

const config = { access: 'admin' } as const;

export function addAdminRoutes(app: App, { services: { alerts } }: ServerContext): void {
  app.get(
    '/api/admin/settings',
    {
      config,
      schema: {
        summary: 'Every alert rule with its threshold',
        response: { 200: SettingsReply, ...problems(401, 403) },
      },
    },
    async () => alerts.settings(),
  );
  app.put(
    '/api/admin/settings',
    {
      config,
      schema: {
        summary: 'Changes thresholds',
        body: Settings,
        response: { 200: SettingsReply, ...problems(400, 401, 403) },
      },
    },
    async request => alerts.changeSettings(request.body),
  );
}
