/** Occurrences of alerts as a table for other programs: a line for each time that a condition began. */
import Type from 'typebox';
import type { Alert } from '../../../core/alerts/alert.ts';
import { HOUR_MS } from '../../../core/contract/completeness.ts';
import { AlertExportQuery } from '../../../core/contract/export.ts';
import { GatewayError } from '../../../core/errors.ts';
import { type AlertOccurrence, alertOccurrences } from '../../../core/reports/alert-occurrences.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { Store } from '../../store/store.ts';
import { type CsvValue, sendCsv } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const MAX_SPAN_MS = 62 * 24 * HOUR_MS;
const MAX_EVENTS = 200_000;
const PAGE = 1000;
/** A clock may be years ahead for a while. */
const EVER_MS = Number.MAX_SAFE_INTEGER;

export function addAlertExportRoute(app: App, { services, visible }: ServerContext): void {
  const { store, topology } = services;
  app.get(
    '/api/export/alerts',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Occurrences of alerts as CSV: raised, acknowledged, returned, over',
        querystring: AlertExportQuery,
        response: { 200: Type.String(), ...problems(400, 401, 404, 503) },
      },
    },
    async (request, reply) => {
      const { from_ms, to_ms, battery_id, pack_id } = request.query;
      if (!(from_ms < to_ms && to_ms - from_ms <= MAX_SPAN_MS))
        throw new GatewayError(
          'BAD_REQUEST',
          `query: found from_ms ${from_ms} and to_ms ${to_ms}, expected a span of at most 62 days with from_ms first`,
        );
      const viewer = viewerOf(request);
      if (battery_id !== undefined) visible.battery(viewer, battery_id);
      if (pack_id !== undefined) visible.pack(viewer, pack_id);
      const events = await store.alertEvents({ from_ms, to_ms: EVER_MS, limit: MAX_EVENTS });
      // The oldest are left out then, which are those that were asked for.
      if (events.length >= MAX_EVENTS)
        throw new GatewayError(
          'BAD_REQUEST',
          `query.from_ms: found ${MAX_EVENTS} changes of alerts and more since ${from_ms}, expected a later begin`,
        );
      const wanted = events.filter(
        event =>
          viewer.sees(event.battery_id) &&
          (battery_id === undefined || event.battery_id === battery_id) &&
          (pack_id === undefined || event.pack_id === pack_id),
      );
      const alerts = await alertsById(store, new Set(wanted.map(event => event.alert_id)));
      const found = alertOccurrences(wanted, alerts, to_ms);
      const name = `alerts-${topology.gateway_id}-${new Date(from_ms).toISOString().slice(0, 10)}`;
      return sendCsv(reply, name, HEADER, rows(found, topology)) as never;
    },
  );
}

/** As they are now; page by page, from the newest on, until all are there. */
async function alertsById(
  store: Pick<Store, 'alerts'>,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Alert>> {
  const found = new Map<string, Alert>();
  let after: Alert | undefined;
  while (found.size < ids.size) {
    const page = await store.alerts({ state: 'all', limit: PAGE, after });
    for (const alert of page) if (ids.has(alert.id)) found.set(alert.id, alert);
    after = page.at(-1);
    if (page.length < PAGE) break;
  }
  return found;
}

const HEADER = [
  ...['alert_id', 'occurrence', 'raised_at', 'acknowledged_at', 'acknowledged_by', 'returned_at', 'over_at'],
  ...['severity', 'rule_id', 'battery_id', 'battery_name', 'pack_id', 'pack_name', 'cell_no'],
  ...['connection_id', 'message'],
];

function* rows(
  occurrences: readonly AlertOccurrence[],
  { batteries, packs }: Topology,
): Generator<CsvValue[]> {
  const nameOf = (nodes: readonly { readonly id: string; readonly name: string }[]) => {
    const names = new Map(nodes.map(({ id, name }) => [id, name]));
    return (id: string | null) => (id === null ? null : (names.get(id) ?? null));
  };
  const [batteryName, packName] = [nameOf(batteries), nameOf(packs)];
  for (const { alert, ...one } of occurrences) {
    const { battery_id, pack_id } = alert;
    yield [
      ...[alert.id, one.occurrence, moment(one.raised_ms), moment(one.acknowledged_ms), one.acknowledged_by],
      ...[moment(one.returned_ms), moment(one.over_ms), one.severity, alert.rule_id],
      ...[battery_id, batteryName(battery_id), pack_id, packName(pack_id), alert.cell_no],
      ...[alert.connection_id, alert.message],
    ];
  }
}

const moment = (t_ms: number | null) => (t_ms === null ? null : new Date(t_ms).toISOString());
