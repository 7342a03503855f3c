/** The HTTP server: `createServer` builds it, `listen` opens the door, `close` shuts it with all connections. */
import type { AddressInfo } from 'node:net';
import type { CertificateView, ComponentStatus } from '../../core/contract/http.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { PulledUsers } from '../upstream/central-users.ts';
import { isLoopback } from './addresses.ts';
import { buildApp } from './app.ts';
import { serverStatus } from './metrics.ts';
import type { App, ServerOptions } from './options.ts';
import type { GatewayServices } from './services.ts';
import { CertificateKeeper, type CertificateSource, logFields } from './tls/certificate-keeper.ts';
import { inUrl, isWildcard, ownAddresses } from './tls/own-names.ts';

export { ensureFirstAdministrator, type FirstAdministrator } from './auth/first-administrator.ts';
export type { ServerOptions } from './options.ts';

export interface HttpServer {
  /**
   * Resolves when requests are taken. SERVER_ADDRESS_IN_USE or OPTION_INVALID when the address cannot be had.
   * `url` is for this machine itself where it can be; `urls` are all, for other machines too.
   */
  listen(): Promise<{ url: string; urls: readonly string[] }>;
  /** Ends all connections; safe at any moment, also twice. */
  close(): Promise<void>;
  /** The server as a component of the system's status. */
  status(): ComponentStatus;
  /** Null: plain HTTP. */
  certificate(): CertificateView | null;
  /** Checks its files for a new certificate now. */
  reloadCertificate(): Promise<void>;
  /** Takes over the centre's users as they are now. Returns how many were left out. */
  acceptCentralUsers(users: PulledUsers): Promise<number>;
  readonly app: App;
}

/**
 * SERVER_INSECURE when it would listen beyond loopback without TLS and nobody allowed it;
 * OPTION_INVALID when the certificate, its key or the secret is unfit.
 */
export async function createServer(services: GatewayServices, options: ServerOptions): Promise<HttpServer> {
  const { clock, log } = services;
  const source = certificateSource(options);
  const keeper = source && (await CertificateKeeper.open(source, clock, log));
  const { app, context } = await buildApp(services, options, keeper);
  const { host, port } = options;
  return {
    app,
    status: () => serverStatus(context.counters, keeper?.fault),
    certificate: () => keeper?.current.view ?? null,
    reloadCertificate: async () => keeper?.check(),
    acceptCentralUsers: users => context.central_users.accept(users),
    async listen() {
      await app.listen({ host, port }).catch(error => {
        throw cannotListen(error, options);
      });
      keeper?.start();
      if (keeper) log.info(logFields(keeper.current), 'TLS certificate');
      const { port: bound, family } = app.server.address() as AddressInfo;
      const local = family === 'IPv6' ? '::1' : '127.0.0.1';
      const names = isWildcard(host) ? [local, ...ownAddresses()] : [host];
      const scheme = keeper ? 'https' : 'http';
      const urls = names.map(name => `${scheme}://${inUrl(name)}:${bound}`);
      return { url: urls[0]!, urls };
    },
    close: () => {
      keeper?.stop();
      return app.close();
    },
  };
}

/** Where the certificate comes from; undefined for plain HTTP. */
function certificateSource(options: ServerOptions): CertificateSource | undefined {
  const { host, tls, insecure_http, certificate_directory: directory } = options;
  if (tls) return { kind: 'configured', ...tls };
  if (insecure_http || isLoopback(host)) return undefined;
  if (directory !== undefined) return { kind: 'self_signed', directory };
  throw new GatewayError(
    'SERVER_INSECURE',
    `server.host is ${host}, which other machines reach, but there is no certificate: passwords would cross the network readable. Set server.tls (certificate_file, key_file), or server.insecure_http: true where the network is trusted, or server.host: 127.0.0.1`,
  );
}

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
