/**
 * Delays of rules that run, kept so that a restart does not begin them again: saved now and then, as a process may end
 * without notice. The time that the gateway was off counts up to a minute; nobody saw what was then.
 */
import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { Pending } from '../../core/alerts/kinds/kind.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';

const KIND = 'alerts';
const ID = 'pending';
const EVERY_MS = 10_000;
const MAX_OFF_MS = 60_000;

const isSaved = Compile(
  Type.Object({
    t_ms: Type.Number(),
    pending: Type.Array(
      Type.Object({
        rule_id: Type.String(),
        pack_id: Type.String(),
        lasted_ms: Type.Array(Type.Union([Type.Number(), Type.Null()])),
        back_ms: Type.Union([Type.Number(), Type.Null()]),
        clear_ms: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
      }),
    ),
  }),
);

export class PendingDelays {
  readonly #documents: Documents;
  readonly #readable: ReadableDocuments;
  readonly #log: Logger;
  #saved_mono_ms = Number.NEGATIVE_INFINITY;
  #is_saving = false;
  #is_empty = true;

  constructor(documents: Documents, log: Logger) {
    this.#documents = documents;
    this.#readable = new ReadableDocuments(documents, log);
    this.#log = log;
  }

  async restore(t_ms: number): Promise<Pending[]> {
    const read = (body: unknown) => (isSaved.Check(body) ? body : undefined);
    const saved = await this.#readable.get(KIND, ID, read, 'the delays of alert rules begin again');
    if (!saved) return [];
    this.#is_empty = saved.pending.length === 0;
    const off_ms = Math.min(MAX_OFF_MS, Math.max(0, t_ms - saved.t_ms));
    const later = (lasted_ms: number | null) => (lasted_ms === null ? null : lasted_ms + off_ms);
    return saved.pending.map(({ lasted_ms, back_ms, clear_ms = back_ms, ...of }) => ({
      ...of,
      lasted_ms: lasted_ms.map(later),
      back_ms: later(back_ms),
      clear_ms: later(clear_ms),
    }));
  }

  /** At most every ten seconds, and not while nothing is pending. */
  saveNowAndThen(pending: () => readonly Pending[], t_ms: number, mono_ms: number): void {
    if (this.#is_saving || mono_ms - this.#saved_mono_ms < EVERY_MS) return;
    this.#saved_mono_ms = mono_ms;
    this.save(pending(), t_ms).catch(error =>
      this.#log.warn({ reason: describeError(error) }, 'delays of alert rules could not be saved'),
    );
  }

  async save(pending: readonly Pending[], t_ms: number): Promise<void> {
    if (this.#is_empty && pending.length === 0) return;
    this.#is_saving = true;
    try {
      await this.#documents.put(KIND, ID, { t_ms, pending });
      this.#is_empty = pending.length === 0;
    } finally {
      this.#is_saving = false;
    }
  }
}
