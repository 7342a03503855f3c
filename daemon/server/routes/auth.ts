/** Logging in and out, renewing a session, and the set-up of the first administrator. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LoginBody, LoginReply, MeReply, SetupBody, SetupReply } from '../../../core/contract/access.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isLoopback } from '../addresses.ts';
import type { Login } from '../auth/authenticator.ts';
import { SETUP_NAME } from '../auth/login-guard.ts';
import type { Caller } from '../auth/sessions.ts';
import type { StoredUser } from '../auth/user-record.ts';
import type { App, ServerContext } from '../options.ts';
import { cookieNames, isSecure, tokenOf, viewerOf } from '../plugins/authentication.ts';
import { NoContent, problems } from './replies.ts';

const LOGIN_BODY_BYTES = 16 * 1024;
const open = { access: 'public' } as const;
const silent = { ...open, audit: false } as const;

export function addAuthRoutes(app: App, context: ServerContext): void {
  addLogin(app, context);
  addLogout(app, context);
  addSetup(app, context);
  app.get(
    '/api/auth/me',
    {
      config: { access: 'account' },
      schema: { summary: 'Who one is', response: { 200: MeReply, ...problems(401) } },
    },
    async request => {
      const { user, must_change_password, is_central } = viewerOf(request);
      return {
        user,
        ...(must_change_password && { must_change_password }),
        ...(is_central && { central: true }),
      };
    },
  );
}

function addLogin(app: App, context: ServerContext): void {
  const { authenticator, users, login_guard } = context;
  app.post(
    '/api/auth/login',
    {
      config: { ...open, audit: 'login' },
      bodyLimit: LOGIN_BODY_BYTES,
      schema: {
        summary: 'Begins a session',
        body: LoginBody,
        response: { 200: LoginReply, ...problems(400, 401, 429) },
        security: [],
      },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      // A name that nobody has may be a password in the wrong field: it is not kept.
      request.audited = {
        actor: null,
        target: (await users.knows(username)) ? username : null,
        new: undefined,
      };
      login_guard.begin(username, request.ip);
      const user = await users.authenticate(username, password);
      if (!user) throw new GatewayError('UNAUTHENTICATED', 'User name or password is wrong');
      login_guard.succeeded(username, request.ip);
      return logIn(context, user, request, reply);
    },
  );
  app.post(
    '/api/auth/renew',
    {
      config: silent,
      schema: {
        summary: 'A fresh token for the session of the cookie',
        response: { 200: LoginReply, ...problems(401) },
        security: [],
      },
    },
    async (request, reply) => {
      const login = await authenticator.renew(
        request.cookies[cookieNames(request).renewal] ?? '',
        request.ip,
      );
      setSessionCookie(context, request, reply, login);
      return loginReply(login);
    },
  );
}

function addLogout(app: App, context: ServerContext): void {
  const { authenticator, sessions } = context;
  // Open to all: who has an expired session, or none, must be able to get rid of its cookies.
  app.post(
    '/api/auth/logout',
    {
      config: { ...open, audit: 'logout' },
      schema: {
        summary: 'Ends the session and removes its cookies',
        response: { 204: NoContent },
        security: [],
      },
    },
    async (request, reply) => {
      const { token } = tokenOf(request);
      const viewer = token && (await authenticator.viewer(token, request.ip).catch(() => undefined));
      const id =
        viewer && viewer.credential.kind === 'session'
          ? viewer.credential.id
          : authenticator.sessionOfRenewal(request.cookies[cookieNames(request).renewal] ?? '');
      const session = id ? sessions.find(id) : undefined;
      if (session) {
        await sessions.end(session.id);
        request.audited = { actor: session.username, target: session.username };
      }
      const names = cookieNames(request);
      reply.clearCookie(names.session, cookie(request, '/'));
      if (request.cookies[names.renewal]) reply.clearCookie(names.renewal, cookie(request, '/api/auth'));
      return reply.code(204).send(null);
    },
  );
}

function addSetup(app: App, context: ServerContext): void {
  const { setup, login_guard } = context;
  app.get(
    '/api/auth/setup',
    {
      config: open,
      schema: {
        summary: 'Whether the first administrator is still to be made',
        response: { 200: SetupReply },
        security: [],
      },
    },
    async () => {
      const first = !(await context.users.hasAdministrator());
      return { open: await setup.isOpen(), first };
    },
  );
  app.post(
    '/api/auth/setup',
    {
      config: { ...open, audit: 'setup' },
      bodyLimit: LOGIN_BODY_BYTES,
      schema: {
        summary: 'Makes the first administrator, by the one-time set-up code',
        body: SetupBody,
        response: { 200: LoginReply, ...problems(400, 403, 429) },
        security: [],
      },
    },
    async (request, reply) => {
      const { code, username, password } = request.body;
      request.audited = { actor: null, target: username, new: undefined };
      // Who sits at the box itself waits for nobody; the code is too long to be guessed from there.
      const is_guarded = !isLoopback(request.ip);
      if (is_guarded) login_guard.begin(SETUP_NAME, request.ip);
      const user = await setup.redeem(code, username, password);
      if (is_guarded) login_guard.succeeded(SETUP_NAME, request.ip);
      return logIn(context, user, request, reply);
    },
  );
}

async function logIn(context: ServerContext, user: StoredUser, request: FastifyRequest, reply: FastifyReply) {
  const by = isPage(request) ? 'page' : 'program';
  const login = await context.authenticator.begin(user, callerOf(request), by);
  const { username, role } = user;
  request.audited = { actor: username, target: username, new: { role, as: by } };
  setSessionCookie(context, request, reply, login);
  if (by === 'page') {
    const { renewal, session } = login;
    reply.setCookie(cookieNames(request).renewal, renewal, {
      ...cookie(request, '/api/auth'),
      maxAge: secondsUntil(context, session.expires_ms),
    });
  }
  return loginReply(login);
}

function loginReply({ user, session, token, expires_ms }: Login) {
  return {
    token,
    user: { username: user.username, role: user.role },
    expires_ms,
    session_expires_ms: session.expires_ms,
    ...(user.must_change_password && { must_change_password: true }),
    ...(user.origin === 'central' && { central: true }),
  };
}

function setSessionCookie(
  context: ServerContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { token, expires_ms }: Login,
): void {
  const maxAge = secondsUntil(context, expires_ms);
  reply.setCookie(cookieNames(request).session, token, { ...cookie(request, '/'), maxAge });
}

const secondsUntil = ({ services }: ServerContext, wall_ms: number) =>
  Math.max(1, Math.round((wall_ms - services.clock.wallMs()) / 1000));

const cookie = (request: FastifyRequest, path: string) =>
  ({ path, httpOnly: true, sameSite: 'strict', secure: isSecure(request) }) as const;

/** A browser says where its request comes from; a program does not. */
const isPage = ({ headers }: FastifyRequest) =>
  headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;

const callerOf = (request: FastifyRequest): Caller => ({
  address: request.ip,
  user_agent: request.headers['user-agent'] ?? '',
});
