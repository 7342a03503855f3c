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
      config: { ...config, audit: 'settings.change' },
      schema: {
        summary: 'Changes thresholds',
        body: Settings,
        response: { 200: SettingsReply, ...problems(400, 401, 403) },
      },
    },
    async request => {
      const before = alerts.settings();
      const after = await alerts.changeSettings(request.body);
      const rules = Object.keys(request.body.thresholds).filter(id => differs(before, after, id));
      request.audited = {
        target: rules.join(' '),
        old: thresholdsOf(before, rules),
        new: thresholdsOf(after, rules),
      };
      return after;
    },
  );
}

function differs(before: SettingsReply, after: SettingsReply, id: string): boolean {
  return JSON.stringify(before.thresholds[id]) !== JSON.stringify(after.thresholds[id]);
}

/** What of these rules a change can alter. */
function thresholdsOf({ thresholds }: SettingsReply, rules: readonly string[]) {
  return Object.fromEntries(
    rules.map(id => {
      const { raise_at, clear_at, delay_ms } = thresholds[id]!;
      return [id, { raise_at, clear_at, delay_ms }];
    }),
  );
}
