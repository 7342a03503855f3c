/** API keys and the key that signs sessions, for administrators. */
import Type from 'typebox';
import {
  ApiKeysReply,
  NewApiKeyBody,
  NewApiKeyReply,
  SigningKeyReply,
} from '../../../core/contract/access.ts';
import { apiKeyRecord, type StoredKey } from '../auth/api-keys.ts';
import type { App, ServerContext } from '../options.ts';
import { viewerOf } from '../plugins/authentication.ts';
import { NoContent, problems } from './replies.ts';
import { refuseUnknown } from './users.ts';

const KeyId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });
const config = { access: 'admin' } as const;
/** Of what changes who may come in. */
const confirmed = { ...config, confirm: true } as const;

export function addApiKeyRoutes(app: App, context: ServerContext): void {
  const { api_keys, signing_keys } = context;
  app.get(
    '/api/admin/keys',
    {
      config,
      schema: {
        summary: 'All API keys, without their secrets',
        response: { 200: ApiKeysReply, ...problems(401, 403) },
      },
    },
    async () => ({ keys: api_keys.list().map(apiKeyRecord) }),
  );
  app.post(
    '/api/admin/keys',
    {
      config: { ...confirmed, audit: 'key.create' },
      schema: {
        summary: 'Makes an API key; its secret is shown this once only',
        body: NewApiKeyBody,
        response: { 201: NewApiKeyReply, ...problems(400, 401, 403, 409) },
      },
    },
    async (request, reply) => {
      refuseUnknown(context, request.body.batteries);
      const { key, secret } = await api_keys.create(request.body, viewerOf(request).user.username);
      request.audited = { target: key.name, new: rightsOf(key) };
      return reply.code(201).send({ key: apiKeyRecord(key), secret });
    },
  );
  app.delete(
    '/api/admin/keys/:id',
    {
      config: { ...confirmed, audit: 'key.revoke' },
      schema: {
        summary: 'Revokes an API key at once',
        params: KeyId,
        response: { 204: NoContent, ...problems(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const key = await api_keys.revoke(request.params.id);
      request.audited = { target: key.name, old: rightsOf(key), new: undefined };
      return reply.code(204).send(null);
    },
  );
  app.post(
    '/api/admin/signing-keys',
    {
      config: { ...confirmed, audit: 'signing_key.rotate' },
      schema: {
        summary: 'Makes a new key to sign sessions with',
        description: 'Signs with a new key from now on; tokens of the one before are taken until they end',
        response: { 201: SigningKeyReply, ...problems(401, 403, 409) },
      },
    },
    async (request, reply) => {
      const old = signing_keys.current.kid;
      await signing_keys.rotate();
      const { current, accepted } = signing_keys;
      request.audited = { old: { kid: old }, new: { kid: current.kid } };
      return reply.code(201).send({ kid: current.kid, accepted: accepted.length });
    },
  );
}

/** What of a key the audit log shows. */
const rightsOf = ({ id, role, batteries, expires_ms }: StoredKey) => ({ id, role, batteries, expires_ms });
