/** The page: files of the bundle; any other path of the page is its index, and the page routes by itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import type { App, RouteEntry, ServerContext } from '../options.ts';
import { pathOf } from '../problems.ts';
import { methodsAt } from './route-list.ts';

const INDEX = 'index.html';
/** The description of the API as a page to read; built like the index, and as public as what it describes. */
const API_DOCS = 'api-docs.html';
const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>BMS Gateway</title>
<h1>The dashboard is not built</h1>
<p>The gateway works, but the bundle of its page is missing.</p>
<p>Run <code>npm run build</code> in the gateway's folder, then start the gateway again.</p>
</html>
`;

export async function addStaticPage(app: App, { ui_directory, routes }: ServerContext): Promise<void> {
  const built = existsSync(join(ui_directory, INDEX));
  if (built)
    await app.register(fastifyStatic, {
      root: ui_directory,
      serve: false,
      cacheControl: false,
      preCompressed: true,
      dotfiles: 'ignore',
      setHeaders: (reply, path) => {
        // Vite names files in assets/ by their content; everything else is asked for again.
        const hashed = path.startsWith(join(ui_directory, 'assets'));
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  const index = (reply: FastifyReply) => (built ? reply.sendFile(INDEX) : notBuilt(reply));

  app.get<{ Params: { '*': string } }>(
    '/*',
    { config: { access: 'public' }, schema: { hide: true } },
    (request, reply) => {
      const path = request.params['*'];
      if (built && path !== '' && isPagePath(request)) reply.sendFile(path);
      else reply.callNotFound();
    },
  );
  app.get('/api/docs', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) => {
    if (built) reply.sendFile(API_DOCS);
    else notBuilt(reply);
  });
  app.setNotFoundHandler((request, reply) => {
    if (!isPageRequest(request)) throw notFound(request, reply, routes);
    index(reply);
  });
}

function notBuilt(reply: FastifyReply): FastifyReply {
  return reply.code(503).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(NOT_BUILT);
}

function notFound(request: FastifyRequest, reply: FastifyReply, routes: readonly RouteEntry[]): GatewayError {
  const path = pathOf(request);
  const allowed = methodsAt(routes, path);
  if (!allowed) return new GatewayError('NOT_FOUND', `There is nothing at ${path.slice(0, 200)}`);
  const list = allowed.join(', ');
  reply.header('allow', list);
  return new GatewayError(
    'METHOD_NOT_ALLOWED',
    `${request.method} is not possible at ${path.slice(0, 200)}; possible: ${list}`,
  );
}

/** Somebody goes to a place of the page; a missing file, on the other hand, is missing. */
function isPageRequest(request: FastifyRequest): boolean {
  const path = pathOf(request);
  if (!['GET', 'HEAD'].includes(request.method) || !isPagePath(request) || path.startsWith('/assets/'))
    return false;
  return !/\.[a-z0-9]+$/i.test(path) || (request.headers.accept ?? '').includes('text/html');
}

function isPagePath(request: FastifyRequest): boolean {
  return !/^\/(api|ws|metrics|healthz)(\/|$)/.test(pathOf(request));
}
