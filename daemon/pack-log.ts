/** Packs that are not well, in the log: those of one connection often fall together, and are then one line. */
import type { Clock, TimerHandle } from '../core/clock/clock.ts';
import type { Logger } from '../core/log.ts';

export interface PackLogOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly packId: (pack: number) => string;
  /** What is wrong with a pack now; undefined while all is well. */
  readonly reasonOf: (pack: number) => string | undefined;
}

const GATHER_MS = 2000;
const PACKS_NAMED = 3;

interface Group {
  readonly connection: string;
  readonly state: string;
  readonly packs: Set<number>;
}

export class PackLog {
  readonly #options: PackLogOptions;
  readonly #groups = new Map<string, Group>();
  #timer: TimerHandle | undefined;

  constructor(options: PackLogOptions) {
    this.#options = options;
  }

  note(connection: string, state: string, pack: number): void {
    const key = `${connection} ${state}`;
    const group = this.#groups.get(key) ?? { connection, state, packs: new Set() };
    group.packs.add(pack);
    this.#groups.set(key, group);
    this.#timer ??= this.#options.clock.setTimer(() => this.flush(), GATHER_MS);
  }

  /** Writes what was gathered; what is well again by now is left out, as an alert reports what lasts. */
  flush(): void {
    const { clock, reasonOf } = this.#options;
    clock.clearTimer(this.#timer);
    this.#timer = undefined;
    for (const { connection, state, packs } of this.#groups.values()) {
      const faulty = [...packs].filter(pack => reasonOf(pack) !== undefined);
      if (faulty.length > 0) this.#write(connection, state, faulty);
    }
    this.#groups.clear();
  }

  #write(connection: string, state: string, faulty: readonly number[]): void {
    const { log, packId, reasonOf } = this.#options;
    const fields = { connection, state, reason: reasonOf(faulty[0]) };
    const ids = faulty.map(packId);
    if (ids.length === 1) {
      log.warn({ ...fields, pack: ids[0] }, 'pack is not well');
      return;
    }
    const more = ids.length > PACKS_NAMED ? ` and ${ids.length - PACKS_NAMED} more` : '';
    const packs = `${ids.slice(0, PACKS_NAMED).join(', ')}${more}`;
    log.warn({ ...fields, packs }, `${ids.length} packs are not well`);
  }
}
