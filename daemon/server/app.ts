/** The whole application, not listening: what `inject` tests get and `createServer` listens with. */
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import { VisibleTopology } from './auth/access.ts';
import { LoginGuard } from './auth/login-guard.ts';
import { PasswordHasher } from './auth/passwords.ts';
import { Sessions, sessionKey } from './auth/sessions.ts';
import { UserDirectory } from './auth/users.ts';
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
import { LiveHub } from './live/hub.ts';
import { addLiveRoute, addWebSocket } from './live/plugin.ts';
import { noCounts } from './metrics.ts';
import type { App, ServerContext, ServerOptions, TypeBoxTypes } from './options.ts';
import { addAuthentication } from './plugins/authentication.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { addRouteList } from './plugins/route-list.ts';
import { addSecurity } from './plugins/security.ts';
import { addStaticPage } from './plugins/static-page.ts';
import { pathOf, refuseBroken, sendProblem } from './problems.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { addAlertRoutes } from './routes/alerts.ts';
import { addAuthRoutes } from './routes/auth.ts';
import { addBatteryRoutes } from './routes/batteries.ts';
import { addReportRoutes } from './routes/reports.ts';
import { addSimulationRoutes } from './routes/simulation.ts';
import { addSystemRoutes } from './routes/system.ts';
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
    const app = makeFastify(context.limits, services, certificate);
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
  const { clock, topology, store } = services;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const hasher = new PasswordHasher(options.argon2, limits.hashes_at_once, limits.hashes_waiting);
  const users = new UserDirectory(store.documents, clock, hasher, limits.user_cache_ms);
  const key = await sessionKey(store.documents, options.jwt_secret);
  const visible = new VisibleTopology(topology);
  const counters = noCounts();
  return {
    services,
    limits,
    tls,
    ui_directory: options.ui_directory,
    users,
    sessions: new Sessions(key, topology.gateway_id, users, clock, options.session_hours),
    login_guard: new LoginGuard(clock, limits),
    visible,
    hub: new LiveHub(services, limits, visible, users, counters),
    counters,
    routes: [],
  };
}

function makeFastify(
  limits: ServerLimits,
  { log, clock }: GatewayServices,
  certificate: CertificateKeeper | undefined,
): App {
  const app = Fastify({
    serverFactory: handler => makeHttpServer({ limits, clock, certificate }, handler),
    clientErrorHandler: refuseBroken,
    logger: false,
    bodyLimit: limits.body_bytes,
    handlerTimeout: limits.handler_timeout_ms,
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: () => randomBytes(8).toString('hex'),
    routerOptions: { maxParamLength: 200 },
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
  await addOpenApi(app, context);
  await addStaticPage(app, context);
  addLiveRoute(app, context);
  addAuthRoutes(app, context);
  addBatteryRoutes(app, context);
  addAlertRoutes(app, context);
  addReportRoutes(app, context);
  addAdminRoutes(app, context);
  addSystemRoutes(app, context);
  if (context.services.simulation) addSimulationRoutes(app, context.services.simulation);
}
