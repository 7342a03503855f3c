/** Batteries and packs as they are now, and a pack's history. */
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { EstimatesReply } from '../../../core/contract/estimates.ts';
import { HistoryQuery, HistoryReply } from '../../../core/contract/http.ts';
import { BatteryDetail, FleetState, PackDetail } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import { CELL_SERIES, PACK_SERIES } from '../../../core/reading/history-series.ts';
import { RateLimitError } from '../auth/login-guard.ts';
import { visibleFleet } from '../auth/visible.ts';
import { tableHeaders, wantsCsv } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_POINTS = 600;
/** In one reply, over all its series. */
const MAX_NUMBERS = 600_000;

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

  app.get(
    '/api/packs/:id/estimates',
    {
      config: { access: 'login' },
      schema: {
        summary: 'What estimates of a pack rest on, its odometers, and where its health goes',
        params: Id,
        response: { 200: EstimatesReply, ...problems(401, 404) },
      },
    },
    async request => {
      const { id } = request.params;
      visible.pack(viewerOf(request), id);
      const node = services.topology.packs.find(pack => pack.id === id);
      return services.estimates.reply(present(node, 'pack', id).pack);
    },
  );
  addHistory(app, context);
}

function addHistory(
  app: App,
  { services: { store, clock, topology }, visible, limits }: ServerContext,
): void {
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
      const { cell_no, max_points = DEFAULT_POINTS } = request.query;
      const cell_count = topology.packs.find(({ id }) => id === pack_id)?.shape.cell_count ?? 0;
      if (cell_no !== undefined && cell_no > cell_count)
        throw new GatewayError(
          'BAD_REQUEST',
          `query.cell_no: found ${cell_no}, pack ${pack_id} has ${cell_count} cells`,
        );
      const points = boundedPoints(max_points, cell_no === undefined ? cell_count : 1);
      const format = wantsCsv(request) ? 'csv' : 'json';
      const asked = { pack_id, from_ms, to_ms, max_points: points, cell_no };
      const bytes = await store.history(asked, format);
      // Megabytes that wait for the collector set it off, and hold up the live feed for tens of milliseconds.
      reply.raw.once('close', () => bytes.buffer.transfer(0));
      if (format === 'csv') tableHeaders(reply, `history-${pack_id}`);
      else reply.type('application/json; charset=utf-8');
      return bytes as never;
    },
  );
}

/** A reply of many cells is of fewer moments. */
function boundedPoints(max_points: number, cell_count: number): number {
  const series = PACK_SERIES.length + CELL_SERIES.length * cell_count;
  return Math.max(1, Math.min(max_points, Math.floor(MAX_NUMBERS / series)));
}

function present<T>(state: T | undefined, what: string, id: string): T {
  if (state === undefined) throw new GatewayError('NOT_FOUND', `There is no ${what} '${id}'`);
  return state;
}
