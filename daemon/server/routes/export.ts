/** Readings of any span as a file, streamed piece by piece at the pace of whoever takes it. */
import { Readable } from 'node:stream';
import Type from 'typebox';
import { ExportQuery } from '../../../core/contract/export.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ExportRequest } from '../../store/store.ts';
import type { Viewer } from '../auth/access.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

/** Exports under way at once: each keeps the reader of the store busy for a while. */
const MOST_EXPORTS = 2;
const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
} as const;

export function addExportRoute(app: App, context: ServerContext): void {
  const { store } = context.services;
  let under_way = 0;
  app.get(
    '/api/export',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Readings of a span as CSV or newline-delimited JSON, streamed',
        querystring: ExportQuery,
        response: { 200: Type.String(), ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { from_ms, to_ms, rows = 'cell', format = 'csv' } = request.query;
      if (!(from_ms < to_ms))
        throw new GatewayError(
          'BAD_REQUEST',
          `query.from_ms: found ${from_ms}, expected less than to_ms, ${to_ms}`,
        );
      const pack_ids = packsAsked(request.query, viewerOf(request), context);
      if (under_way >= MOST_EXPORTS)
        throw new GatewayError(
          'RATE_LIMITED',
          `${under_way} exports are under way, the most there may be; wait for one`,
        );
      under_way++;
      const text = Readable.from(pieces(store, { from_ms, to_ms, pack_ids, form: { rows, format } }), {
        objectMode: false,
      });
      text.once('close', () => {
        under_way--;
      });
      const name = `readings-${new Date(from_ms).toISOString().slice(0, 16).replaceAll(':', '')}.${format}`;
      return reply
        .type(CONTENT_TYPES[format])
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(text as never) as never;
    },
  );
}

async function* pieces(
  store: ServerContext['services']['store'],
  request: Omit<ExportRequest, 'after_seq'>,
): AsyncGenerator<Uint8Array> {
  for (let after_seq: number | null = 0; after_seq !== null; ) {
    const { text, next_seq } = await store.exportChunk({ ...request, after_seq });
    if (text.length > 0) yield text;
    after_seq = next_seq;
  }
}

/** What may not be seen does not exist: NOT_FOUND. */
function packsAsked(
  { battery_id, pack_id }: ExportQuery,
  viewer: Viewer,
  { visible, services }: ServerContext,
): string[] {
  if (battery_id !== undefined) visible.battery(viewer, battery_id);
  if (pack_id !== undefined) visible.pack(viewer, pack_id);
  return services.topology.packs
    .filter(
      pack =>
        viewer.sees(pack.battery_id) &&
        (battery_id === undefined || pack.battery_id === battery_id) &&
        (pack_id === undefined || pack.id === pack_id),
    )
    .map(({ id }) => id);
}
