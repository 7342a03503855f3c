/** Finds out who asks, refuses foreign pages, and checks each route's `access`, before any body is read. */
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { isLoopback } from '../addresses.ts';
import { requireAccess, type Viewer } from '../auth/access.ts';
import type { App, ServerContext } from '../options.ts';

/**
 * The cookie of the session, and the one that renews it, which is sent to the routes of the session alone. Under TLS
 * their names bind them to it (RFC 6265bis, section 4.1.3): nobody without it, and no neighbour, can plant one.
 */
const COOKIES = {
  plain: { session: 'bms_session', renewal: 'bms_renewal' },
  secure: { session: '__Host-bms_session', renewal: '__Secure-bms_renewal' },
} as const;

export const cookieNames = (request: FastifyRequest) => COOKIES[isSecure(request) ? 'secure' : 'plain'];

/** Whether the one who asks speaks TLS, with us or with a trusted proxy. */
export const isSecure = (request: FastifyRequest) => request.protocol === 'https';

export const LIVE_PATH = '/ws';

export function addAuthentication(app: App, context: ServerContext): void {
  app.decorateRequest('viewer', undefined);
  app.addHook('onRoute', route => {
    if (!route.config?.access)
      throw new Error(`Route ${route.method} ${route.url} does not say who may use it`);
  });
  app.addHook('onRequest', async request => {
    refuseAmbiguous(request);
    if (request.is404) return;
    const access = request.routeOptions.config.access ?? 'admin';
    refuseForeignPage(request);
    if (access === 'public') return;
    const { token, by_cookie } = tokenOf(request);
    if (token) {
      if (by_cookie) refuseUnprovenPage(request);
      if (by_cookie && request.headers.upgrade) refuseForeignFeed(request);
      request.viewer = await context.authenticator.viewer(token, request.ip);
    }
    requireAccess(access, request.viewer, isLocal(request));
    if (request.routeOptions.config.confirm) requireConfirmed(viewerOf(request), context);
  });
}

/** An open page that somebody left, or a token that was stolen, is not enough to change who may come in. */
function requireConfirmed(
  { credential }: Viewer,
  { sessions, limits, services: { clock } }: ServerContext,
): void {
  if (credential.kind === 'api_key') return;
  const confirmed_ms = sessions.confirmedMs(credential.id) ?? Number.NEGATIVE_INFINITY;
  if (clock.wallMs() - confirmed_ms < limits.confirmed_ms) return;
  throw new GatewayError(
    'CONFIRM_PASSWORD',
    'This changes who may come in: give your password once more, POST /api/auth/confirm, then try again',
  );
}

export function viewerOf(request: FastifyRequest): Viewer {
  if (request.viewer) return request.viewer;
  throw new GatewayError('UNAUTHENTICATED', 'Log in first');
}

/** Before anybody is asked who they are: two hosts (RFC 9112, section 3.2), or an upgrade where there is none. */
function refuseAmbiguous({ raw, headers, ws, routeOptions }: FastifyRequest): void {
  let hosts = 0;
  for (let i = 0; i < raw.rawHeaders.length; i += 2) if (raw.rawHeaders[i]!.toLowerCase() === 'host') hosts++;
  if (hosts > 1) throw new GatewayError('BAD_REQUEST', `header Host: found ${hosts} of them, expected one`);
  if (ws && routeOptions.url !== LIVE_PATH)
    throw new GatewayError(
      'BAD_REQUEST',
      `header Upgrade: found '${String(headers.upgrade).slice(0, 40)}', but there is a WebSocket at ${LIVE_PATH} alone`,
    );
}

/** A change, or a live feed, asked for by a page of another origin is refused, whoever is logged in. */
function refuseForeignPage(request: FastifyRequest): void {
  const { origin } = request.headers;
  if (origin === undefined || (isSafe(request) && !request.headers.upgrade)) return;
  if (!isOwnOrigin(origin, request))
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

/** A browser sends Origin with a WebSocket; one without it that says it comes from elsewhere is not believed more. */
function refuseForeignFeed({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin')
    throw new GatewayError('FORBIDDEN', 'A page of another origin may not open the live feed by cookie');
}

/** What the request shows: the header before the cookie. */
export function tokenOf(request: FastifyRequest): { token: string | undefined; by_cookie: boolean } {
  const bearer = bearerToken(request);
  return { token: bearer ?? request.cookies[cookieNames(request).session], by_cookie: bearer === undefined };
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

/** The same host, and no weaker scheme: a page that came over plain HTTP may be anybody's work. */
function isOwnOrigin(origin: string, request: FastifyRequest): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  const hosts = [request.headers.host?.toLowerCase(), request.host?.toLowerCase()];
  return hosts.includes(host) && (protocol === 'https:' || !isSecure(request));
}
