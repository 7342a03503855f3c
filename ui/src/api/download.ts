/** Takes a long file piece by piece, telling how far it has come, and hands it to the browser to save. */
import { systemClock } from '../../../core/clock/system-clock.ts';
import { ApiError } from './client.ts';

export interface Download {
  /** Called with each piece. `t_ms` is the moment of the newest reading in it, where it holds a whole one. */
  readonly onProgress: (bytes: number, t_ms: number | undefined) => void;
  readonly signal: AbortSignal;
}

/** Rejects with an ApiError, or with an AbortError when the signal ended it. */
export async function download(path: string, { onProgress, signal }: Download): Promise<void> {
  const response = await fetch(path, { signal, credentials: 'same-origin' });
  if (!response.ok || !response.body) {
    const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
    throw new ApiError(
      response.status,
      problem.code ?? '',
      problem.detail ?? 'The gateway does not give the file',
    );
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    pieces.push(part.value);
    bytes += part.value.length;
    onProgress(bytes, newestMoment(part.value));
  }
  save(new Blob(pieces, { type: response.headers.get('content-type') ?? '' }), nameOf(response));
}

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
