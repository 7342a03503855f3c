/** Finds out who asks, refuses foreign pages, and checks each route's `access`, before any body is read. */
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { isLoopback } from '../addresses.ts';
import { requireAccess, type Viewer } from '../auth/access.ts';
import type { App, ServerContext } from '../options.ts';

export const SESSION_COOKIE = 'bms_session';
/** Renews the one above; sent to the routes of the session alone. */
export const RENEWAL_COOKIE = 'bms_renewal';

export function addAuthentication(app: App, context: ServerContext): void {
  app.decorateRequest('viewer', undefined);
  app.addHook('onRoute', route => {
    if (!route.config?.access)
      throw new Error(`Route ${route.method} ${route.url} does not say who may use it`);
  });
  app.addHook('onRequest', async request => {
    if (request.is404) return;
    const access = request.routeOptions.config.access ?? 'admin';
    refuseForeignPage(request);
    if (access === 'public') return;
    const { token, by_cookie } = tokenOf(request);
    if (token) {
      if (by_cookie) refuseUnprovenPage(request);
      request.viewer = await context.authenticator.viewer(token, request.ip);
    }
    requireAccess(access, request.viewer, isLocal(request));
  });
}

export function viewerOf(request: FastifyRequest): Viewer {
  if (request.viewer) return request.viewer;
  throw new GatewayError('UNAUTHENTICATED', 'Log in first');
}

/** A change, or a live feed, asked for by a page of another origin is refused, whoever is logged in. */
function refuseForeignPage(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || (isSafe(request) && !request.headers.upgrade)) return;
  if (hostOf(origin) !== request.headers.host?.toLowerCase())
    throw new GatewayError(
      'FORBIDDEN',
      `A page of ${origin.slice(0, 100)} may not do this; only the gateway's own page may`,
    );
}

/** With a cookie alone, a change needs proof that it comes from our own page: a browser always gives it. */
function refuseUnprovenPage(request: FastifyRequest): void {
  if (isSafe(request)) return;
  const site = request.headers['sec-fetch-site'];
  if (
    request.headers.origin === undefined
      ? site !== 'same-origin'
      : site !== undefined && site !== 'same-origin'
  )
    throw new GatewayError(
      'FORBIDDEN',
      'A change by cookie needs the header Origin of this gateway; programs send `Authorization: Bearer <token>`',
    );
}

/** What the request shows: the header before the cookie. */
export function tokenOf(request: FastifyRequest): { token: string | undefined; by_cookie: boolean } {
  const bearer = bearerToken(request);
  return { token: bearer ?? request.cookies[SESSION_COOKIE], by_cookie: bearer === undefined };
}

function bearerToken(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const found = /^Bearer +(\S+)$/i.exec(authorization);
  if (found) return found[1];
  throw new GatewayError('UNAUTHENTICATED', 'The header Authorization is not of the form `Bearer <token>`');
}

/**
 * From this machine itself, not passed on by a proxy on it, and not by a page of a foreign name that was made to
 * point here (DNS rebinding): such a request carries that name as its host.
 */
function isLocal(request: FastifyRequest): boolean {
  const { headers, ip, hostname } = request;
  const isDirect = !headers['x-forwarded-for'] && !headers.forwarded && !headers.via;
  return isLoopback(ip) && isDirect && isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

const isSafe = (request: FastifyRequest) => ['GET', 'HEAD', 'OPTIONS'].includes(request.method);

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
