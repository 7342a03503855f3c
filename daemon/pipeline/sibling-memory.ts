/**
 * What was learnt of cells against their siblings, kept over restarts: a document for each pack, each of them saved once
 * in an hour, a few at a time, and all of them at the stop.
 */
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { SiblingDeviation, StoredDeviation } from '../../core/siblings/deviation.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { ReadableDocuments } from '../store/documents/readable-documents.ts';
import type { Documents } from '../store/store.ts';

const KIND = 'siblings';
const HOUR_MS = 3_600_000;
const EVERY_MS = 60_000;

interface Remembered {
  readonly pack_id: string;
  readonly deviation: SiblingDeviation;
}

export class SiblingMemory {
  readonly #packs: readonly Remembered[];
  readonly #documents: Documents;
  readonly #readable: ReadableDocuments;
  readonly #log: Logger;
  #next = 0;
  #saved_mono_ms = Number.NaN;
  #is_saving = false;

  constructor(
    topology: Topology,
    packs: readonly { readonly state: PackState; readonly judge: PackJudge }[],
    documents: Documents,
    log: Logger,
  ) {
    this.#packs = packs.map(({ state, judge }) => ({
      pack_id: topology.packs[state.pack].id,
      deviation: judge.deviation,
    }));
    this.#documents = documents;
    this.#readable = new ReadableDocuments(documents, log);
    this.#log = log;
  }

  async restore(): Promise<void> {
    for (const { pack_id, deviation } of this.#packs) {
      const read = (body: unknown) => (takeOver(deviation, body) ? true : undefined);
      await this.#readable.get(KIND, pack_id, read, 'what is usual among its cells is learnt anew');
    }
  }

  /** At most once a minute, so many that all have their turn within the hour. */
  saveNowAndThen(mono_ms: number): void {
    if (Number.isNaN(this.#saved_mono_ms)) this.#saved_mono_ms = mono_ms;
    if (this.#is_saving || mono_ms - this.#saved_mono_ms < EVERY_MS) return;
    this.#saved_mono_ms = mono_ms;
    const count = Math.ceil(this.#packs.length / (HOUR_MS / EVERY_MS));
    const due = Array.from({ length: count }, (_, i) => this.#packs[(this.#next + i) % this.#packs.length]);
    this.#next = (this.#next + count) % this.#packs.length;
    this.#save(due).catch(error =>
      this.#log.warn({ reason: describeError(error) }, 'what was learnt of cells could not be saved'),
    );
  }

  async stop(): Promise<void> {
    await this.#save(this.#packs);
  }

  async #save(packs: readonly Remembered[]): Promise<void> {
    this.#is_saving = true;
    try {
      const known = packs.filter(({ deviation }) => deviation.hasAny);
      await Promise.all(
        known.map(({ pack_id, deviation }) => this.#documents.put(KIND, pack_id, deviation.toJSON())),
      );
    } finally {
      this.#is_saving = false;
    }
  }
}

/** Whether it was taken over; a document of another shape, or of another number of cells, is not. */
function takeOver(deviation: SiblingDeviation, body: unknown): boolean {
  try {
    return deviation.restore(body as StoredDeviation);
  } catch {
    return false;
  }
}
