/** The audit log, for administrators. There is no route that changes or removes an entry. */
import { type AuditEntry, AuditQuery, AuditReply } from '../../../core/contract/access.ts';
import { type CsvValue, nextPage, sendCsv, wantsCsv } from '../csv.ts';
import type { App, ServerContext } from '../options.ts';
import { problems } from './replies.ts';

const LIMIT = 100;

export function addAuditRoutes(app: App, { services: { store, topology } }: ServerContext): void {
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
    async (request, reply) => {
      const { format: _, limit = LIMIT, ...wanted } = request.query;
      // What was just done is to be seen; while the disk cannot be written, at least what is on it.
      await store.flush().catch(() => undefined);
      const page = await store.audit({ ...wanted, limit });
      if (!wantsCsv(request)) return page;
      if (page.next !== null) reply.header('link', nextPage(request.url, page.next));
      return sendCsv(reply, `audit-${topology.gateway_id}`, CSV_HEADER, page.entries.map(csvRow)) as never;
    },
  );
}

const CSV_HEADER = 'at actor address action outcome target old new request_id id'.split(' ');

function csvRow(entry: AuditEntry): CsvValue[] {
  const json = (value: unknown) => (value === undefined || value === null ? null : JSON.stringify(value));
  return [
    ...[new Date(entry.t_ms).toISOString(), entry.actor, entry.address, entry.action, entry.outcome],
    ...[entry.target, json(entry.old), json(entry.new), entry.request_id, entry.id],
  ];
}
