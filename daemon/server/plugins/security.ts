/** Headers that confine the page, and a bound on requests per address. */

import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { RateLimitError } from '../auth/login-guard.ts';
import type { App, ServerContext } from '../options.ts';

const MINUTE_MS = 60_000;

export async function addSecurity(app: App, { limits, tls, isTrustedProxy }: ServerContext): Promise<void> {
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        manifestSrc: ["'self'"],
        workerSrc: ["'self'"],
        // Older browsers do not count our own WebSocket as 'self'.
        connectSrc: ["'self'", request => ownWebSocket(request as IncomingMessage, tls, isTrustedProxy)],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // A box on a LAN often has a certificate of its own making, and HSTS would forbid to accept it.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: tls,
    originAgentCluster: tls,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  await app.register(rateLimit, { global: false });
  const check = app.createRateLimit({ max: limits.requests_per_minute, timeWindow: MINUTE_MS });
  app.addHook('onRequest', async request => {
    const state = await check(request);
    if (!state.isAllowed && state.isExceeded)
      throw new RateLimitError('Too many requests from this address', state.ttl);
  });
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/api') && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
  });
}

function ownWebSocket(
  { headers: { host }, socket }: IncomingMessage,
  tls: boolean,
  isTrustedProxy: ServerContext['isTrustedProxy'],
): string {
  if (!host || !/^[A-Za-z0-9.:[\]-]+$/.test(host)) return "'self'";
  // Behind a proxy the page may have come over either.
  const schemes = tls ? ['wss'] : isTrustedProxy(socket?.remoteAddress) ? ['ws', 'wss'] : ['ws'];
  return schemes.map(scheme => `${scheme}://${host}`).join(' ');
}
