/** Alert rules, for administrators. */
import Type from 'typebox';
import { Settings, SettingsReply } from '../../../core/contract/http.ts';
import { RuleImportBody, RuleImportReply } from '../../../core/contract/rule-file.ts';
import { RulePreviewBody, RulePreviewReply } from '../../../core/contract/rule-preview.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const config = { access: 'admin' } as const;

export function addAdminRoutes(app: App, context: ServerContext): void {
  const { alerts, clock } = context.services;
  addPreview(app, context);
  addRuleFiles(app, context);
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

function addRuleFiles(app: App, { services: { rule_files, alerts, topology, clock } }: ServerContext): void {
  app.get(
    '/api/admin/settings/export',
    {
      config,
      schema: {
        summary: 'The alert rules as they hold, as YAML in the shape of the configuration',
        response: { 200: Type.String(), ...problems(401, 403) },
      },
    },
    async (_, reply) => {
      reply.type('application/yaml; charset=utf-8');
      reply.header('content-disposition', `attachment; filename="alert-rules-${topology.gateway_id}.yaml"`);
      return rule_files.text();
    },
  );
  app.post(
    '/api/admin/settings/import',
    {
      config: { ...config, audit: 'settings.import' },
      schema: {
        summary: 'Takes alert rules from YAML in place of all that hold, or says what that would change',
        body: RuleImportBody,
        response: { 200: RuleImportReply, ...problems(400, 401, 403, 409) },
      },
    },
    async request => {
      const before = alerts.settings();
      const act = { by: viewerOf(request).user.username, at_ms: clock.wallMs() };
      const { yaml: _, ...asked } = request.body;
      const reply = await rule_files.take(request.body, act);
      const lines = (side: 'before' | 'after') =>
        Object.fromEntries(
          reply.differences.map(({ rule_id, lines }) => [
            rule_id,
            Object.fromEntries(lines.map(line => [line.what, line[side]])),
          ]),
        );
      const isTaken = reply.settings.version !== before.version;
      request.audited = {
        target: reply.differences.map(({ rule_id }) => rule_id).join(' '),
        ...(isTaken && { old: lines('before') }),
        new: isTaken ? lines('after') : asked,
      };
      return reply;
    },
  );
}

const PREVIEW_MS = 7 * 86_400_000;

function addPreview(app: App, { services: { previews, clock } }: ServerContext): void {
  app.post(
    '/api/admin/settings/preview',
    {
      config: { ...config, audit: false },
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
