/** Tables as CSV (RFC 4180), sent while they are made. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

export type CsvValue = string | number | null;

/** What spreadsheets begin a formula with, also in full width, or after what they skip (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const CHUNK_CHARACTERS = 16 * 1024;

/** Asked for by `?format=csv`, or by an Accept header that wants CSV and not JSON. */
export function wantsCsv(request: FastifyRequest): boolean {
  const { format } = request.query as { format?: string };
  if (format !== undefined) return format === 'csv';
  const { accept = '' } = request.headers;
  return /\btext\/csv\b/i.test(accept) && !/\b(application\/json|\*\/\*)/i.test(accept);
}

export function sendCsv(
  reply: FastifyReply,
  name: string,
  header: readonly string[],
  rows: Iterable<readonly CsvValue[]>,
): FastifyReply {
  return tableHeaders(reply, name).send(Readable.from(chunks(header, rows)));
}

export function tableHeaders(reply: FastifyReply, name: string): FastifyReply {
  const file = `${name.replace(/[^A-Za-z0-9_.-]/g, '_')}.csv`;
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${file}"`);
}

function* chunks(header: readonly string[], rows: Iterable<readonly CsvValue[]>): Generator<string> {
  let text = csvLine(header);
  for (const row of rows) {
    text += csvLine(row);
    if (text.length < CHUNK_CHARACTERS) continue;
    yield text;
    text = '';
  }
  yield text;
}

/** For the header Link (RFC 8288): a table has no place for a cursor of its own. */
export function nextPage(url: string, cursor: string): string {
  const next = new URL(url, 'http://gateway');
  next.searchParams.set('cursor', cursor);
  return `<${next.pathname}${next.search}>; rel="next"`;
}

/** Null is empty. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(field).join(',')}\r\n`;
}

function field(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
