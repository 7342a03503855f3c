/** One's own account: password and sessions; and everybody's sessions, for administrators. */
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import {
  ConfirmBody,
  ConfirmReply,
  MeReply,
  PasswordBody,
  SessionsReply,
  type SessionView,
} from '../../../core/contract/access.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Viewer } from '../auth/access.ts';
import type { StoredSession } from '../auth/sessions.ts';
import type { App, AuditNote, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { NoContent, problems } from './replies.ts';

const SessionId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const login = { access: 'login' } as const;
const admin = { access: 'admin' } as const;

export function addAccountRoutes(app: App, context: ServerContext): void {
  addPassword(app, context);
  addConfirmation(app, context);
  addOwnSessions(app, context);
  addAllSessions(app, context);
}

function addPassword(app: App, { users, sessions, login_guard }: ServerContext): void {
  app.put(
    '/api/auth/password',
    {
      config: { access: 'account', audit: 'user.password' },
      schema: {
        summary: 'Changes the password of one who knows it',
        body: PasswordBody,
        response: { 200: MeReply, ...problems(400, 401, 403, 409, 429) },
      },
    },
    async request => {
      const viewer = personOf(request);
      const { username } = viewer.user;
      request.audited = { target: username, new: undefined };
      const { old_password, new_password } = request.body;
      login_guard.begin(username, request.ip);
      if (!(await users.authenticate(username, old_password)))
        throw new GatewayError('FORBIDDEN', 'The old password is wrong');
      login_guard.succeeded(username, request.ip);
      if (old_password.normalize('NFC') === new_password.normalize('NFC'))
        throw new GatewayError('BAD_REQUEST', 'body.new_password: is the old one; choose another');
      await users.change(username, { password: new_password }, user =>
        sessions.keepThrough(viewer.credential.id, user),
      );
      return { user: viewer.user };
    },
  );
}

function addConfirmation(app: App, { users, sessions, login_guard, limits, services }: ServerContext): void {
  app.post(
    '/api/auth/confirm',
    {
      config: { ...login, audit: 'password.confirm' },
      schema: {
        summary: 'Gives one’s password once more, before users and keys are changed',
        body: ConfirmBody,
        response: { 200: ConfirmReply, ...problems(400, 401, 403, 429) },
      },
    },
    async request => {
      const { user, credential } = personOf(request);
      request.audited = { target: user.username, new: undefined };
      login_guard.begin(user.username, request.ip);
      if (!(await users.authenticate(user.username, request.body.password)))
        throw new GatewayError('FORBIDDEN', 'The password is wrong');
      login_guard.succeeded(user.username, request.ip);
      await sessions.confirm(credential.id);
      return { confirmed_until_ms: services.clock.wallMs() + limits.confirmed_ms };
    },
  );
}

function addOwnSessions(app: App, { sessions }: ServerContext): void {
  app.get(
    '/api/auth/sessions',
    {
      config: login,
      schema: { summary: 'One’s own sessions', response: { 200: SessionsReply, ...problems(401, 403) } },
    },
    async request => {
      const viewer = personOf(request);
      return { sessions: sessions.list(viewer.user.username).map(session => viewOf(session, viewer)) };
    },
  );
  app.delete(
    '/api/auth/sessions',
    {
      config: { ...login, audit: 'session.end' },
      schema: {
        summary: 'Ends all one’s sessions but the one that asks',
        description: 'Ends all sessions of the user but the one that asks',
        response: { 204: NoContent, ...problems(401, 403) },
      },
    },
    async (request, reply) => {
      const { user, credential } = personOf(request);
      const others = sessions.list(user.username).filter(({ id }) => id !== credential.id);
      for (const { id } of others) await sessions.end(id);
      request.audited = { target: user.username, old: { sessions: others.length } };
      return reply.code(204).send(null);
    },
  );
  app.delete(
    '/api/auth/sessions/:id',
    {
      config: { ...login, audit: 'session.end' },
      schema: {
        summary: 'Ends one of one’s own sessions',
        params: SessionId,
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const session = sessions.find(id);
      if (!session || session.username !== personOf(request).user.username) throw noSession();
      await sessions.end(id);
      request.audited = endedOf(session);
      return reply.code(204).send(null);
    },
  );
}

function addAllSessions(app: App, { sessions }: ServerContext): void {
  app.get(
    '/api/admin/sessions',
    {
      config: admin,
      schema: {
        summary: 'The sessions of all users',
        response: { 200: SessionsReply, ...problems(401, 403) },
      },
    },
    async request => ({ sessions: sessions.list().map(session => viewOf(session, viewerOf(request))) }),
  );
  app.delete(
    '/api/admin/sessions/:id',
    {
      config: { ...admin, audit: 'session.end' },
      schema: {
        summary: 'Ends a session of anybody',
        params: SessionId,
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const session = sessions.find(request.params.id);
      if (!session) throw noSession();
      await sessions.end(session.id);
      request.audited = endedOf(session);
      return reply.code(204).send(null);
    },
  );
}

/** An API key has no password and no sessions. */
function personOf(request: FastifyRequest): Viewer {
  const viewer = viewerOf(request);
  if (viewer.credential.kind === 'session') return viewer;
  throw new GatewayError(
    'FORBIDDEN',
    'An API key has no password and no sessions; this is for users who logged in',
  );
}

function viewOf(session: StoredSession, viewer: Viewer): SessionView {
  const { id, username, created_ms, seen_ms, expires_ms, address, user_agent } = session;
  const current = id === viewer.credential.id;
  return { id, username, created_ms, seen_ms, expires_ms, address, user_agent, current };
}

const endedOf = ({ username, address, user_agent }: StoredSession): AuditNote => ({
  target: username,
  old: { address, user_agent },
});

const noSession = () => new GatewayError('NOT_FOUND', 'There is no such session; it may have ended');
