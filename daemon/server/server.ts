/** The HTTP server: `createServer` builds it, `listen` opens the door, `close` shuts it with all connections. */
import { readFile } from 'node:fs/promises';
import type { ServerOptions as TlsOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ComponentStatus } from '../../core/contract/http.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { buildApp } from './app.ts';
import { serverStatus } from './metrics.ts';
import type { App, ServerOptions } from './options.ts';
import { isLoopback } from './plugins/authentication.ts';
import type { GatewayServices } from './services.ts';

export { ensureFirstAdministrator, type FirstAdministrator } from './auth/first-administrator.ts';
export type { ServerOptions } from './options.ts';

export interface HttpServer {
  /** Resolves when requests are taken. SERVER_ADDRESS_IN_USE or OPTION_INVALID when the address cannot be had. */
  listen(): Promise<{ url: string }>;
  /** Ends all connections; safe at any moment, also twice. */
  close(): Promise<void>;
  /** The server as a component of the system's status. */
  status(): ComponentStatus;
  readonly app: App;
}

/**
 * SERVER_INSECURE when it would listen beyond loopback without TLS and nobody allowed it;
 * OPTION_INVALID when the certificate, its key or the secret is unfit.
 */
export async function createServer(services: GatewayServices, options: ServerOptions): Promise<HttpServer> {
  refuseInsecure(options);
  const tls = options.tls && (await readTls(options.tls));
  const { app, context } = await buildApp(services, options, tls).catch(error => {
    throw tls && !(error instanceof GatewayError) ? unfitTls(options.tls!, error) : error;
  });
  const { host, port } = options;
  return {
    app,
    status: () => serverStatus(context.counters),
    async listen() {
      await app.listen({ host, port }).catch(error => {
        throw cannotListen(error, options);
      });
      const { port: bound, family } = app.server.address() as AddressInfo;
      const wildcard = host === '0.0.0.0' || host === '::' ? (family === 'IPv6' ? '::1' : '127.0.0.1') : host;
      const name = wildcard.includes(':') ? `[${wildcard}]` : wildcard;
      return { url: `${tls ? 'https' : 'http'}://${name}:${bound}` };
    },
    close: () => app.close(),
  };
}

function refuseInsecure({ host, tls, insecure_http }: ServerOptions): void {
  if (tls || insecure_http || isLoopback(host)) return;
  throw new GatewayError(
    'SERVER_INSECURE',
    `server.host is ${host}, which other machines reach, but server.tls is not set: passwords would cross the network readable. Set server.tls (certificate_file, key_file), or server.insecure_http: true where the network is trusted, or server.host: 127.0.0.1`,
  );
}

async function readTls(files: NonNullable<ServerOptions['tls']>): Promise<TlsOptions> {
  const read = (name: 'certificate_file' | 'key_file') =>
    readFile(files[name]).catch(error => {
      throw new GatewayError(
        'OPTION_INVALID',
        `server.tls.${name}: cannot read ${files[name]}: ${describeError(error)}`,
        {
          cause: error,
        },
      );
    });
  return { cert: await read('certificate_file'), key: await read('key_file'), minVersion: 'TLSv1.2' };
}

const unfitTls = (files: NonNullable<ServerOptions['tls']>, error: unknown) =>
  new GatewayError(
    'OPTION_INVALID',
    `server.tls: ${files.certificate_file} and ${files.key_file} are not a certificate and its key in PEM: ${describeError(error)}`,
    { cause: error },
  );

function cannotListen(error: NodeJS.ErrnoException, { host, port }: ServerOptions): GatewayError {
  const at = `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new GatewayError(
        'SERVER_ADDRESS_IN_USE',
        `${at} is in use by another process. Stop it (\`ss -ltnp\` shows which), or choose another server.port (BMS_HTTP_PORT; 0: any free port)`,
        { cause: error },
      );
    case 'EACCES':
      return new GatewayError(
        'OPTION_INVALID',
        `server.port ${port}: not allowed for this user; choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new GatewayError(
        'OPTION_INVALID',
        `server.host ${host}: this machine has no such address (${error.code}); use one of its own, or 0.0.0.0 for all`,
        { cause: error },
      );
    default:
      return new GatewayError('OPTION_INVALID', `Cannot listen on ${at}: ${describeError(error)}`, {
        cause: error,
      });
  }
}
