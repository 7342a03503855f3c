/** The account of a pack's life, and the report that EU law asks of a battery in use. */
import Type from 'typebox';
import {
  type AnnexParameter,
  AnnexQuery,
  AnnexReport,
  LifetimeReply,
} from '../../../core/contract/lifetime.ts';
import { GatewayError } from '../../../core/errors.ts';
import { annexParameters, REGULATION } from '../../../core/reports/annex-vii.ts';
import { type CsvValue, sendCsv, wantsCsv } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

export function addLifetimeRoutes(app: App, { services, visible }: ServerContext): void {
  const { clock, topology, live, estimates, audit } = services;
  app.get(
    '/api/reports/lifetime/:id',
    {
      config: { access: 'login' },
      schema: {
        summary: 'What a pack went through: throughput, extremes with when and where, and what harmed it',
        params: Id,
        response: { 200: LifetimeReply, ...problems(401, 404) },
      },
    },
    async request => {
      const pack = visible.pack(viewerOf(request), request.params.id);
      return { pack_id: request.params.id, t_ms: clock.wallMs(), ...estimates.lifetime(pack) };
    },
  );
  app.get(
    '/api/reports/annex-vii/:id',
    {
      config: { access: 'login' },
      schema: {
        summary:
          'State of health and expected lifetime of a battery as Regulation (EU) 2023/1542, Annex VII, asks',
        params: Id,
        querystring: AnnexQuery,
        response: { 200: AnnexReport, ...problems(400, 401, 404) },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      const battery = topology.batteries[visible.battery(viewer, request.params.id)];
      const t_ms = clock.wallMs();
      const parameters = battery.packs.flatMap(pack => {
        const detail = live.pack(topology.packs[pack].id);
        if (!detail) throw new GatewayError('NOT_FOUND', `There is no pack '${topology.packs[pack].id}'`);
        const account = estimates.lifetime(pack).pack;
        return annexParameters({ detail, estimates: estimates.reply(pack), account, t_ms });
      });
      audit.record({ actor: viewer.user.username, action: 'report.annex_vii', target: battery.id });
      if (wantsCsv(request))
        return sendCsv(reply, `annex-vii-${battery.id}`, HEADER, parameters.map(row)) as never;
      return {
        regulation: REGULATION,
        battery_id: battery.id,
        battery_name: battery.name,
        gateway_id: topology.gateway_id,
        t_ms,
        parameters,
      };
    },
  );
}

const COLUMNS = [
  'part',
  'no',
  'name',
  'pack_id',
  'value',
  'unit',
  'sd',
  'method',
  'source',
  'completeness_pct',
  'not_determinable',
] as const satisfies readonly (keyof AnnexParameter)[];
const HEADER = [...COLUMNS, 'from', 'to'];

function row(parameter: AnnexParameter): CsvValue[] {
  const { from_ms, to_ms } = parameter;
  const iso = (t_ms: number | null) => (t_ms === null ? null : new Date(t_ms).toISOString());
  return [...COLUMNS.map(name => parameter[name]), iso(from_ms), iso(to_ms)];
}
