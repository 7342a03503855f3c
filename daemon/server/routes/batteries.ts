/** Batteries and packs as they are now, and a pack's history. */
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { HistoryQuery, HistoryReply } from '../../../core/contract/http.ts';
import { BatteryDetail, FleetState, PackDetail } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import { RateLimitError } from '../auth/login-guard.ts';
import { type CsvValue, sendCsv, wantsCsv } from '../csv.ts';
import { visibleFleet } from '../live/rooms.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_POINTS = 600;

export function addBatteryRoutes(app: App, context: ServerContext): void {
  const { services, visible } = context;
  const { live } = services;

  app.get(
    '/api/batteries',
    {
      config: { access: 'login' },
      schema: {
        summary: 'The site and a summary of every battery',
        response: { 200: FleetState, ...problems(401) },
      },
    },
    async request => visibleFleet(live.fleet(), viewerOf(request)),
  );

  app.get(
    '/api/battery/:id',
    {
      config: { access: 'login' },
      schema: {
        summary: 'A battery and its packs with all cells',
        params: Id,
        response: { 200: BatteryDetail, ...problems(401, 404) },
      },
    },
    async request => {
      visible.battery(viewerOf(request), request.params.id);
      return present(live.battery(request.params.id), 'battery', request.params.id);
    },
  );

  app.get(
    '/api/packs/:id',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Everything of a pack: values, cells, sensors, the alarms of the device itself',
        params: Id,
        response: { 200: PackDetail, ...problems(401, 404) },
      },
    },
    async request => {
      visible.pack(viewerOf(request), request.params.id);
      return present(live.pack(request.params.id), 'pack', request.params.id);
    },
  );
  addHistory(app, context);
}

function addHistory(app: App, { services: { store, clock }, visible, limits }: ServerContext): void {
  const mayAsk = app.createRateLimit({
    max: limits.histories_per_minute,
    timeWindow: MINUTE_MS,
    keyGenerator: request => `user ${viewerOf(request as FastifyRequest).user.username}`,
  });
  app.get(
    '/api/packs/:id/history',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Series of a pack and of each of its cells',
        params: Id,
        querystring: HistoryQuery,
        response: { 200: HistoryReply, ...problems(400, 401, 404, 429) },
      },
      // Up to hundreds of thousands of numbers: the plain serializer takes a third of the time.
      serializerCompiler: () => JSON.stringify,
    },
    async (request, reply) => {
      const pack_id = request.params.id;
      visible.pack(viewerOf(request), pack_id);
      const state = await mayAsk(request);
      if (!state.isAllowed && state.isExceeded)
        throw new RateLimitError(`More than ${limits.histories_per_minute} histories a minute`, state.ttl);
      const to_ms = request.query.to_ms ?? clock.wallMs();
      const from_ms = request.query.from_ms ?? Math.max(0, to_ms - HOUR_MS);
      if (from_ms > to_ms)
        throw new GatewayError(
          'BAD_REQUEST',
          `query.from_ms: found ${from_ms}, expected at most to_ms, ${to_ms}`,
        );
      const max_points = request.query.max_points ?? DEFAULT_POINTS;
      const history = await store.history({ pack_id, from_ms, to_ms, max_points });
      if (!wantsCsv(request)) return history;
      return sendCsv(reply, `history-${pack_id}`, historyHeader(history), historyRows(history)) as never;
    },
  );
}

const PACK_SERIES = ['voltage_v', 'current_a', 'soc_pct', 'temperature_c'] as const;
const CELL_SERIES = ['voltage_v', 'temperature_c'] as const;

function historyHeader({ cells }: HistoryReply): string[] {
  const ofCells = CELL_SERIES.flatMap(name => cells[name].map((_, cell) => `cell_${cell + 1}_${name}`));
  return ['time', 't_ms', ...PACK_SERIES, ...ofCells];
}

function* historyRows({ t_ms, pack, cells }: HistoryReply): Generator<CsvValue[]> {
  for (const [point, moment] of t_ms.entries())
    yield [
      new Date(moment).toISOString(),
      moment,
      ...PACK_SERIES.map(name => pack[name][point] ?? null),
      ...CELL_SERIES.flatMap(name => cells[name].map(series => series[point] ?? null)),
    ];
}

function present<T>(state: T | undefined, what: string, id: string): T {
  if (state === undefined) throw new GatewayError('NOT_FOUND', `There is no ${what} '${id}'`);
  return state;
}
