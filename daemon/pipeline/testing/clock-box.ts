/** A box whose wall clock is wrong until somebody sets it right; for tests of what is made of its readings. */
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import type { ClockFacts } from '../../../core/clock/wall-certainty.ts';
import { WatchedClock } from '../../../core/clock/watched-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { createSqliteStore } from '../../store/sqlite-store.ts';
import type { SqliteStoreOptions } from '../../store/sqlite-store-options.ts';
import type { LogSource, Store } from '../../store/store.ts';
import {
  numberedReading,
  smallTopology,
  storeOptions,
  temporaryDirectory,
} from '../../store/testing/fixtures.ts';
import type { TimeSource } from '../../system/time-source.ts';
import { ClockKeeper, type ClockKeeperOptions } from '../clock-keeper.ts';

export const TRUE_START_MS = Date.UTC(2026, 6, 1, 12);
export const INTERVAL_MS = 2000;

export interface Taken {
  readonly n: number;
  /** When it really was. */
  readonly true_ms: number;
}

interface ExportedLine {
  readonly t_ms: number;
  readonly voltage_v: number;
  readonly time_certain: boolean;
}

/** One box over several boots; readings of pack 1 are numbered, and it is known when each really was. */
export class TestBox {
  readonly directory = temporaryDirectory();
  readonly topology = smallTopology(1);
  readonly taken: Taken[] = [];
  facts: ClockFacts = { synchronised: false, has_time_service: true };
  clock = new ManualClock(0);
  watched = new WatchedClock(this.clock);
  store!: Store & LogSource;
  keeper!: ClockKeeper;
  #boot = 0;
  /** True time less monotonic time of this boot. */
  #true_offset_ms = TRUE_START_MS;
  readonly #options: Partial<SqliteStoreOptions>;

  constructor(options: Partial<SqliteStoreOptions> = {}) {
    this.#options = options;
  }

  get true_ms(): number {
    return this.#true_offset_ms + this.clock.monoMs();
  }

  /** The machine starts with this on its clock; the gateway with it. */
  async boot(wall_ms: number, more: Partial<ClockKeeperOptions> = {}): Promise<void> {
    const true_ms = this.true_ms;
    this.#boot++;
    this.clock = new ManualClock(wall_ms);
    this.#true_offset_ms = true_ms;
    await this.run(more);
  }

  /** The gateway alone starts. */
  async run(more: Partial<ClockKeeperOptions> = {}): Promise<void> {
    this.watched = new WatchedClock(this.clock);
    this.store = createSqliteStore(storeOptions(this.directory.path, this.#options));
    await this.store.open(this.topology);
    const source: TimeSource = {
      boot_id: `boot-${this.#boot}`,
      boot_offset_ms: 0,
      facts: () => Promise.resolve(this.facts),
    };
    const { watched: clock, store } = this;
    this.keeper = new ClockKeeper({ clock, log: silentLogger, store, source, ...more });
    await this.keeper.start();
  }

  async end(): Promise<void> {
    await this.keeper.stop();
    await this.store.close();
  }

  async remove(): Promise<void> {
    await this.end();
    this.directory.remove();
  }

  /** Readings at each interval of what the wall clock shows, as the sampler takes them. */
  read(count: number, onReading: (t_ms: number) => void = () => {}): void {
    for (let i = 0; i < count; i++) {
      const wall_ms = this.watched.wallMs();
      const n = this.taken.length;
      const t_ms = Math.floor(wall_ms / INTERVAL_MS) * INTERVAL_MS;
      this.store.append(numberedReading(this.topology, 0, n, t_ms));
      onReading(t_ms);
      this.taken.push({ n, true_ms: this.true_ms });
      this.clock.advance(INTERVAL_MS);
    }
  }

  /** Somebody sets the clock right, and vouches for it. */
  synchronise(): void {
    this.clock.stepWall(this.true_ms - this.clock.wallMs());
    this.facts = { synchronised: true, has_time_service: true };
  }

  /** Until the keeper has asked and the store has its answers. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.clock.advance(0);
      await this.keeper.idle();
    }
  }

  /** What the log says now: number of each reading and the time that it is given, in the order of an export. */
  async exported(
    from_ms = Number.MIN_SAFE_INTEGER,
    to_ms = Number.MAX_SAFE_INTEGER,
  ): Promise<[n: number, t_ms: number, certain: boolean][]> {
    await this.store.flush();
    const found: [number, number, boolean][] = [];
    for (let after_seq: number | null = 0; after_seq !== null; ) {
      const chunk = await this.store.exportChunk({
        pack_ids: ['p01'],
        form: { rows: 'pack', format: 'ndjson' },
        from_ms,
        to_ms,
        after_seq,
      });
      for (const line of Buffer.from(chunk.text).toString().split('\n').filter(Boolean)) {
        const { t_ms, voltage_v, time_certain } = JSON.parse(line) as ExportedLine;
        found.push([Math.round(voltage_v * 100), t_ms, time_certain]);
      }
      after_seq = chunk.next_seq;
    }
    return found;
  }
}
