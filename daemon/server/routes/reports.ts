/** Reports for those who are in charge of many batteries. */
import { CompletenessQuery, CompletenessReply, HOUR_MS } from '../../../core/contract/completeness.ts';
import { AlertReport, AlertReportQuery, FleetReport } from '../../../core/contract/http.ts';
import type { BatterySummary } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import { type AlertPerformance, alertPerformance } from '../../../core/reports/alert-performance.ts';
import type { PackNode } from '../../../core/topology/topology.ts';
import type { CompletenessRow } from '../../store/store.ts';
import { visibleFleet } from '../auth/visible.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const DAY_MS = 24 * HOUR_MS;
/** More hours than this are asked for in several requests. */
const MAX_SPAN_MS = 62 * DAY_MS;
/** Of a fleet in a flood for weeks; older ones are left out of the figures then. */
const MAX_EVENTS = 200_000;

export function addReportRoutes(app: App, { services }: ServerContext): void {
  app.get(
    '/api/reports/completeness',
    {
      config: { access: 'moderator' },
      schema: {
        summary: 'Readings expected, received, stored, repeated and synced, by pack and hour',
        querystring: CompletenessQuery,
        response: { 200: CompletenessReply, ...problems(400, 401, 403, 503) },
      },
    },
    async request => {
      const { to_ms = services.clock.wallMs(), from_ms = to_ms - DAY_MS } = request.query;
      refuseSpan(from_ms, to_ms);
      const rows = await services.store.completeness({ from_ms, to_ms });
      const viewer = viewerOf(request);
      const seen = services.topology.packs.filter(({ battery_id }) => viewer.sees(battery_id));
      return { from_ms, to_ms, ...columnsOf(rows, seen) };
    },
  );
  app.get(
    '/api/reports/alerts',
    {
      config: { access: 'moderator' },
      schema: {
        summary: 'How well alerts serve the people who get them: the figures of ISA-18.2 and EEMUA 191',
        querystring: AlertReportQuery,
        response: { 200: AlertReport, ...problems(400, 401, 403, 503) },
      },
    },
    async request => {
      const { to_ms = services.clock.wallMs(), from_ms = to_ms - 30 * DAY_MS } = request.query;
      refuseSpan(from_ms, to_ms);
      const viewer = viewerOf(request);
      const isSeen = ({ battery_id }: { readonly battery_id: string | null }) => viewer.sees(battery_id);
      const events = await services.store.alertEvents({ from_ms, to_ms, limit: MAX_EVENTS });
      const open = services.alerts.open().filter(({ occurred_ms }) => occurred_ms < from_ms);
      const before = open.map(alert => ({
        ...alert,
        alert_id: alert.id,
        t_ms: alert.occurred_ms,
        change: alert.state === 'active' ? ('raised' as const) : ('cleared' as const),
      }));
      const report = alertPerformance(events.filter(isSeen), { from_ms, to_ms }, before.filter(isSeen));
      return withNames(report, services);
    },
  );
  app.get(
    '/api/reports/fleet',
    {
      config: { access: 'moderator' },
      schema: { summary: 'Batteries and totals', response: { 200: FleetReport, ...problems(401, 403) } },
    },
    async request =>
      fleetReport(visibleFleet(services.live.fleet(), viewerOf(request)).batteries, services.clock.wallMs()),
  );
}

/** With what people call rules and packs. */
function withNames(report: AlertPerformance, { topology, alerts }: ServerContext['services']): AlertReport {
  const names = new Map(topology.packs.map(({ id, name }) => [id, name]));
  const named = <T extends { readonly rule_id: string; readonly pack_id: string | null }>(of: readonly T[]) =>
    of.map(one => ({
      ...one,
      rule_label: alerts.ruleLabel(one.rule_id),
      pack_name: one.pack_id === null ? null : (names.get(one.pack_id) ?? one.pack_id),
    }));
  return {
    ...report,
    chattering: named(report.chattering),
    stale: named(report.stale),
    most_frequent: named(report.most_frequent),
  };
}

function refuseSpan(from_ms: number, to_ms: number): void {
  if (from_ms < to_ms && to_ms - from_ms <= MAX_SPAN_MS) return;
  throw new GatewayError(
    'BAD_REQUEST',
    `query: found from_ms ${from_ms} and to_ms ${to_ms}, expected a span of at most 62 days with from_ms first`,
  );
}

/** One column entry per hour; an hour of which a pack reported nothing is 0 of 0. */
function columnsOf(
  rows: readonly CompletenessRow[],
  packs: readonly PackNode[],
): Pick<CompletenessReply, 'hours' | 'packs'> {
  const hours = [...new Set(rows.map(({ hour_ms }) => hour_ms))];
  const place = new Map(hours.map((hour_ms, i) => [hour_ms, i]));
  const zeros = () => hours.map(() => 0);
  const columns = new Map(
    packs.map(({ id, battery_id }) => [
      id,
      {
        pack_id: id,
        battery_id,
        expected: zeros(),
        received: zeros(),
        stored: zeros(),
        repeated: zeros(),
        synced: zeros() as (number | null)[],
      },
    ]),
  );
  for (const row of rows) {
    const i = place.get(row.hour_ms) ?? 0;
    const column = columns.get(row.pack_id);
    if (column)
      for (const name of ['expected', 'received', 'stored', 'repeated', 'synced'] as const)
        column[name][i] = row[name] as number;
  }
  return { hours, packs: [...columns.values()] };
}

function fleetReport(batteries: BatterySummary[], t_ms: number): FleetReport {
  const sum = (of: (battery: BatterySummary) => number) =>
    batteries.reduce((total, battery) => total + of(battery), 0);
  const powers = batteries.flatMap(battery => (battery.power_w === null ? [] : [battery.power_w]));
  return {
    t_ms,
    batteries,
    totals: {
      batteries: batteries.length,
      packs: sum(battery => battery.pack_count),
      packs_ok: sum(battery => battery.packs_ok),
      cells: sum(battery => battery.cell_count),
      alerts_active: sum(({ alerts }) => alerts.critical + alerts.warning + alerts.info),
      power_w: powers.length === 0 ? null : powers.reduce((total, power_w) => total + power_w, 0),
    },
  };
}
