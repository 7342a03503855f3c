/** Users, for administrators. */
import Type from 'typebox';
import { NewUserBody, UserChangeBody, UserRecord, UsersReply } from '../../../core/contract/access.ts';
import { GatewayError } from '../../../core/errors.ts';
import { userRecord } from '../auth/users.ts';
import type { App, ServerContext } from '../options.ts';
import { NoContent, problems } from './replies.ts';

const Username = Type.Object({ username: Type.String({ minLength: 1, maxLength: 64 }) });
const config = { access: 'admin' } as const;
/** Of what changes who may come in. */
const confirmed = { ...config, confirm: true } as const;

export function addUserRoutes(app: App, context: ServerContext): void {
  const { users } = context;
  app.get(
    '/api/admin/users',
    { config, schema: { summary: 'All users', response: { 200: UsersReply, ...problems(401, 403) } } },
    async () => ({ users: (await users.list()).map(userRecord) }),
  );
  app.post(
    '/api/admin/users',
    {
      config: { ...confirmed, audit: 'user.create' },
      schema: {
        summary: 'Makes a user',
        body: NewUserBody,
        response: { 201: UserRecord, ...problems(400, 401, 403, 409) },
      },
    },
    async (request, reply) => {
      refuseUnknown(context, request.body.batteries);
      const user = userRecord(await users.create(request.body));
      request.audited = { target: user.username, new: rightsOf(user) };
      return reply.code(201).send(user);
    },
  );
  app.put(
    '/api/admin/users/:username',
    {
      config: { ...confirmed, audit: 'user.change' },
      schema: {
        summary: 'Changes a user; what is not given stays',
        params: Username,
        body: UserChangeBody,
        response: { 200: UserRecord, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async request => {
      refuseUnknown(context, request.body.batteries);
      const { before, user } = await users.change(request.params.username, request.body);
      const password = request.body.password === undefined ? {} : { new_password: true };
      request.audited = {
        target: user.username,
        old: rightsOf(userRecord(before)),
        new: { ...rightsOf(userRecord(user)), ...password },
      };
      return userRecord(user);
    },
  );
  app.delete(
    '/api/admin/users/:username',
    {
      config: { ...confirmed, audit: 'user.delete' },
      schema: {
        summary: 'Deletes a user and ends its sessions',
        params: Username,
        response: { 204: NoContent, ...problems(401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const user = await users.delete(request.params.username);
      request.audited = { target: user.username, old: rightsOf(userRecord(user)), new: undefined };
      return reply.code(204).send(null);
    },
  );
}

/** What of a user the audit log shows. */
const rightsOf = ({ role, batteries, disabled, must_change_password }: UserRecord) => ({
  role,
  batteries,
  disabled,
  must_change_password,
});

/** BAD_REQUEST when a battery is none of this site. */
export function refuseUnknown({ visible, services }: ServerContext, batteries: readonly string[] = []): void {
  const unknown = batteries.find(id => !visible.hasBattery(id));
  if (unknown === undefined) return;
  const known = services.topology.batteries.slice(0, 10).map(battery => battery.id);
  throw new GatewayError(
    'BAD_REQUEST',
    `body.batteries: found '${unknown}', expected ids of batteries such as ${known.join(', ')}`,
  );
}
