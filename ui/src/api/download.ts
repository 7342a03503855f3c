/** Takes a long file piece by piece, reporting how far it has come, and hands it to the browser to save. */
import { systemClock } from '../../../core/clock/system-clock.ts';
import { t } from '../texts/texts.ts';
import { ApiError } from './client.ts';
import { ask } from './session.ts';

export interface Download {
  /** Called after each piece, with all bytes so far. `t_ms` is the moment of the newest reading in it, where it holds a whole one. */
  readonly onProgress: (bytes: number, t_ms: number | undefined) => void;
  readonly signal: AbortSignal;
}

const TRIES = 6;
const FIRST_WAIT_MS = 500;

/**
 * Asks for piece after piece, as the header Link of each names the next; one that was cut is asked for again.
 * Rejects with an ApiError, or with an AbortError when the signal ended it.
 */
export async function download(path: string, { onProgress, signal }: Download): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let last: Response | undefined;
  for (let url: string | undefined = path; url !== undefined; url = nextOf(last)) {
    const { response, body } = await persistently(url, signal);
    last = response;
    pieces.push(body);
    bytes += body.length;
    onProgress(bytes, newestMoment(body));
  }
  if (last) save(new Blob(pieces, { type: last.headers.get('content-type') ?? '' }), nameOf(last));
}

interface Piece {
  readonly response: Response;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Not at the first cut of a weak network, nor at the end of a short token, is a long download given up. */
async function persistently(url: string, signal: AbortSignal): Promise<Piece> {
  for (let tries = 1; ; tries++) {
    try {
      return await take(url, signal);
    } catch (error) {
      const is_final = error instanceof ApiError && ![401, 429, 503].includes(error.status);
      if (signal.aborted || is_final || tries === TRIES) throw error;
      // Renews the session where it must be.
      if (error instanceof ApiError && error.status === 401) await ask('/api/auth/me');
      else await new Promise<void>(resolve => void systemClock.setTimer(resolve, FIRST_WAIT_MS * 2 ** tries));
    }
  }
}

async function take(url: string, signal: AbortSignal): Promise<Piece> {
  const response = await fetch(url, { signal, credentials: 'same-origin' });
  if (response.ok) return { response, body: new Uint8Array(await response.arrayBuffer()) };
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new ApiError(response.status, problem.code ?? '', problem.detail ?? t().errors.noFile);
}

const nextOf = (response: Response | undefined) =>
  /^<([^>]+)>; rel="next"$/.exec(response?.headers.get('link') ?? '')?.[1];

/** Of the last whole row in a piece of CSV (`2026-01-31T08:00:00.000Z,1769846400000,…`) or of JSON lines. */
export function newestMoment(piece: Uint8Array): number | undefined {
  const tail = new TextDecoder().decode(piece.subarray(-4096));
  const found = [...tail.matchAll(/(?:Z,|"t_ms":)(\d{6,16})[,}]/g)].at(-1);
  return found ? Number(found[1]) : undefined;
}

function nameOf(response: Response): string {
  const given = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '');
  return given?.[1] ?? 'readings.csv';
}

function save(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has taken it by then, whatever its size.
  systemClock.setTimer(() => URL.revokeObjectURL(link.href), 60_000);
}
