/** The two threads of the store, one that writes and one that reads, and the time they are given to answer. */
import type { Clock } from '../../../core/clock/clock.ts';
import type { Documents } from '../store.ts';
import type {
  Committed,
  OpenedLog,
  ReaderMethods,
  WorkerEvent,
  WorkerSetup,
  WriterMethods,
} from '../worker-messages.ts';
import { WorkerClient } from './worker-client.ts';

const OPEN_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 5000;

export class StoreWorkers {
  readonly #writer: WorkerClient<WriterMethods>;
  readonly #reader: WorkerClient<ReaderMethods>;

  constructor(setup: WorkerSetup, clock: Clock, onEvent: (event: WorkerEvent) => void) {
    const script = (name: string) => new URL(name, import.meta.url);
    this.#writer = new WorkerClient('writer', script('./writer-worker.ts'), setup, clock, onEvent);
    this.#reader = new WorkerClient(
      'reader',
      script('./reader-worker.ts'),
      setup,
      clock,
      ({ damage, ended }) => {
        if (damage !== undefined) onEvent({ damage });
        if (ended) onEvent({ ended });
      },
    );
  }

  async open(params: WriterMethods['open'][0]): Promise<OpenedLog> {
    const opened = await this.#writer.call('open', params, OPEN_TIMEOUT_MS);
    await this.openReader();
    return opened;
  }

  async closeReader(): Promise<void> {
    await this.#reader.call('close', null, CLOSE_TIMEOUT_MS);
  }

  /** Also again, when the file was replaced. */
  async openReader(): Promise<void> {
    await this.#reader.call('open', null, OPEN_TIMEOUT_MS);
  }

  /** No time-out: the writer retries for as long as it takes; the bound is that of the queue. */
  commit(buffer: ArrayBuffer, used: number): Promise<Committed> {
    return this.#writer.call('commit', { buffer, used }, undefined, [buffer]);
  }

  read<K extends keyof ReaderMethods>(method: K, params: ReaderMethods[K][0]): Promise<ReaderMethods[K][1]> {
    return this.#reader.call(method, params, CALL_TIMEOUT_MS);
  }

  write<K extends keyof WriterMethods>(method: K, params: WriterMethods[K][0]): Promise<WriterMethods[K][1]> {
    return this.#writer.call(method, params, CALL_TIMEOUT_MS);
  }

  /** Failing to close in time is no reason to hang: what was acknowledged is on the disk. */
  async close(was_open: boolean, synced_seq: number): Promise<void> {
    if (was_open) {
      await this.#writer.call('close', { synced_seq }, CLOSE_TIMEOUT_MS).catch(() => {});
      await this.#reader.call('close', null, CLOSE_TIMEOUT_MS).catch(() => {});
    }
    await Promise.all([this.#reader.end(END_TIMEOUT_MS), this.#writer.end(END_TIMEOUT_MS)]);
  }
}

export type Read = <K extends keyof ReaderMethods>(
  method: K,
  params: ReaderMethods[K][0],
) => Promise<ReaderMethods[K][1]>;
export type Write = <K extends keyof WriterMethods>(
  method: K,
  params: WriterMethods[K][0],
) => Promise<WriterMethods[K][1]>;

export function documentsBy(read: Read, write: Write): Documents {
  return {
    get: async (kind, id) => (await read('get', { kind, id }))?.body,
    list: async kind => (await read('list', { kind })) as { id: string; body: unknown }[],
    put: async (kind, id, body) => {
      await write('put', { kind, id, body: JSON.stringify(body) });
    },
    delete: (kind, id) => write('delete', { kind, id }),
  };
}
