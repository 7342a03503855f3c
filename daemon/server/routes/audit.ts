/** The audit log, for administrators. There is no route that changes or removes an entry. */
import { AuditQuery, AuditReply } from '../../../core/contract/access.ts';
import type { App, ServerContext } from '../options.ts';
import { problems } from './replies.ts';

const LIMIT = 100;

export function addAuditRoutes(app: App, { services: { store } }: ServerContext): void {
  app.get(
    '/api/admin/audit',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Who did what, newest first',
        querystring: AuditQuery,
        response: { 200: AuditReply, ...problems(400, 401, 403) },
      },
    },
    async request => {
      // What was just done is to be seen; while the disk cannot be written, at least what is on it.
      await store.flush().catch(() => undefined);
      return store.audit({ ...request.query, limit: request.query.limit ?? LIMIT });
    },
  );
}
