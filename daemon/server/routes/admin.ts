/** Alert rules, for administrators. */
import { Settings, SettingsReply } from '../../../core/contract/http.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const config = { access: 'admin' } as const;

export function addAdminRoutes(app: App, { services: { alerts, clock } }: ServerContext): void {
  app.get(
    '/api/admin/settings',
    {
      config,
      schema: {
        summary: 'Every alert rule with its limits, and where they come from',
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
        summary: 'Changes limits and delays of alert rules, effective at once',
        body: Settings,
        response: { 200: SettingsReply, ...problems(400, 401, 403) },
      },
    },
    async request => {
      const viewer = viewerOf(request);
      const before = alerts.settings();
      const act = { by: viewer.user.username, at_ms: clock.wallMs() };
      const after = await alerts.changeSettings(request.body, act);
      const rules = Object.keys(request.body.rules).filter(id => differs(before, after, id));
      request.audited = {
        target: rules.join(' '),
        old: changeable(before, rules),
        new: changeable(after, rules),
      };
      return after;
    },
  );
}

function differs(before: SettingsReply, after: SettingsReply, id: string): boolean {
  return JSON.stringify(before.rules[id]) !== JSON.stringify(after.rules[id]);
}

/** What of these rules a change can alter. */
function changeable({ rules }: SettingsReply, ids: readonly string[]) {
  return Object.fromEntries(
    ids.map(id => {
      const { limits, raise_after_ms, critical_after_ms, clear_after_ms, inhibit_ms, latch } = rules[id]!;
      return [id, { limits, raise_after_ms, critical_after_ms, clear_after_ms, inhibit_ms, latch }];
    }),
  );
}
