/** The page: files of the bundle; any other path of the page is its index, and the page routes by itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import type { App, ServerContext } from '../options.ts';
import { pathOf } from '../problems.ts';

const INDEX = 'index.html';
const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>BMS Gateway</title>
<h1>The dashboard is not built</h1>
<p>The gateway works, but the bundle of its page is missing.</p>
<p>Run <code>npm run build</code> in the gateway's folder, then start the gateway again.</p>
</html>
`;

export async function addStaticPage(app: App, { ui_directory }: ServerContext): Promise<void> {
  const built = existsSync(join(ui_directory, INDEX));
  if (built)
    await app.register(fastifyStatic, {
      root: ui_directory,
      serve: false,
      cacheControl: false,
      dotfiles: 'ignore',
      setHeaders: (reply, path) => {
        // Vite names files in assets/ by their content; everything else is asked for anew.
        const hashed = path.startsWith(join(ui_directory, 'assets'));
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  const index = (reply: FastifyReply) =>
    built
      ? reply.sendFile(INDEX)
      : reply.code(503).type('text/html; charset=utf-8').header('cache-control', 'no-store').send(NOT_BUILT);

  app.get<{ Params: { '*': string } }>(
    '/*',
    { config: { access: 'public' }, schema: { hide: true } as object },
    (request, reply) => {
      const path = request.params['*'];
      if (!isPagePath(request)) return reply.callNotFound();
      return built && path !== '' && path !== INDEX && !path.endsWith('/')
        ? reply.sendFile(path)
        : index(reply);
    },
  );
  const methods = methodsByPath(app);
  app.setNotFoundHandler((request, reply) => {
    const page = request.method === 'GET' || request.method === 'HEAD';
    // A missing file is missing; a path without a file's ending is one of the page's own.
    if (page && isPagePath(request) && !/\.[a-z0-9]+$/i.test(pathOf(request))) return index(reply);
    throw notFound(request, reply, methods);
  });
}

function notFound(request: FastifyRequest, reply: FastifyReply, methods: MethodsByPath): GatewayError {
  const path = pathOf(request);
  const allowed = methods.find(entry => entry.pattern.test(path))?.methods;
  if (!allowed) return new GatewayError('NOT_FOUND', `There is nothing at ${path.slice(0, 200)}`);
  const list = [...allowed].join(', ');
  reply.header('allow', list);
  return new GatewayError(
    'METHOD_NOT_ALLOWED',
    `${request.method} is not possible at ${path.slice(0, 200)}; possible: ${list}`,
  );
}

type MethodsByPath = { pattern: RegExp; url: string; methods: Set<string> }[];

/** Collects the methods of every route registered after this, to tell a wrong method from a wrong path. */
function methodsByPath(app: App): MethodsByPath {
  const entries: MethodsByPath = [];
  app.addHook('onRoute', ({ url, method }) => {
    let entry = entries.find(known => known.url === url);
    if (!entry) {
      const pattern = new RegExp(`^${url.replaceAll('.', '\\.').replace(/:[a-z_]+/g, '[^/]+')}$`);
      entry = { pattern, url, methods: new Set() };
      entries.push(entry);
    }
    for (const one of [method].flat()) entry.methods.add(one);
  });
  return entries;
}

function isPagePath(request: FastifyRequest): boolean {
  return !/^\/(api|ws|metrics|healthz)(\/|$)/.test(pathOf(request));
}
