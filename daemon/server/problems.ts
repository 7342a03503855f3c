/** Everything that goes wrong leaves as a problem document (RFC 9457), in words, without inner details. */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../core/contract/http.ts';
import { describeError, type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { RateLimitError } from './auth/login-guard.ts';

const STATUS: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
  BAD_REQUEST: [400, 'Bad request'],
  UNAUTHENTICATED: [401, 'Not logged in'],
  FORBIDDEN: [403, 'Not allowed'],
  CONFIRM_PASSWORD: [403, 'Password wanted again'],
  NOT_FOUND: [404, 'Not found'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  CONFLICT: [409, 'Conflict'],
  TOO_LARGE: [413, 'Too large'],
  UNSUPPORTED_MEDIA: [415, 'Unsupported media type'],
  RATE_LIMITED: [429, 'Too many requests'],
  STORE_FAILED: [503, 'Storage does not answer'],
  STOPPED: [503, 'Stopping'],
};
const CODE_OF_STATUS: Record<number, ErrorCode> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA',
  429: 'RATE_LIMITED',
  503: 'STOPPED',
};

/** The problem document of any thrown thing. What is not meant for outside becomes INTERNAL, explained only in the log. */
export function problemOf(error: unknown, request_id?: string): Problem {
  const known = toGatewayError(error);
  const [status, title] = STATUS[known.code] ?? [500, 'Internal error'];
  return {
    type: 'about:blank',
    title,
    status,
    code: status === 500 ? 'INTERNAL' : known.code,
    detail:
      status === 500
        ? `The gateway could not do this; its log says more${request_id ? ` under request ${request_id}` : ''}`
        : known.message,
    ...(request_id && { instance: `urn:bms-gateway:request:${request_id}` }),
  };
}

export function sendProblem(reply: FastifyReply, error: unknown, log: Logger): FastifyReply {
  const request = reply.request as FastifyRequest;
  const problem = problemOf(error, request.id);
  const fields = { request_id: request.id, method: request.method, path: pathOf(request) };
  // A fault of ours with all there is; what passes by itself (no place, a busy store) without.
  if (problem.status === 500) log.error({ ...fields, error: inner(error) }, 'Request failed');
  else if (problem.code === 'STORE_FAILED')
    log.warn({ ...fields, reason: problem.detail }, 'Request not answered');
  else if (problem.status > 500) log.debug({ ...fields, reason: problem.detail }, 'Request refused');
  if (error instanceof RateLimitError) reply.header('retry-after', error.retry_after_s);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="bms-gateway"');
  // Serialised here: the route's own schemas describe its replies, not this.
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((body: string) => body)
    .send(JSON.stringify(problem));
}

/** What never became a request: the connection is answered as well as it can be, and closed. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, title, detail] = BROKEN[error.code ?? ''] ?? [400, 'Bad Request', 'This is not HTTP'];
  const problem = {
    type: 'about:blank',
    title,
    status,
    code: CODE_OF_STATUS[status] ?? 'BAD_REQUEST',
    detail,
  };
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const BROKEN: Record<string, readonly [status: number, title: string, detail: string]> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'Request Header Fields Too Large',
    'The address and headers are too long together',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come to its end in time'],
};

export const pathOf = (request: FastifyRequest) => request.url.split('?', 1)[0]!;

function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const { statusCode: status, code } = (error ?? {}) as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new GatewayError(
      'UNSUPPORTED_MEDIA',
      'The body must be JSON; send `Content-Type: application/json`',
    );
  if (status === undefined || status < 400 || (status >= 500 && status !== 503))
    return new GatewayError('INTERNAL', describeError(error), { cause: error });
  return new GatewayError(CODE_OF_STATUS[status] ?? 'BAD_REQUEST', describeError(error));
}

const inner = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));
