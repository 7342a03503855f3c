/**
 * Makes the server that listens. With a certificate it speaks TLS, and whoever comes with plain HTTP to the same
 * port is sent to HTTPS: the first byte tells them apart (a TLS record begins with 22, RFC 8446, section 5.1).
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
import { isLoopback } from '../addresses.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServerCounters } from '../metrics.ts';
import type { CertificateKeeper } from './certificate-keeper.ts';
import type { PemPair } from './self-signed.ts';

const TLS_HANDSHAKE = 22;

export interface FrontDoor {
  readonly limits: ServerLimits;
  readonly counters: ServerCounters;
  readonly clock: Clock;
  /** Undefined: plain HTTP. */
  readonly certificate: CertificateKeeper | undefined;
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
  redirectPlain(server, limits, clock);
  return bounded(server, door);
}

const secureOptions = ({ certificate_pem, key_pem }: PemPair) =>
  ({ cert: certificate_pem, key: key_pem, minVersion: 'TLSv1.2' }) as const;

function bounded(server: Server, { limits, counters }: FrontDoor): Server {
  server.maxConnections = limits.connections;
  server.maxHeadersCount = limits.headers;
  server.setTimeout(limits.stalled_ms);
  server.on('drop', () => counters.connections_refused++);
  const by_address = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const count = (by_address.get(remoteAddress) ?? 0) + 1;
    by_address.set(remoteAddress, count);
    socket.once('close', () => {
      const left = (by_address.get(remoteAddress) ?? 1) - 1;
      if (left > 0) by_address.set(remoteAddress, left);
      else by_address.delete(remoteAddress);
    });
    if (count <= limits.connections_per_address || isLoopback(remoteAddress)) return;
    counters.connections_refused++;
    socket.destroy();
  });
  return server;
}

function redirectPlain(
  server: https.Server,
  { headers_timeout_ms, header_bytes }: ServerLimits,
  clock: Clock,
): void {
  const takers = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const plain = http.createServer({ maxHeaderSize: header_bytes }, sendToHttps);
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

/** A person is sent on; a program is told, for its password or token has just crossed the network readable. */
function sendToHttps(request: IncomingMessage, response: ServerResponse): void {
  const { host = '' } = request.headers;
  const path = request.url?.startsWith('/') ? request.url : '/';
  const isPage = ['GET', 'HEAD'].includes(request.method ?? '') && !/^\/(api|ws|metrics)(\/|$|\?)/.test(path);
  response.setHeader('connection', 'close');
  if (!/^[A-Za-z0-9._:[\]-]{1,260}$/.test(host)) refuse(response, 400, 'The header Host is missing or wrong');
  else if (isPage) response.writeHead(308, { location: `https://${host}${path}` }).end();
  else
    refuse(
      response,
      403,
      `This is plain HTTP; use https://${host}${path.split('?', 1)[0]}. A password or token that was sent may have been read on the way`,
    );
}

function refuse(response: ServerResponse, status: 400 | 403, detail: string): void {
  const [title, code] = status === 400 ? ['Bad request', 'BAD_REQUEST'] : ['Not allowed', 'FORBIDDEN'];
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ type: 'about:blank', title, status, code, detail }));
}
