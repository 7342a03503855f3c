/** Alerts, active and past, page by page. */
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Alert } from '../../../core/alerts/alert.ts';
import type { Act } from '../../../core/alerts/lifecycle.ts';
import {
  Acknowledge,
  AlertQuery,
  AlertsReply,
  Note,
  type AlertQuery as Query,
  Shelve,
} from '../../../core/contract/http.ts';
import { AlertView } from '../../../core/contract/model.ts';
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
const AlertParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) });

export function addAlertRoutes(app: App, context: ServerContext): void {
  const { services, visible } = context;
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
        asked.state === 'active' || asked.state === 'open'
          ? alertPage(services.alerts.open(), wanted)
          : await store.alerts(wanted);
      const page = found.slice(0, asked.limit);
      const last = page.at(-1);
      const next = found.length > asked.limit && last ? `${last.raised_ms}~${last.id}` : null;
      const { alerts } = visibleAlerts(page, viewer, services);
      if (!wantsCsv(request)) return { alerts, next };
      if (next !== null) reply.header('link', nextPage(request.url, next));
      return sendCsv(reply, `alerts-${topology.gateway_id}`, CSV_HEADER, alerts.map(csvRow)) as never;
    },
  );
  addHandling(app, context);
}

/** What people do with an alert: for the batteries in their care. */
function addHandling(app: App, { services }: ServerContext): void {
  const { alerts } = services;
  const handle = <Body>(
    request: FastifyRequest,
    id: string,
    act: (by: Act, body: Body) => Alert | undefined,
  ): AlertView => {
    const viewer = viewerOf(request);
    const before = alerts.open().find(alert => alert.id === id);
    const isSeen = before && viewer.sees(before.battery_id);
    const by = { by: viewer.user.username, at_ms: services.clock.wallMs() };
    const after = isSeen ? act(by, request.body as Body) : undefined;
    if (!after)
      throw new GatewayError('NOT_FOUND', `There is no open alert '${id.slice(0, 80)}': perhaps it is over`);
    request.audited = { target: id, new: { message: after.message, ...(request.body as object) } };
    return visibleAlerts([after], viewer, services).alerts[0];
  };
  const replies = { 200: AlertView, ...problems(400, 401, 403, 404) };
  const params = AlertParams;
  app.post(
    '/api/alerts/:id/acknowledge',
    {
      config: { access: 'moderator', audit: 'alert.acknowledge' },
      schema: {
        summary: 'Says that somebody has seen an alert; where its condition has ended it is over',
        params,
        body: Acknowledge,
        response: replies,
      },
    },
    async request =>
      handle<Acknowledge>(request, request.params.id, (by, { note }) =>
        alerts.acknowledge(request.params.id, by, note ?? null),
      ),
  );
  app.post(
    '/api/alerts/:id/note',
    {
      config: { access: 'moderator', audit: 'alert.note' },
      schema: { summary: 'Writes a note to an alert', params, body: Note, response: replies },
    },
    async request =>
      handle<Note>(request, request.params.id, (by, { text }) => alerts.note(request.params.id, by, text)),
  );
  app.post(
    '/api/alerts/:id/shelve',
    {
      config: { access: 'moderator', audit: 'alert.shelve' },
      schema: {
        summary: 'Shelves an alert for a time: it is judged, but neither counted nor notified',
        params,
        body: Shelve,
        response: replies,
      },
    },
    async request =>
      handle<Shelve>(request, request.params.id, (by, body) => alerts.shelve(request.params.id, by, body)),
  );
  app.post(
    '/api/alerts/:id/unshelve',
    {
      config: { access: 'moderator', audit: 'alert.unshelve' },
      schema: { summary: 'Takes an alert from the shelf before its time', params, response: replies },
    },
    async request => handle(request, request.params.id, by => alerts.unshelve(request.params.id, by)),
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
  ...['lifecycle', 'occurrences', 'last_occurrence', 'earlier_occurrences', 'unknown_since'],
  ...['acknowledged', 'acknowledged_by', 'acknowledged_note'],
  ...['shelved_until', 'shelved_by', 'shelved_reason', 'suppressed_by', 'connection_id'],
  ...['page_path', 'out_of_service_until', 'out_of_service_by', 'out_of_service_reason'],
];

function csvRow(alert: AlertView): CsvValue[] {
  const { acknowledged, shelved, out_of_service } = alert;
  const moment = (t_ms: number | null) => (t_ms === null ? null : new Date(t_ms).toISOString());
  return [
    ...[moment(alert.raised_ms), moment(alert.cleared_ms), alert.severity, alert.state],
    ...[alert.battery_id, alert.battery_name, alert.pack_id, alert.pack_name],
    ...[alert.cell_no, alert.rule_id, alert.message, alert.value, alert.threshold, alert.unit, alert.id],
    ...[alert.lifecycle, alert.occurrences, moment(alert.occurred_ms), alert.earlier_occurrences],
    moment(alert.unknown_since_ms),
    ...[moment(acknowledged?.at_ms ?? null), acknowledged?.by ?? null, acknowledged?.note ?? null],
    ...[moment(shelved?.until_ms ?? null), shelved?.by ?? null, shelved?.reason ?? null],
    ...[alert.suppressed_by, alert.connection_id, alert.page_path],
    ...[moment(out_of_service?.until_ms ?? null), out_of_service?.by ?? null, out_of_service?.reason ?? null],
  ];
}
