/** Alert rules, for administrators. */
import { Settings, SettingsReply } from '../../../core/contract/http.ts';
import { RulePreviewBody, RulePreviewReply } from '../../../core/contract/rule-preview.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const config = { access: 'admin' } as const;

export function addAdminRoutes(app: App, context: ServerContext): void {
  const { alerts, clock } = context.services;
  addPreview(app, context);
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

const PREVIEW_MS = 7 * 86_400_000;

function addPreview(app: App, { services: { previews, clock } }: ServerContext): void {
  app.post(
    '/api/admin/settings/preview',
    {
      config,
      schema: {
        summary: 'What rules changed so would have raised, by the readings that are stored',
        description:
          'Nothing is changed. One at a time; where there is no time for all of the span the reply says how far it came',
        body: RulePreviewBody,
        response: { 200: RulePreviewReply, ...problems(400, 401, 403, 429, 503) },
      },
    },
    async (request, reply) => {
      const { rules, to_ms = clock.wallMs(), from_ms = Math.max(0, to_ms - PREVIEW_MS) } = request.body;
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return await previews.of({ rules }, { from_ms, to_ms }, gone.signal);
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
