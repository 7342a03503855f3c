/**
 * Notifications as they are kept: one document for each, which says what it holds, whether it may have arrived, and
 * whether it was accepted. Together they are the log of what was notified; all else is made of it.
 */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { NOTIFIED_EVENTS } from '../../core/alerts/notified.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';

const KIND = 'notification';
/** Those that no open alert needs go when there are more, the oldest first; or more alerts in them all. */
export const MAX_KEPT = 500;
const MAX_KEPT_ITEMS = 20_000;

const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Text = Type.String();

export const StoredItem = Type.Object({
  alert_id: Text,
  occurrence: Type.Integer(),
  event: Type.Enum([...NOTIFIED_EVENTS]),
  severity: Type.Enum(['critical', 'warning', 'info']),
  rule_id: Text,
  battery_id: Nullable(Text),
  pack_id: Nullable(Text),
  cell_no: Nullable(Type.Integer()),
  message: Text,
  /** When the alert was raised first, and this occurrence of it. */
  raised_ms: Type.Number(),
  occurred_ms: Type.Number(),
  /** Of the moment on the page, so that a copy that is sent again is the same. */
  url: Type.Optional(Text),
});
export type StoredItem = Static<typeof StoredItem>;

export const StoredNotification = Type.Object({
  id: Text,
  /** Ascending in the order they were made, whatever the wall clock did. */
  number: Type.Integer(),
  receiver: Text,
  kind: Type.Enum(['alerts', 'digest', 'test']),
  made_ms: Type.Number(),
  /** `sending` is written before each attempt: found after a restart, it may have arrived. */
  state: Type.Enum(['waiting', 'sending', 'sent', 'withdrawn', 'failed']),
  may_have_arrived: Type.Boolean(),
  attempts: Type.Integer(),
  /** When attempts were made that arrived, or may have; the last hour's count for the bound. */
  counted_ms: Type.Array(Type.Number()),
  sent_ms: Nullable(Type.Number()),
  reply: Nullable(Text),
  subject: Text,
  text: Text,
  items: Type.Array(StoredItem),
});
export type StoredNotification = Static<typeof StoredNotification>;

const isStored = Compile(StoredNotification);

/** The documents, in the order they were made; what is over is in memory without its text. */
export class NotificationLog {
  readonly #documents: Documents;
  readonly #log: Logger;
  readonly #kept = new Map<string, StoredNotification>();
  /** Of which the disk has not taken the newest word. */
  readonly #unwritten = new Set<string>();
  #number = 0;
  #is_failing = false;

  constructor(documents: Documents, log: Logger) {
    this.#documents = documents;
    this.#log = log;
  }

  async restore(): Promise<void> {
    const read = (body: unknown) => (isStored.Check(body) ? body : undefined);
    const remedy = 'what it says was notified may be notified again';
    const found = await new ReadableDocuments(this.#documents, this.#log).list(KIND, read, remedy);
    for (const stored of found.sort((a, b) => a.number - b.number)) this.#keep(stored);
    this.#number = found.at(-1)?.number ?? 0;
  }

  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  all(): StoredNotification[] {
    return [...this.#kept.values()];
  }

  /** Resolves when it is durable, or cannot be made so: what is urgent is not held up by a disk. */
  async save(stored: StoredNotification): Promise<void> {
    this.#keep(stored);
    await this.#put(stored);
  }

  /** What the disk did not take: a message that was sent is else sent again after the next start. */
  async saveAgain(): Promise<void> {
    for (const id of this.#unwritten) {
      const stored = this.#kept.get(id);
      // One that is on its way is saved by who sends it.
      if (stored === undefined) this.#unwritten.delete(id);
      else if (stored.state !== 'sending') await this.#put(stored);
      if (this.#unwritten.has(id)) return;
    }
  }

  async #put(stored: StoredNotification): Promise<void> {
    const isWritten = await this.#write(() => this.#documents.put(KIND, stored.id, stored));
    // Another word of it may have come meanwhile.
    if (!isWritten) this.#unwritten.add(stored.id);
    else if (this.#kept.get(stored.id)?.state === stored.state) this.#unwritten.delete(stored.id);
  }

  /** `isNeeded`: what it says about an alert that is not over yet. */
  async prune(isNeeded: (stored: StoredNotification) => boolean): Promise<void> {
    let items = 0;
    for (const stored of this.#kept.values()) items += stored.items.length;
    for (const stored of this.all()) {
      if (this.#kept.size <= MAX_KEPT && items <= MAX_KEPT_ITEMS) return;
      if (isNeeded(stored)) continue;
      await this.#forgetRaised(stored);
      items -= stored.items.length;
      this.#kept.delete(stored.id);
      await this.#write(() => this.#documents.delete(KIND, stored.id));
    }
  }

  /** Without what says that it has recovered, an older one would say that it has not. */
  async #forgetRaised(gone: StoredNotification): Promise<void> {
    const over = new Set(
      gone.items.filter(({ event }) => event === 'recovered').map(({ alert_id }) => alert_id),
    );
    if (over.size === 0) return;
    for (const older of this.all()) {
      if (older.number >= gone.number) return;
      if (older.receiver !== gone.receiver || !older.items.some(({ alert_id }) => over.has(alert_id)))
        continue;
      await this.save({ ...older, items: older.items.filter(({ alert_id }) => !over.has(alert_id)) });
    }
  }

  #keep(stored: StoredNotification): void {
    const isOver = stored.state === 'sent' || stored.state === 'withdrawn' || stored.state === 'failed';
    this.#kept.set(stored.id, isOver ? { ...stored, text: '' } : stored);
  }

  async #write(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act();
      this.#is_failing = false;
      return true;
    } catch (error) {
      if (this.#is_failing) return false;
      this.#is_failing = true;
      this.#log.error(
        { component: 'notify', reason: describeError(error) },
        'what is notified cannot be stored: after a restart it may be notified again',
      );
      return false;
    }
  }
}
