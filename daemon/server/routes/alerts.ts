/** Alerts, active and past, page by page. */
import { AlertQuery, AlertsReply, type AlertQuery as Query } from '../../../core/contract/http.ts';
import type { AlertView } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import { alertPage } from '../../store/read/alert-page.ts';
import type { AlertRequest } from '../../store/store.ts';
import { requireAccess, type Viewer } from '../auth/access.ts';
import { visibleAlerts } from '../auth/visible.ts';
import { type CsvValue, nextPage, sendCsv, wantsCsv } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const DEFAULT_LIMIT = 200;

export function addAlertRoutes(app: App, { services, visible }: ServerContext): void {
  const { store, topology } = services;
  app.get(
    '/api/alerts',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Alerts, newest first',
        querystring: AlertQuery,
        response: { 200: AlertsReply, ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      const { battery_id, pack_id, about } = request.query;
      if (about === 'gateway') requireAccess('moderator', viewer, false);
      if (battery_id !== undefined) visible.battery(viewer, battery_id);
      if (pack_id !== undefined) visible.pack(viewer, pack_id);
      const asked = requestOf(request.query, viewer);
      // One more than asked for shows whether there is another page.
      const wanted = { ...asked, limit: asked.limit + 1 };
      const found =
        asked.state === 'active' ? alertPage(services.alerts.active(), wanted) : await store.alerts(wanted);
      const page = found.slice(0, asked.limit);
      const last = page.at(-1);
      const next = found.length > asked.limit && last ? `${last.raised_ms}~${last.id}` : null;
      const { alerts } = visibleAlerts(page, viewer, topology);
      if (!wantsCsv(request)) return { alerts, next };
      if (next !== null) reply.header('link', nextPage(request.url, next));
      return sendCsv(reply, `alerts-${topology.gateway_id}`, CSV_HEADER, alerts.map(csvRow)) as never;
    },
  );
}

function requestOf(query: Query, viewer: Viewer): AlertRequest {
  const { pack_id, severity, from_ms, to_ms, state = 'all', limit = DEFAULT_LIMIT } = query;
  if (from_ms !== undefined && to_ms !== undefined && from_ms > to_ms)
    throw new GatewayError(
      'BAD_REQUEST',
      `query.from_ms: found ${from_ms}, expected at most to_ms, ${to_ms}`,
    );
  const battery_ids = batteriesOf(query, viewer);
  const [raised_ms, ...id] = query.cursor?.split('~') ?? [];
  const after = raised_ms === undefined ? undefined : { raised_ms: Number(raised_ms), id: id.join('~') };
  return { state, limit, battery_ids, pack_id, severity, from_ms, to_ms, after };
}

/** Null among them: the gateway itself. */
function batteriesOf({ battery_id, about }: Query, viewer: Viewer): (string | null)[] | undefined {
  if (about === 'gateway') return battery_id === undefined ? [null] : [];
  if (battery_id !== undefined) return [battery_id];
  return viewer.batteries && [...viewer.batteries, ...(viewer.sees_gateway ? [null] : [])];
}

const CSV_HEADER = [
  ...['raised', 'cleared', 'severity', 'state', 'battery_id', 'battery_name', 'pack_id', 'pack_name'],
  ...['cell_no', 'rule_id', 'message', 'value', 'threshold', 'unit', 'id'],
];

function csvRow(alert: AlertView): CsvValue[] {
  const moment = (t_ms: number | null) => (t_ms === null ? null : new Date(t_ms).toISOString());
  return [
    ...[moment(alert.raised_ms), moment(alert.cleared_ms), alert.severity, alert.state],
    ...[alert.battery_id, alert.battery_name, alert.pack_id, alert.pack_name],
    ...[alert.cell_no, alert.rule_id, alert.message, alert.value, alert.threshold, alert.unit, alert.id],
  ];
}
