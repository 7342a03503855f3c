/** Documents while the store can be read, but not written: what is put waits in memory, and is written once it is open. */
import { GatewayError } from '../../../core/errors.ts';
import type { Documents } from '../store.ts';

interface Change {
  readonly kind: string;
  readonly id: string;
  /** Undefined: deleted. */
  readonly body: unknown;
}

/** More are refused. */
const MAX_CHANGES = 10_000;

export class WaitingDocuments implements Documents {
  readonly #stored: Documents;
  readonly #isWaiting: () => boolean;
  readonly #changes = new Map<string, Change>();

  constructor(stored: Documents, isWaiting: () => boolean) {
    this.#stored = stored;
    this.#isWaiting = isWaiting;
  }

  async get(kind: string, id: string): Promise<unknown | undefined> {
    const change = this.#changes.get(key(kind, id));
    return change ? copied(change.body) : this.#stored.get(kind, id);
  }

  async list(kind: string): Promise<{ id: string; body: unknown }[]> {
    const listed = new Map((await this.#stored.list(kind)).map(({ id, body }) => [id, body]));
    for (const { kind: changed, id, body } of this.#changes.values()) {
      if (changed !== kind) continue;
      if (body === undefined) listed.delete(id);
      else listed.set(id, copied(body));
    }
    return [...listed].map(([id, body]) => ({ id, body })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async put(kind: string, id: string, body: unknown): Promise<void> {
    if (this.#isWaiting()) return this.#change({ kind, id, body: copied(body) });
    await this.#stored.put(kind, id, body);
    this.#changes.delete(key(kind, id));
  }

  async delete(kind: string, id: string): Promise<boolean> {
    const was_there = (await this.get(kind, id)) !== undefined;
    if (this.#isWaiting()) {
      this.#change({ kind, id, body: undefined });
      return was_there;
    }
    await this.#stored.delete(kind, id);
    this.#changes.delete(key(kind, id));
    return was_there;
  }

  /** As `store`, after a time in which nothing that is stored could be read: what is there wins. */
  async storeWhereNone(): Promise<void> {
    const kinds = new Set([...this.#changes.values()].map(({ kind }) => kind));
    for (const kind of kinds) {
      if ((await this.#stored.list(kind)).length === 0) continue;
      for (const [name, change] of this.#changes) if (change.kind === kind) this.#changes.delete(name);
    }
    await this.store();
  }

  /** Once the store is open. What cannot be written stays here for the next call. */
  async store(): Promise<void> {
    for (const [name, { kind, id, body }] of [...this.#changes]) {
      // It was changed again meanwhile, in the store.
      if (!this.#changes.has(name)) continue;
      await (body === undefined ? this.#stored.delete(kind, id) : this.#stored.put(kind, id, body));
      this.#changes.delete(name);
    }
  }

  #change(change: Change): void {
    const name = key(change.kind, change.id);
    if (this.#changes.size >= MAX_CHANGES && !this.#changes.has(name))
      throw new GatewayError('STORE_FAILED', 'the storage cannot be written, and too many changes wait');
    this.#changes.set(name, change);
  }
}

const key = (kind: string, id: string) => `${kind}\0${id}`;

/** As it would come back from the file. */
const copied = (body: unknown): unknown =>
  body === undefined ? undefined : JSON.parse(JSON.stringify(body));
