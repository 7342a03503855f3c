/**
 * How long a reply may take. A handler has its time until the reply begins; from the first byte on only a reader
 * that takes nothing is cut (`stalled_ms`, by the socket), for a slow one may take hours over a long export.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import type { App, ServerContext } from '../options.ts';
import { pathOf } from '../problems.ts';

export function addReplyTimeout(app: App, { services: { clock, log }, limits }: ServerContext): void {
  const endings = new WeakMap<FastifyRequest, () => void>();
  // Not before the body is there: what has no end yet is the socket's to judge, with 408.
  app.addHook('preHandler', async (request, reply) => {
    const timer = clock.setTimer(() => {
      if (reply.sent || reply.raw.headersSent) return;
      reply.send(new GatewayError('STORE_FAILED', 'The answer took too long; try again, or ask for less'));
    }, limits.handler_timeout_ms);
    const end = () => {
      clock.clearTimer(timer);
      reply.raw.off('close', end);
    };
    endings.set(request, end);
    reply.raw.once('close', end);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    endings.get(request)?.();
    if (isStream(payload)) watch(request, reply, payload);
  });

  /** A reply in pieces that does not come to its end is logged: its receiver may take it for the whole. */
  function watch(request: FastifyRequest, reply: FastifyReply, payload: NodeJS.ReadableStream): void {
    let reason = 'whoever asked has closed the connection';
    const stalled = () => {
      reason = `nobody has read for ${limits.stalled_ms} ms`;
    };
    const { socket } = request.raw;
    socket.once('timeout', stalled);
    payload.once('error', error => {
      reason = error.message;
    });
    reply.raw.once('close', () => {
      socket.off('timeout', stalled);
      if (reply.raw.writableFinished) return;
      log.warn(
        {
          request_id: request.id,
          path: pathOf(request),
          user: request.viewer?.user.username,
          address: request.ip,
          reason,
        },
        'A reply was cut before its end',
      );
    });
  }
}

const isStream = (payload: unknown): payload is NodeJS.ReadableStream =>
  typeof payload === 'object' && payload !== null && 'pipe' in payload;
