/** Thread of the reader: queries never delay a write, and a long one never delays a short one for long. */
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { GatewayError } from '../../../core/errors.ts';
import { freePiece, trimMemory } from '../../system/trim-memory.ts';
import { Reader } from '../read/reader.ts';
import type { LogBatch } from '../store.ts';
import { END, failedReply, type ReaderMethods, type Request, type WorkerSetup } from '../worker-messages.ts';

/** A replay leaves the thread to others after so long, for so long. */
const TURN_MS = 20;
const REST_MS = 5;
/** A history query that takes longer is given up. */
const HISTORY_LIMIT_MS = 20_000;

const setup = workerData as WorkerSetup;
const port = parentPort;
if (!port) throw new Error('reader-worker.ts runs as a worker thread only');

let reader: Reader | undefined;
/** Grows with each replay that begins or is to end: the newest alone goes on. */
let replay_number = 0;

port.on('message', async ({ id, method, params }: Request) => {
  if (method === END) process.exit();
  try {
    const result = await answer(method as keyof ReaderMethods, params);
    port.postMessage({ id, ok: true, result }, buffersOf(method, result));
    if (method === 'open') trimMemory();
    if (method === 'export_chunk' || method === 'check_parts') await freePiece();
  } catch (error) {
    port.postMessage(failedReply(id, error));
  }
});

function answer(method: keyof ReaderMethods, params: unknown): unknown {
  switch (method) {
    case 'open':
      reader?.close();
      reader = new Reader(setup.file, damage => port?.postMessage({ event: { damage } }));
      return null;
    case 'history': {
      const { format, ...request } = params as ReaderMethods['history'][0];
      return opened().history(request, format, bounded());
    }
    case 'export_chunk':
      return opened().exportChunk(params as ReaderMethods['export_chunk'][0]);
    case 'reading_counts': {
      const { from_ms, to_ms } = params as ReaderMethods['reading_counts'][0];
      return opened().readingCounts(from_ms, to_ms, Number.MAX_SAFE_INTEGER, bounded());
    }
    case 'completeness':
      return opened().completeness(params as ReaderMethods['completeness'][0], bounded());
    case 'alert_events':
      return opened().alertEvents(params as ReaderMethods['alert_events'][0]);
    case 'past_alerts':
      return opened().pastAlerts();
    case 'alerts':
      return opened().alerts(params as ReaderMethods['alerts'][0]);
    case 'replay_rules': {
      const request = params as ReaderMethods['replay_rules'][0];
      return opened().replayRules(request, replayPause(request.limit_ms));
    }
    case 'end_replay':
      replay_number++;
      return null;
    case 'clock_state':
      return opened().clockState((params as ReaderMethods['clock_state'][0]).boot_id);
    case 'audit':
      return opened().audit(params as ReaderMethods['audit'][0]);
    case 'get': {
      const { kind, id } = params as ReaderMethods['get'][0];
      return opened().get(kind, id);
    }
    case 'list':
      return opened().list((params as ReaderMethods['list'][0]).kind);
    case 'check_parts': {
      const { position, at_least_bytes } = params as ReaderMethods['check_parts'][0];
      return opened().checkParts(position ?? undefined, at_least_bytes);
    }
    case 'read_batch': {
      const { after_seq, max_rows, max_bytes } = params as ReaderMethods['read_batch'][0];
      return opened().readBatch(after_seq, max_rows, max_bytes);
    }
    case 'close':
      reader?.close();
      reader = undefined;
      return null;
    default:
      throw new GatewayError('STORE_FAILED', `the reader knows no method ${method}`);
  }
}

/** Lets other requests come between; false once the time is over. */
function bounded(): () => Promise<boolean> {
  const end_ms = systemClock.monoMs() + HISTORY_LIMIT_MS;
  return () => new Promise(resolve => setImmediate(() => resolve(systemClock.monoMs() < end_ms)));
}

/** As `bounded`, and only now and then: who asks meanwhile waits for a turn at most. */
function replayPause(limit_ms: number): () => Promise<boolean> {
  const number = ++replay_number;
  const end_ms = systemClock.monoMs() + limit_ms;
  let turn_ms = systemClock.monoMs();
  return async () => {
    const now_ms = systemClock.monoMs();
    if (now_ms - turn_ms >= TURN_MS) {
      await new Promise<void>(resolve => void systemClock.setTimer(resolve, REST_MS));
      turn_ms = systemClock.monoMs();
    }
    return number === replay_number && turn_ms < end_ms;
  };
}

function opened(): Reader {
  if (!reader) throw new GatewayError('STORE_FAILED', `${setup.file} is not open`);
  return reader;
}

/** What is handed over rather than copied. */
function buffersOf(method: string, result: unknown): Transferable[] {
  if (method === 'history') return [(result as ReaderMethods['history'][1]).buffer];
  if (method === 'export_chunk') return [(result as ReaderMethods['export_chunk'][1]).text.buffer];
  if (method !== 'read_batch') return [];
  const { seq, kind, pack_key, t_ms, end, bytes } = result as LogBatch;
  return [seq, kind, pack_key, t_ms, end, bytes].map(column => column.buffer as ArrayBuffer);
}
