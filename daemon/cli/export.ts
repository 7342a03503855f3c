/** `bms-gateway export`: readings of a span out of the gateway's own storage, also while it runs, with progress. */
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { EXPORT_FORMATS, EXPORT_ROWS } from '../../core/contract/export.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { Reader } from '../store/read/reader.ts';
import { STORE_FILE } from '../store/sqlite-store.ts';
import { freePiece } from '../system/trim-memory.ts';
import { UsageError } from './usage.ts';

export interface ExportValues {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly pack?: string[] | undefined;
  readonly rows?: string | undefined;
  readonly format?: string | undefined;
  readonly output?: string | undefined;
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Of pages: each is read once. */
const CACHE_KIB = 2048;
const PROGRESS_READINGS = 50_000;

/** Exit code 0. @throws UsageError, GatewayError */
export async function exportReadings(
  values: ExportValues,
  state_dir: string,
  now_ms: number,
): Promise<number> {
  const from_ms = momentOf('--from', values.from, now_ms);
  const to_ms = values.to === undefined ? now_ms : momentOf('--to', values.to, now_ms);
  if (from_ms >= to_ms)
    throw new UsageError(`--from: found ${new Date(from_ms).toISOString()}, expected a moment before --to`);
  const form = {
    rows: oneOf('--rows', values.rows, EXPORT_ROWS),
    format: oneOf('--format', values.format, EXPORT_FORMATS),
  };
  const reader = openReader(state_dir);
  try {
    const known = reader.packIds();
    const unknown = values.pack?.find(id => !known.includes(id));
    if (unknown !== undefined)
      throw new UsageError(
        `--pack: found "${unknown}", expected one of ${known.join(', ') || 'none, it holds no pack'}`,
      );
    const out = await openOutput(values.output);
    const request = { from_ms, to_ms, pack_ids: values.pack ?? known, form };
    let readings = 0;
    let undecodable = 0;
    let reported = 0;
    for (let after_seq: number | null = 0; after_seq !== null; ) {
      const chunk = reader.exportChunk({ ...request, after_seq });
      readings += chunk.readings;
      undecodable += chunk.undecodable;
      after_seq = chunk.next_seq;
      if (!out.write(chunk.text)) await once(out, 'drain');
      await freePiece();
      if (readings - reported >= PROGRESS_READINGS) {
        reported = readings;
        process.stderr.write(`${readings} readings\n`);
      }
    }
    if (out !== process.stdout) await new Promise<void>(resolve => out.end(() => resolve()));
    const lost = undecodable > 0 ? `; ${undecodable} could not be decoded and are left out` : '';
    process.stderr.write(
      `${readings} readings of ${new Date(from_ms).toISOString()} to ${new Date(to_ms).toISOString()}${lost}\n`,
    );
    return 0;
  } finally {
    reader.close();
  }
}

function openReader(state_dir: string): Reader {
  const file = join(state_dir, STORE_FILE);
  if (!existsSync(file))
    throw new GatewayError(
      'NOT_FOUND',
      `${file} is not there; name the gateway's state directory with --state-dir`,
    );
  try {
    return new Reader(file, undefined, CACHE_KIB);
  } catch (error) {
    throw new GatewayError('STORE_FAILED', `${file} cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}

async function openOutput(file: string | undefined): Promise<Writable> {
  if (file === undefined) return process.stdout;
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  try {
    await once(out, 'open');
    return out;
  } catch (error) {
    throw new GatewayError('BAD_REQUEST', `${file} cannot be written: ${describeError(error)}`, {
      cause: error,
    });
  }
}

function momentOf(name: string, text: string | undefined, now_ms: number): number {
  if (text === undefined) throw new UsageError(`export needs ${name}; see bms-gateway export --help`);
  const ago = /^(\d{1,6})([mhd])$/.exec(text);
  if (ago) return now_ms - Number(ago[1]) * UNITS_MS[ago[2]];
  const moment_ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(moment_ms)) return moment_ms;
  throw new UsageError(
    `${name}: found "${text}", expected a time such as 2026-01-31, 2026-01-31T08:00Z or 24h`,
  );
}

function oneOf<V extends string>(name: string, text: string | undefined, allowed: readonly V[]): V {
  const found = allowed.find(value => value === (text ?? allowed[0]));
  if (found === undefined) throw new UsageError(`${name}: found "${text}", expected ${allowed.join(' or ')}`);
  return found;
}
