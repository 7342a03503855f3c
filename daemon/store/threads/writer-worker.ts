/**
 * Thread of the writer. Batches are committed strictly in order: while one cannot be written (card full, card
 * gone) it is retried with back-off, and those behind it wait.
 */
import { parentPort, type Transferable, workerData } from 'node:worker_threads';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { trimMemory } from '../../system/trim-memory.ts';
import {
  END,
  failedReply,
  type Request,
  type WorkerMessage,
  type WorkerSetup,
  type WriterMethods,
} from '../worker-messages.ts';
import { WriterKeeper } from '../write/recovering-writer.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 15_000;
/** After the archive could not be written. */
const ARCHIVE_RETRY_MS = 60_000;

const setup = workerData as WorkerSetup;
const port = parentPort;
if (!port) throw new Error('writer-worker.ts runs as a worker thread only');

const keeper = new WriterKeeper(
  setup,
  systemClock,
  reopened => send({ event: { reopened } }),
  damage => send({ event: { damage } }),
);
const batches: { id: number; params: WriterMethods['commit'][0] }[] = [];
let retry_ms = FIRST_RETRY_MS;
let waiting = false;
let archiving = false;
let archive_not_before_ms = Number.NEGATIVE_INFINITY;

port.on('message', ({ id, method, params }: Request) => {
  if (method === END) process.exit();
  if (method === 'commit') {
    batches.push({ id, params: params as WriterMethods['commit'][0] });
    if (!waiting) commitNext();
    return;
  }
  try {
    send({ id, ok: true, result: answer(method as keyof WriterMethods, params) });
    if (method === 'open') trimMemory();
  } catch (error) {
    send(failedReply(id, error));
  }
});

function answer(method: keyof WriterMethods, params: unknown): unknown {
  switch (method) {
    case 'open':
      return keeper.open(params as WriterMethods['open'][0]);
    case 'put': {
      const { kind, id, body } = params as WriterMethods['put'][0];
      keeper.do(writer => writer.put(kind, id, body));
      return null;
    }
    case 'delete': {
      const { kind, id } = params as WriterMethods['delete'][0];
      return keeper.do(writer => writer.delete(kind, id));
    }
    case 'retain':
      return keeper.do(writer => writer.retain(params as WriterMethods['retain'][0]));
    case 'fork':
      return keeper.do(writer => writer.fork(params as WriterMethods['fork'][0]));
    case 'close': {
      // Batches that a failure held back get their last attempt; after the first failure order forbids the rest.
      while (batches.length > 0 && commitFirst()) {}
      keeper.close((params as WriterMethods['close'][0]).synced_seq);
      return null;
    }
    default:
      throw new GatewayError('STORE_FAILED', `the writer knows no method ${method}`);
  }
}

/** One batch per turn of the event loop, so that small requests come between. */
function commitNext(): void {
  if (batches.length === 0 || !keeper.isOpen) return;
  if (commitFirst()) {
    if (batches.length > 0) setImmediate(commitNext);
    else archiveSoon();
    return;
  }
  waiting = true;
  systemClock.setTimer(() => {
    waiting = false;
    commitNext();
  }, retry_ms);
  retry_ms = Math.min(2 * retry_ms, LAST_RETRY_MS);
}

/** One step per turn of the event loop, and only while no batch waits. */
function archiveSoon(): void {
  if (archiving || systemClock.monoMs() < archive_not_before_ms) return;
  archiving = true;
  setImmediate(() => {
    archiving = false;
    if (!keeper.isOpen || waiting || batches.length > 0) return;
    try {
      const step = keeper.do(writer => writer.archiveStep());
      if (step === 'stored') reportArchive(undefined);
      if (step !== 'idle') archiveSoon();
    } catch (error) {
      archive_not_before_ms = systemClock.monoMs() + ARCHIVE_RETRY_MS;
      reportArchive(`${setup.file}, archive: ${describeError(error)}`);
    }
  });
}

function reportArchive(fault: string | undefined): void {
  send({ event: { archive: { waiting_spans: keeper.do(writer => writer.waitingSpans()), fault } } });
}

function commitFirst(): boolean {
  const { id, params } = batches[0];
  try {
    const result = keeper.do(writer => writer.commit(params.buffer, params.used));
    batches.shift();
    if (retry_ms !== FIRST_RETRY_MS) send({ event: { fault: undefined } });
    retry_ms = FIRST_RETRY_MS;
    send({ id, ok: true, result }, [params.buffer]);
    return true;
  } catch (error) {
    send({ event: { fault: `${setup.file}: ${describeError(error)}` } });
    return false;
  }
}

function send(message: WorkerMessage, transfer: Transferable[] = []): void {
  port?.postMessage(message, transfer);
}
