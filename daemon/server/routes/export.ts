/** Readings of any span as a file: streamed at the pace of whoever takes it, or piece by piece to go on after a cut. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import { ExportQuery } from '../../../core/contract/export.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { ExportRequest } from '../../store/store.ts';
import type { Viewer } from '../auth/access.ts';
import { nextPage } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { problems } from './replies.ts';

/** A piece ends after this much text, or this long: most of a span may be readings of other packs. */
const PIECE_BYTES = 1 << 20;
const PIECE_MS = 2000;
const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson',
} as const;

type Asked = Omit<ExportRequest, 'after_seq'>;

export function addExportRoute(app: App, context: ServerContext): void {
  const slots = new ExportSlots(context.limits);
  app.get(
    '/api/export',
    {
      config: { access: 'login' },
      schema: {
        summary: 'Readings of a span as CSV or newline-delimited JSON',
        description:
          'Streamed as a whole; or, with `cursor`, in pieces, so that what was cut is asked for again. One export of ' +
          'a user at a time',
        querystring: ExportQuery,
        response: { 200: Type.String(), ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request, reply) => {
      const { from_ms, to_ms, rows = 'cell', format = 'csv', cursor } = request.query;
      if (!(from_ms < to_ms))
        throw new GatewayError(
          'BAD_REQUEST',
          `query.from_ms: found ${from_ms}, expected less than to_ms, ${to_ms}`,
        );
      const viewer = viewerOf(request);
      const pack_ids = packsAsked(request.query, viewer, context);
      const name = `readings-${new Date(from_ms).toISOString().slice(0, 16).replaceAll(':', '')}.${format}`;
      slots.take(viewer.user.username, reply);
      const asked = { from_ms, to_ms, pack_ids, form: { rows, format } };
      const pieces = piecesOf(context, asked, Number(cursor ?? 0));
      // Made before the reply begins: what fails by now is a problem document, not half a file.
      const first = await pieces.next();
      // Answered for meanwhile, because it took too long.
      if (reply.sent) return reply as never;
      reply.type(CONTENT_TYPES[format]).header('content-disposition', `attachment; filename="${name}"`);
      if (first.done) return reply.send('') as never;
      const { next_seq, text } = first.value;
      if (cursor === undefined) return reply.send(streamOf(text, pieces) as never) as never;
      if (next_seq !== null) reply.header('link', nextPage(request.url, String(next_seq)));
      return reply.send(text as never) as never;
    },
  );
}

/** Exports under way: each keeps the reader of the store busy, so that a user has one, and all together have a bound. */
class ExportSlots {
  readonly #taken = new Map<string, number>();
  readonly #per_user: number;
  readonly #most: number;
  #all = 0;

  constructor({ exports_per_user, exports }: ServerContext['limits']) {
    this.#per_user = exports_per_user;
    this.#most = exports;
  }

  /** Given back when the reply is over, however it ends. RATE_LIMITED when there is none. */
  take(username: string, reply: FastifyReply): void {
    const own = this.#taken.get(username) ?? 0;
    if (own >= this.#per_user)
      throw new GatewayError(
        'RATE_LIMITED',
        `An export of ${username} is under way; wait for its end, or end it`,
      );
    if (this.#all >= this.#most)
      throw new GatewayError(
        'RATE_LIMITED',
        `${this.#all} exports are under way, the most there may be; wait for one`,
      );
    if (reply.raw.closed) return;
    this.#all++;
    this.#taken.set(username, own + 1);
    reply.raw.once('close', () => {
      this.#all--;
      const left = (this.#taken.get(username) ?? 1) - 1;
      if (left > 0) this.#taken.set(username, left);
      else this.#taken.delete(username);
    });
  }
}

interface Piece {
  readonly text: Uint8Array;
  /** Where the next piece goes on; null after the last. */
  readonly next_seq: number | null;
}

/** At least one piece, which may be empty. */
async function* piecesOf(
  { services: { store, clock } }: ServerContext,
  asked: Asked,
  after_seq: number,
): AsyncGenerator<Piece, undefined> {
  for (let next_seq: number | null = after_seq; next_seq !== null; ) {
    const until_ms = clock.monoMs() + PIECE_MS;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    do {
      const chunk: Awaited<ReturnType<typeof store.exportChunk>> = await store.exportChunk({
        ...asked,
        after_seq: next_seq,
      });
      parts.push(chunk.text);
      bytes += chunk.text.length;
      next_seq = chunk.next_seq;
    } while (next_seq !== null && bytes < PIECE_BYTES && clock.monoMs() < until_ms);
    yield { text: Buffer.concat(parts), next_seq };
  }
  return undefined;
}

function streamOf(first: Uint8Array, rest: AsyncGenerator<Piece, undefined>): Readable {
  return Readable.from(texts(first, rest), { objectMode: false });
}

async function* texts(first: Uint8Array, rest: AsyncGenerator<Piece, undefined>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for await (const { text } of rest) if (text.length > 0) yield text;
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
