/**
 * Every change over the API leaves an entry in the audit log before its reply leaves: by the route's own word
 * (`config.audit`, `request.audited`), else by method and path. A new route is audited without a line of its own.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, ServerContext } from '../options.ts';
import { pathOf } from '../problems.ts';

export function addAudit(app: App, { services: { audit } }: ServerContext): void {
  app.decorateRequest('audited', undefined);
  app.addHook('onSend', async (request, reply) => {
    const action = actionOf(request, reply);
    if (action === undefined || request.is404) return;
    const outcome = outcomeOf(request, reply);
    if (!outcome) return;
    const { audited, viewer } = request;
    audit.record({
      actor: audited?.actor !== undefined ? audited.actor : (viewer?.user.username ?? null),
      address: request.ip,
      action,
      outcome,
      target: audited?.target !== undefined ? audited.target : targetOf(request),
      old: audited?.old,
      new: audited && 'new' in audited ? audited.new : (request.body ?? queryOf(request)),
      request_id: request.id,
    });
  });
  app.addHook('onClose', async () => audit.stop());
}

function actionOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { method } = request;
  const { audit } = request.routeOptions.config;
  if (audit === false) return undefined;
  if (audit !== undefined) return audit;
  if (!['GET', 'HEAD', 'OPTIONS'].includes(method)) return `${method} ${request.routeOptions.url}`;
  // A table that is taken away as a file.
  return /^(text\/csv|application\/x-ndjson)/.test(String(reply.getHeader('content-type')))
    ? 'export'
    : undefined;
}

/** Undefined: nothing was done, and nobody known tried what they may not. */
function outcomeOf(
  request: FastifyRequest,
  { statusCode: status }: FastifyReply,
): 'done' | 'refused' | undefined {
  const { audited, viewer } = request;
  if (status < 400) return viewer || audited ? 'done' : undefined;
  if (audited) return 'refused';
  return viewer && (status === 403 || status >= 500) ? 'refused' : undefined;
}

function targetOf(request: FastifyRequest): string | null {
  if (request.method === 'GET') return pathOf(request);
  const values = Object.values((request.params ?? {}) as Record<string, string>);
  return values.length > 0 ? values.join(' ') : null;
}

function queryOf({ query }: FastifyRequest): unknown {
  return Object.keys(query as object).length > 0 ? query : undefined;
}
