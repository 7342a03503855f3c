/** What was taken out of service, kept over restarts: a document for each entry. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type OutOfService,
  OutOfServiceList,
  type ServiceScope,
  serviceId,
} from '../../core/alerts/out-of-service.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';

const KIND = 'out-of-service';
const NullableText = Type.Union([Type.String(), Type.Null()]);
const isStored = Compile(
  Type.Object({
    id: Type.String(),
    rule_id: NullableText,
    battery_id: NullableText,
    pack_id: NullableText,
    connection_id: NullableText,
    by: Type.String(),
    at_ms: Type.Number(),
    until_ms: Type.Union([Type.Number(), Type.Null()]),
    reason: Type.String(),
  }),
);

export class ServiceKeeper {
  readonly list = new OutOfServiceList();
  readonly #documents: Documents;
  readonly #readable: ReadableDocuments;
  readonly #log: Logger;

  constructor(documents: Documents, log: Logger) {
    this.#documents = documents;
    this.#readable = new ReadableDocuments(documents, log);
    this.#log = log;
  }

  async restore(): Promise<void> {
    const read = (body: unknown) => (isStored.Check(body) ? (body as OutOfService) : undefined);
    const remedy = 'what it says is in service again; take it out of service once more';
    for (const entry of await this.#readable.list(KIND, read, remedy)) this.list.put(entry);
  }

  /** In place of one of the same scope. CONFLICT: there are too many. */
  async take(
    scope: ServiceScope,
    what: Pick<OutOfService, 'by' | 'at_ms' | 'until_ms' | 'reason'>,
  ): Promise<OutOfService> {
    const { rule_id, battery_id, pack_id, connection_id } = scope;
    const id = serviceId(scope);
    if (this.list.isFull && !this.list.get(id))
      throw new GatewayError('CONFLICT', 'Too much is out of service; put something back first');
    const entry: OutOfService = { id, rule_id, battery_id, pack_id, connection_id, ...what };
    await this.#documents.put(KIND, id, entry);
    this.list.put(entry);
    return entry;
  }

  async putBack(id: string): Promise<void> {
    await this.#documents.delete(KIND, id);
    this.list.remove(id);
  }

  /** Puts back what is due, and returns it. A document that cannot be removed now is due again after a restart. */
  endDue(t_ms: number): OutOfService[] {
    const due = this.list.due(t_ms);
    for (const { id } of due) {
      this.list.remove(id);
      this.#documents
        .delete(KIND, id)
        .catch(error =>
          this.#log.warn(
            { reason: describeError(error) },
            `the end of ${id} being out of service could not be stored`,
          ),
        );
    }
    return due;
  }
}
