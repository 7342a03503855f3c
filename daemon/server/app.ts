/** The whole application, not listening: what `inject` tests get and `createServer` listens with. */
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { addressMatcher } from './addresses.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { Authenticator } from './auth/authenticator.ts';
import { CentralUsers } from './auth/central-users.ts';
import { LoginGuard } from './auth/login-guard.ts';
import { PasswordHasher } from './auth/passwords.ts';
import { Sessions } from './auth/sessions.ts';
import { Setup } from './auth/setup.ts';
import { SetupCodeFile } from './auth/setup-code.ts';
import { SigningKeys } from './auth/signing-keys.ts';
import { Tokens } from './auth/tokens.ts';
import { UserDirectory } from './auth/users.ts';
import { VisibleTopology } from './auth/visible.ts';
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
import { LiveHub } from './live/hub.ts';
import { addLiveRoute, addWebSocket } from './live/plugin.ts';
import { noCounts } from './metrics.ts';
import type { App, ServerContext, ServerOptions, TypeBoxTypes } from './options.ts';
import { addAudit } from './plugins/audit.ts';
import { addAuthentication } from './plugins/authentication.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addReplyTimeout } from './plugins/reply-timeout.ts';
import { addRouteList } from './plugins/route-list.ts';
import { addSecurity } from './plugins/security.ts';
import { addStaticPage } from './plugins/static-page.ts';
import { pathOf, refuseBroken, sendProblem } from './problems.ts';
import { addAccountRoutes } from './routes/account.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { addAlertRoutes } from './routes/alerts.ts';
import { addApiKeyRoutes } from './routes/api-keys.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addAuthRoutes } from './routes/auth.ts';
import { addBatteryRoutes } from './routes/batteries.ts';
import { addExportRoute } from './routes/export.ts';
import { addAlertExportRoute } from './routes/export-alerts.ts';
import { addLifetimeRoutes } from './routes/lifetime.ts';
import { addNotificationRoutes } from './routes/notifications.ts';
import { addOutOfServiceRoutes } from './routes/out-of-service.ts';
import { addReportRoutes } from './routes/reports.ts';
import { addSecurityTxt } from './routes/security-txt.ts';
import { addSimulationRoutes } from './routes/simulation.ts';
import { addSystemRoutes } from './routes/system.ts';
import { addUserRoutes } from './routes/users.ts';
import { buildSerializer } from './serializing.ts';
import type { GatewayServices } from './services.ts';
import type { CertificateKeeper } from './tls/certificate-keeper.ts';
import { makeHttpServer } from './tls/front-door.ts';
import { validatorCompiler } from './validation.ts';

export async function buildApp(
  services: GatewayServices,
  options: ServerOptions,
  certificate?: CertificateKeeper,
): Promise<{ app: App; context: ServerContext }> {
  const context = await makeContext(services, options, certificate !== undefined);
  try {
    const app = makeFastify(context, certificate);
    await addWebSocket(app, context);
    addRequestLog(app, context);
    await addSecurity(app, context);
    await addRoutes(app, context);
    await app.ready();
    return { app, context };
  } catch (error) {
    context.hub.close();
    throw error;
  }
}

async function makeContext(
  services: GatewayServices,
  options: ServerOptions,
  tls: boolean,
): Promise<ServerContext> {
  const { clock, topology } = services;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const access = await makeAccess(services, options, limits);
  const visible = new VisibleTopology(topology);
  const counters = noCounts();
  return {
    services,
    limits,
    tls,
    isTrustedProxy: addressMatcher(options.trusted_proxies ?? []),
    security_contact: options.security_contact,
    ui_directory: options.ui_directory,
    ...access,
    login_guard: new LoginGuard(clock, limits, counters, access.sessions.list()),
    visible,
    hub: new LiveHub(services, limits, visible, access.authenticator, counters),
    counters,
    routes: [],
  };
}

/** Who may log in, and who is. */
async function makeAccess(
  { clock, log, audit, topology, store: { documents } }: GatewayServices,
  { argon2, jwt_secret, session_hours, state_dir }: ServerOptions,
  { hashes_at_once, hashes_waiting, user_cache_ms, sessions_per_user, page_token_ms, api_keys }: ServerLimits,
) {
  const session_ms = Math.max(1, Math.round(session_hours * 3600)) * 1000;
  const hasher = new PasswordHasher(argon2, hashes_at_once, hashes_waiting);
  const users = new UserDirectory(documents, clock, hasher, user_cache_ms, log);
  const signing_keys = await SigningKeys.open(documents, clock, jwt_secret, session_ms, log);
  const tokens = new Tokens(signing_keys, topology.gateway_id, clock);
  const sessions = await Sessions.open(documents, clock, { session_ms, per_user: sessions_per_user });
  const keys = await ApiKeys.open(documents, clock, api_keys, log);
  const authenticator = new Authenticator({ clock, users, sessions, keys, tokens, page_token_ms });
  await authenticator.endStale();
  const setup = new Setup(users, state_dir ? new SetupCodeFile(state_dir, clock) : undefined, log);
  await setup.prepare();
  const central_users = new CentralUsers(users, audit, log);
  return { users, signing_keys, sessions, api_keys: keys, authenticator, setup, central_users };
}

function makeFastify(
  { limits, counters, isTrustedProxy, services: { log, clock } }: ServerContext,
  certificate: CertificateKeeper | undefined,
): App {
  const app = Fastify({
    serverFactory: handler =>
      makeHttpServer({ limits, counters, clock, certificate, isTrustedProxy }, handler),
    clientErrorHandler: refuseBroken,
    logger: false,
    trustProxy: isTrustedProxy,
    bodyLimit: limits.body_bytes,
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: 200 },
    schemaController: { compilersFactory: { buildSerializer } },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, error, log),
  }).withTypeProvider<TypeBoxTypes>() as App;
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, error, log));
  app.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = app.getDefaultJsonParser('error', 'error');
  // An empty body is none, whatever type a program declares for it.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, body as string, done);
  });
  return app;
}

function addRequestLog(app: App, { services, counters }: ServerContext): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    counters.requests++;
    if (reply.statusCode >= 500) counters.requests_failed++;
    else if (reply.statusCode >= 400) counters.requests_refused++;
    services.log.debug(
      {
        request_id: request.id,
        method: request.method,
        path: pathOf(request),
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime),
        address: request.ip,
        user: request.viewer?.user.username,
      },
      'Request',
    );
  });
}

async function addRoutes(app: App, context: ServerContext): Promise<void> {
  addRouteList(app, context);
  addAuthentication(app, context);
  addReplyTimeout(app, context);
  addAudit(app, context);
  await addOpenApi(app, context);
  await addStaticPage(app, context);
  addLiveRoute(app, context);
  addAuthRoutes(app, context);
  addAccountRoutes(app, context);
  addBatteryRoutes(app, context);
  addAlertRoutes(app, context);
  addOutOfServiceRoutes(app, context);
  addReportRoutes(app, context);
  addLifetimeRoutes(app, context);
  addExportRoute(app, context);
  addAlertExportRoute(app, context);
  addAdminRoutes(app, context);
  addNotificationRoutes(app, context);
  addUserRoutes(app, context);
  addApiKeyRoutes(app, context);
  addAuditRoutes(app, context);
  addSystemRoutes(app, context);
  addSecurityTxt(app, context);
  if (context.services.simulation) addSimulationRoutes(app, context.services.simulation);
}
