/**
 * Makes the server that listens. With a certificate it speaks TLS, and whoever comes with plain HTTP to the same
 * port is sent to HTTPS: the first byte distinguishes them (a TLS record begins with 22, RFC 8446, section 5.1).
 */
import http, {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Clock } from '../../../core/clock/clock.ts';
import { isLoopback, network } from '../addresses.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServerCounters } from '../metrics.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import { ownNames } from './own-names.ts';
import type { PemPair } from './self-signed.ts';

const TLS_HANDSHAKE = 22;
/** All of TLS 1.3; of 1.2 what has forward secrecy and authenticates what it encrypts, no CBC (RFC 9325, section 4.2). */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':');

export interface FrontDoor {
  readonly limits: ServerLimits;
  readonly counters: ServerCounters;
  readonly clock: Clock;
  /** Undefined: plain HTTP. */
  readonly certificate: CertificateKeeper | undefined;
  /** All of its connections are of others, whom it names; it has no share of its own. */
  readonly isTrustedProxy: (address: string | undefined) => boolean;
}

export function makeHttpServer(door: FrontDoor, handler: RequestListener): Server {
  const { limits, clock, certificate } = door;
  const options = {
    maxHeaderSize: limits.header_bytes,
    headersTimeout: limits.headers_timeout_ms,
    requestTimeout: limits.request_timeout_ms,
    keepAliveTimeout: limits.keep_alive_ms,
    connectionsCheckingInterval: Math.min(5000, limits.headers_timeout_ms),
  };
  if (!certificate) return bounded(http.createServer(options, handler), door);
  const server = https.createServer(
    { ...options, ...secureOptions(certificate.current), handshakeTimeout: limits.headers_timeout_ms },
    handler,
  );
  certificate.onChange(next => server.setSecureContext(secureOptions(next)));
  redirectPlain(server, limits, clock, certificate);
  return bounded(server, door);
}

const secureOptions = ({ certificate_pem, key_pem }: PemPair) =>
  ({ cert: certificate_pem, key: key_pem, minVersion: 'TLSv1.2', ciphers: CIPHERS }) as const;

function bounded(server: Server, { limits, counters, isTrustedProxy }: FrontDoor): Server {
  server.maxConnections = limits.connections;
  server.maxHeadersCount = limits.headers;
  server.setTimeout(limits.stalled_ms);
  server.on('drop', () => counters.connections_refused++);
  const by_address = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const from = network(remoteAddress);
    const count = (by_address.get(from) ?? 0) + 1;
    by_address.set(from, count);
    socket.once('close', () => {
      const left = (by_address.get(from) ?? 1) - 1;
      if (left > 0) by_address.set(from, left);
      else by_address.delete(from);
    });
    const is_shared = isLoopback(remoteAddress) || isTrustedProxy(remoteAddress);
    if (count <= limits.connections_per_address || is_shared) return;
    counters.connections_refused++;
    socket.destroy();
  });
  return server;
}

function redirectPlain(
  server: https.Server,
  { headers_timeout_ms, header_bytes }: ServerLimits,
  clock: Clock,
  certificate: CertificateKeeper,
): void {
  const takers = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const plain = http.createServer({ maxHeaderSize: header_bytes }, (request, response) =>
    sendToHttps(request, response, certificate.current.view.names),
  );
  /** By their peers: those that speak plain HTTP, nothing yet, or are not through their handshake. */
  const outside = new Map<string, Socket>();
  const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
  server.on('secureConnection', socket => outside.delete(peerOf(socket)));
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    outside.set(peer, socket);
    // All the time there is for a first byte, and for everything said in plain HTTP.
    const patience = clock.setTimer(() => socket.destroy(), headers_timeout_ms);
    socket.once('close', () => {
      clock.clearTimer(patience);
      outside.delete(peer);
    });
    const broken = () => socket.destroy();
    socket.on('error', broken);
    const listen = () => {
      const first: Buffer | null = socket.read(1);
      if (first === null) {
        socket.once('readable', listen);
        return;
      }
      socket.unshift(first);
      if (first[0] !== TLS_HANDSHAKE) return plain.emit('connection', socket);
      clock.clearTimer(patience);
      socket.off('error', broken);
      for (const take of takers) take.call(server, socket);
    };
    listen();
  });
  const closeKnown = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeKnown();
    for (const socket of outside.values()) socket.destroy();
  };
}

/** A person is sent on; a program gets an error, for its password or token has just crossed the network readable. */
function sendToHttps(request: IncomingMessage, response: ServerResponse, certified: readonly string[]): void {
  const { host = '' } = request.headers;
  const path = request.url?.startsWith('/') ? request.url : '/';
  const isPage = ['GET', 'HEAD'].includes(request.method ?? '') && !/^\/(api|ws|metrics)(\/|$|\?)/.test(path);
  response.setHeader('connection', 'close');
  const is_host = /^[A-Za-z0-9._:[\]-]{1,260}$/.test(host) && URL.canParse(`https://${host}`);
  if (!is_host) refuse(response, 400, 'The header Host is missing or wrong');
  else if (!isOwnName(new URL(`https://${host}`).hostname, request.socket.localAddress, certified))
    refuse(
      response,
      400,
      'This is plain HTTP, and not under a name of this gateway; use https:// and its own name',
    );
  else if (isPage) response.writeHead(308, { location: `https://${host}${path}` }).end();
  else
    refuse(
      response,
      403,
      `This is plain HTTP; use https://${host}${path.split('?', 1)[0]}. A password or token that was sent may have been read on the way`,
    );
}

/** Whoever sends people here under another name must not have them sent on there. */
function isOwnName(
  hostname: string,
  local_address: string | undefined,
  certified: readonly string[],
): boolean {
  const name = hostname.replace(/^\[|\]$/g, '');
  const local = (local_address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').split('%', 1)[0];
  return name === local || [...ownNames(), ...certified].some(own => own.toLowerCase() === name);
}

function refuse(response: ServerResponse, status: 400 | 403, detail: string): void {
  const [title, code] = status === 400 ? ['Bad request', 'BAD_REQUEST'] : ['Not allowed', 'FORBIDDEN'];
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title, status, code, detail }));
}
