/**
 * What was learned of packs, kept over restarts: a document for each pack, saved in turn, a few at a time, and all of them
 * at the stop.
 */
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';

const EVERY_MS = 60_000;

/** What is remembered of one pack. */
export interface Remembered {
  readonly pack_id: string;
  readonly hasAny: () => boolean;
  readonly toJSON: () => unknown;
  /** False, or an error: it is no such document. */
  readonly restore: (body: unknown) => boolean;
}

export interface PackMemoryOptions {
  /** Of the documents. */
  readonly kind: string;
  /** Each pack is saved once in this time. */
  readonly turn_ms: number;
  /** In the log: what could not be saved; and what happens where a document cannot be read. */
  readonly what: string;
  readonly remedy: string;
  readonly packs: readonly Remembered[];
  readonly documents: Documents;
  readonly log: Logger;
}

export class PackMemory {
  readonly #options: PackMemoryOptions;
  readonly #readable: ReadableDocuments;
  #next = 0;
  #saved_mono_ms = Number.NaN;
  #is_saving = false;
  #is_stopped = false;

  constructor(options: PackMemoryOptions) {
    this.#options = options;
    this.#readable = new ReadableDocuments(options.documents, options.log);
  }

  get kind(): string {
    return this.#options.kind;
  }

  async restore(): Promise<void> {
    const { kind, packs, remedy } = this.#options;
    for (const pack of packs) {
      const read = (body: unknown) => (isTakenOver(pack, body) ? true : undefined);
      await this.#readable.get(kind, pack.pack_id, read, remedy);
    }
  }

  /** At most once a minute, so many that all have their turn in time. */
  saveNowAndThen(mono_ms: number): void {
    if (Number.isNaN(this.#saved_mono_ms)) this.#saved_mono_ms = mono_ms;
    if (this.#is_stopped || this.#is_saving || mono_ms - this.#saved_mono_ms < EVERY_MS) return;
    this.#saved_mono_ms = mono_ms;
    const { packs, turn_ms, log, what } = this.#options;
    const count = Math.ceil(packs.length / (turn_ms / EVERY_MS));
    const due = Array.from({ length: count }, (_, i) => packs[(this.#next + i) % packs.length]);
    this.#next = (this.#next + count) % packs.length;
    this.#save(due).catch(error => log.warn({ reason: describeError(error) }, `${what} could not be saved`));
  }

  /** Once: a second stop finds the store closed. */
  async stop(): Promise<void> {
    if (this.#is_stopped) return;
    this.#is_stopped = true;
    await this.#save(this.#options.packs);
  }

  async #save(packs: readonly Remembered[]): Promise<void> {
    const { kind, documents } = this.#options;
    this.#is_saving = true;
    try {
      const known = packs.filter(({ hasAny }) => hasAny());
      await Promise.all(known.map(({ pack_id, toJSON }) => documents.put(kind, pack_id, toJSON())));
    } finally {
      this.#is_saving = false;
    }
  }
}

function isTakenOver({ restore }: Remembered, body: unknown): boolean {
  try {
    return restore(body);
  } catch {
    return false;
  }
}
