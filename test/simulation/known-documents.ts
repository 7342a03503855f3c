/** Documents as they must be after a restart: what was acknowledged is there, what was not may be. */
import type { Reader } from '../../daemon/store/read/reader.ts';
import type { Writer } from '../../daemon/store/write/writer.ts';
import type { LogModel } from './log-model.ts';

export class KnownDocuments {
  /** Put without an answer; by kind and id. */
  readonly #tried = new Map<string, Set<string>>();

  get isClear(): boolean {
    return this.#tried.size === 0;
  }

  /** Throws what the disk says. */
  put(model: LogModel, writer: Writer, kind: string, id: string, body: string): void {
    const name = `${kind} ${id}`;
    const tried = this.#tried.get(name) ?? new Set();
    this.#tried.set(name, tried.add(body));
    writer.put(kind, id, body);
    model.documents.set(name, body);
    this.#tried.delete(name);
  }

  delete({ documents }: LogModel, writer: Writer, kind: string, id: string): boolean {
    documents.delete(`${kind} ${id}`);
    return writer.delete(kind, id);
  }

  /** After a start. */
  check({ documents }: LogModel, reader: Reader): void {
    const kinds = new Set([...documents.keys(), ...this.#tried.keys()].map(kindOf));
    const found = new Map(
      [...kinds].flatMap(kind =>
        reader.list(kind).map(({ id, body }) => [`${kind} ${id}`, JSON.stringify(body)]),
      ),
    );
    for (const [name, tried] of this.#tried) {
      const body = found.get(name);
      if (body !== undefined && tried.has(body)) documents.set(name, body);
    }
    this.#tried.clear();
    for (const [name, expected] of documents)
      if (found.get(name) !== expected)
        throw new Error(`document ${name} is ${found.get(name)} instead of ${expected}`);
  }
}

const kindOf = (name: string) => name.slice(0, name.indexOf(' '));
