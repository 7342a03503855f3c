/** Reports for those who look after many batteries. */
import { FleetReport } from '../../../core/contract/http.ts';
import type { BatterySummary } from '../../../core/contract/model.ts';
import { visibleFleet } from '../live/rooms.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

export function addReportRoutes(app: App, { services }: ServerContext): void {
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
