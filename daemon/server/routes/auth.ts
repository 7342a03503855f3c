/** Logging in and out. */
import { LoginBody, LoginReply, MeReply } from '../../../core/contract/http.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { App, ServerContext } from '../options.ts';
import { SESSION_COOKIE, viewerOf } from '../plugins/authentication.ts';
import { NoContent, problems } from './replies.ts';

const LOGIN_BODY_BYTES = 16 * 1024;

export function addAuthRoutes(app: App, { sessions, users, login_guard, tls }: ServerContext): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict', secure: tls } as const;

  app.post(
    '/api/auth/login',
    {
      config: { access: 'public' },
      bodyLimit: LOGIN_BODY_BYTES,
      schema: { body: LoginBody, response: { 200: LoginReply, ...problems(400, 401, 429) }, security: [] },
    },
    async (request, reply) => {
      const { username, password } = request.body;
      login_guard.begin(username, request.ip);
      const user = await users.authenticate(username, password);
      if (!user) throw new GatewayError('UNAUTHENTICATED', 'User name or password is wrong');
      login_guard.succeeded(username, request.ip);
      const token = await sessions.issue(user);
      reply.setCookie(SESSION_COOKIE, token, { ...cookie, maxAge: sessions.lifetime_s });
      return { token, user: { username: user.username, role: user.role } };
    },
  );

  // Open to all: who has an expired session, or none, must be able to get rid of its cookie.
  app.post(
    '/api/auth/logout',
    { config: { access: 'public' }, schema: { response: { 204: NoContent }, security: [] } },
    async (_request, reply) => reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null),
  );

  app.get(
    '/api/auth/me',
    { config: { access: 'login' }, schema: { response: { 200: MeReply, ...problems(401) } } },
    async request => ({ user: viewerOf(request).user }),
  );
}
