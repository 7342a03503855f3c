/**
 * The way to an open store: the lock, then the file. Where the file cannot be written, as on a disk that is full or
 * read-only, what is stored is read meanwhile, as far as it can be, and opening is tried again until it works.
 */
import type { TimerHandle } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { SQLITE_MIGRATIONS } from './file/migration-files.ts';
import { lockDirectory, type ProcessLock } from './file/process-lock.ts';
import type { SqliteStoreOptions } from './sqlite-store-options.ts';
import { type Read, StoreWorkers } from './threads/store-workers.ts';
import { unreadAnswer } from './unread-store.ts';
import type { OpenedLog, WorkerEvent } from './worker-messages.ts';

/** Between two tries. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

export interface OpeningOptions {
  readonly store: SqliteStoreOptions;
  readonly file: string;
  /** Of the lock beside the file. */
  readonly lock_name: string;
  readonly topology: Topology;
  readonly onEvent: (event: WorkerEvent) => void;
}

const nothing = () => undefined;

export class Opening {
  readonly workers: StoreWorkers;
  readonly #options: OpeningOptions;
  #lock: ProcessLock | undefined;
  #retry_ms = FIRST_RETRY_MS;
  #timer: TimerHandle | undefined;
  /** Settles when the reader has the file again. */
  #reader_is_back: Promise<void> = Promise.resolve();
  #is_stopped = false;
  #is_read_only = false;
  /** What is stored cannot be read either. */
  is_unread = false;

  constructor(options: OpeningOptions) {
    this.#options = options;
    const { file, store, onEvent } = options;
    const setup = { file, migrations: store.migrations ?? SQLITE_MIGRATIONS };
    this.workers = new StoreWorkers(setup, store.clock, onEvent);
  }

  /** The fault, when it cannot be written and must be tried again. Throws where a person must act. */
  async first(): Promise<OpenedLog | { readonly fault: string }> {
    try {
      return await this.#open();
    } catch (error) {
      if (!(error instanceof GatewayError && error.code === 'STORE_FAILED')) throw error;
      this.is_unread = !(await this.#canRead());
      // Nothing can be read by threads that have ended.
      if (this.#is_stopped) throw error;
      this.#is_read_only = /read-?only/i.test(error.message);
      return { fault: describeError(error) };
    }
  }

  /** While nothing can be read either, there is nothing; while the writer tries the file alone, it waits. */
  readonly read: Read = async (method, params) => {
    if (this.is_unread) return unreadAnswer(method, this.#options.file);
    await this.#reader_is_back;
    return this.workers.read(method, params);
  };

  /** A file can be opened whose pages then cannot be read. */
  async #canRead(): Promise<boolean> {
    try {
      await this.workers.openReader();
      await this.workers.read('list', { kind: 'user' });
      await this.workers.read('alerts', { state: 'active', limit: 1 });
      return true;
    } catch {
      await this.workers.closeReader().catch(() => {});
      return false;
    }
  }

  /** Tries until it works, or `stop`. */
  again(onOpened: (opened: OpenedLog) => Promise<void>, onFault: (fault: string) => void): void {
    if (this.#is_stopped) return;
    this.#timer = this.#options.store.clock.setTimer(() => {
      this.#reopen()
        .then(onOpened)
        .catch(error => {
          if (this.#is_stopped) return;
          onFault(describeError(error));
          this.again(onOpened, onFault);
        });
    }, this.#retry_ms);
    this.#retry_ms = Math.min(2 * this.#retry_ms, LAST_RETRY_MS);
  }

  /** The threads end, what was open is closed, and the directory is free. */
  async close(was_open: boolean, synced_seq: number): Promise<void> {
    this.#is_stopped = true;
    this.#options.store.clock.clearTimer(this.#timer);
    await this.workers.close(was_open, synced_seq);
    this.#lock?.release();
  }

  /** In one process SQLite maps the WAL's index once: while a reader has it read-only, so has the writer. */
  async #reopen(): Promise<OpenedLog> {
    if (!this.#is_read_only || this.is_unread) {
      const opened = await this.#open();
      this.is_unread = false;
      return opened;
    }
    const opening = this.#openWithoutReader();
    this.#reader_is_back = opening.then(nothing, nothing);
    return opening;
  }

  async #openWithoutReader(): Promise<OpenedLog> {
    await this.workers.closeReader();
    try {
      return await this.#open();
    } catch (error) {
      await this.workers.openReader();
      throw error;
    }
  }

  async #open(): Promise<OpenedLog> {
    const { store, topology, lock_name } = this.#options;
    const { directory, span_rows, clock } = store;
    // A disk that gives no lock, as it is read-only, lets nobody write either.
    this.#lock ??= lockDirectory(directory, lock_name);
    const pack_ids = topology.packs.map(({ id }) => id);
    return this.workers.open({
      pack_ids,
      topology: JSON.stringify(topology),
      t_ms: clock.wallMs(),
      span_rows,
    });
  }
}
