/**
 * Documents checked as they are read: one that is not what it should be is left out and logged once, with what is to
 * be done, and nothing else fails by it.
 */
import type { Logger } from '../../../core/log.ts';
import type { Documents } from '../store.ts';

/** Undefined: the body is not what this kind holds. */
export type ReadBody<T> = (body: unknown, id: string) => T | undefined;

/** Documents that are remembered as logged. */
const LOGGED_MAX = 1000;

export class ReadableDocuments {
  readonly #documents: Pick<Documents, 'get' | 'list'>;
  readonly #log: Logger;
  readonly #logged = new Set<string>();

  constructor(documents: Pick<Documents, 'get' | 'list'>, log: Logger) {
    this.#documents = documents;
    this.#log = log;
  }

  /** Undefined: there is none, or it cannot be read. `remedy`: what happens now, and what to do. */
  async get<T>(kind: string, id: string, read: ReadBody<T>, remedy: string): Promise<T | undefined> {
    const body = await this.#documents.get(kind, id);
    return body === undefined ? undefined : this.#readable(kind, id, body, read, remedy);
  }

  async list<T>(kind: string, read: ReadBody<T>, remedy: string): Promise<T[]> {
    const found = await this.#documents.list(kind);
    return found.flatMap(({ id, body }) => this.#readable(kind, id, body, read, remedy) ?? []);
  }

  #readable<T>(kind: string, id: string, body: unknown, read: ReadBody<T>, remedy: string): T | undefined {
    const value = read(body, id);
    const document = `${kind}/${id}`;
    if (value === undefined && !this.#logged.has(document) && this.#logged.size < LOGGED_MAX) {
      this.#logged.add(document);
      this.#log.warn({ document }, `a stored document cannot be read and is left out: ${remedy}`);
    }
    return value;
  }
}
