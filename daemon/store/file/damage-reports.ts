/** Parts of the file that cannot be read: counted in each run, reported in a gap record once. */
import type { GapRecord } from '../../../core/contract/gap.ts';
import type { Documents } from '../store.ts';

/** Documents: what was reported, by what it is. It is found again at each start. */
const KIND = 'damage';
/** More are not reported one by one: the card is at its end. */
const MAX_DAMAGES = 1000;

export class DamageReports {
  readonly #documents: Documents;
  readonly #append: (gap: GapRecord) => void;
  readonly #found = new Set<string>();
  /** Found before anything can be appended. */
  #unreported: string[] | undefined = [];

  constructor(documents: Documents, append: (gap: GapRecord) => void) {
    this.#documents = documents;
    this.#append = append;
  }

  get count(): number {
    return this.#found.size;
  }

  /** True when it is news in this run. */
  found(what: string): boolean {
    if (this.#found.has(what) || this.#found.size >= MAX_DAMAGES) return false;
    this.#found.add(what);
    if (this.#unreported) this.#unreported.push(what);
    else void this.#report(what);
    return true;
  }

  /** The store is open. */
  begin(): void {
    const unreported = this.#unreported ?? [];
    this.#unreported = undefined;
    for (const what of unreported) void this.#report(what);
  }

  async #report(what: string): Promise<void> {
    const is_reported = await this.#documents.get(KIND, what).catch(() => undefined);
    if (is_reported) return;
    const unknown = { from_ms: null, to_ms: null, first_seq: null, last_seq: null, readings: null };
    this.#append({ reason: 'damaged', detail: what, ...unknown, packs: [] });
    await this.#documents.put(KIND, what, true).catch(() => {});
  }
}
