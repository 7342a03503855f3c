/**
 * The sampler: at every interval of the wall clock it takes one coherent reading of each pack that speaks,
 * has it judged and hands it on. Everything downstream (alerts, store, upstream) hangs on it.
 *
 * Readings carry the interval's own moment (a multiple of `interval_ms`), so that all packs of a moment
 * can be compared and counted at the centre; and how old their values were at that moment. A pack that has
 * reported nothing since its last reading gives the same values once more, marked as repeated.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { CellMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';

/** After a start the first moment waits this long at most for packs that have not yet reported all their cells. */
const WARM_UP_MS = 5000;

export interface SamplerOptions {
  readonly clock: Clock;
  readonly interval_ms: number;
  /** In dense pack order. */
  readonly packs: readonly { readonly state: PackState; readonly judge: PackJudge }[];
  /** Gets each reading of a pack that has anything fresh; the reading is reused after the call. */
  readonly onReading: (reading: PackReading) => void;
  /** Called once per moment after all packs, also for those that said nothing. */
  readonly onMoment: (t_ms: number, mono_ms: number) => void;
}

export interface SamplerCounters {
  moments: number;
  /** Moments that could not be kept because the process was too late for them. */
  moments_missed: number;
  readings: number;
  /** Of these: the pack had reported nothing since the reading before. */
  readings_repeated: number;
  /** Packs that had nothing fresh at a moment, so that no reading exists. */
  readings_absent: number;
  values_suspect: number;
}

/** Of an interval: by so much a clock that is being set right runs slower or faster. */
const SLEW = 0.01;

export class Sampler {
  readonly counters: SamplerCounters = {
    moments: 0,
    moments_missed: 0,
    readings: 0,
    readings_repeated: 0,
    readings_absent: 0,
    values_suspect: 0,
  };
  readonly #options: SamplerOptions;
  readonly #readings: readonly PackReading[];
  /** What each pack's state had counted at its last reading. */
  readonly #revisions: Float64Array;
  #timer: TimerHandle | undefined;
  /** Monotonic time of the moment sampled last. */
  #last_mono_ms = Number.NaN;
  #last_t_ms = Number.NaN;
  #running = false;
  #started_mono_ms = 0;
  #warm = false;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#readings = options.packs.map(({ state }) => new PackReading(state.pack, state.shape));
    this.#revisions = new Float64Array(options.packs.length).fill(-1);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#warm = false;
    this.#last_mono_ms = Number.NaN;
    this.#started_mono_ms = this.#options.clock.monoMs();
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Takes the readings of one moment now, `late_ms` after it. */
  sample(t_ms: number, late_ms = 0): void {
    const { packs, clock, onReading, onMoment } = this.#options;
    const mono_ms = clock.monoMs();
    this.counters.moments++;
    for (let i = 0; i < packs.length; i++) {
      const reading = this.#readings[i];
      const { state, judge } = packs[i];
      state.snapshotInto(reading, t_ms, mono_ms);
      reading.is_repeated = state.revision === this.#revisions[i];
      this.counters.values_suspect += judge.judge(reading);
      if (hasFresh(reading)) {
        state.agesInto(reading, mono_ms - late_ms);
        this.#revisions[i] = state.revision;
        this.counters.readings++;
        if (reading.is_repeated) this.counters.readings_repeated++;
        onReading(reading);
      } else this.counters.readings_absent++;
    }
    onMoment(t_ms, mono_ms);
  }

  /** So that the first moment is whole where every pack is well, and no pack that is not holds the others up. */
  #isWarm(): boolean {
    const mono_ms = this.#options.clock.monoMs();
    this.#warm ||=
      mono_ms - this.#started_mono_ms >= WARM_UP_MS ||
      this.#options.packs.every(({ state }, i) => {
        state.snapshotInto(this.#readings[i], 0, mono_ms);
        return hasReportedAll(this.#readings[i]);
      });
    return this.#warm;
  }

  #arm(): void {
    const { clock, interval_ms } = this.#options;
    const wall_ms = clock.wallMs();
    const delay_ms = (Math.floor(wall_ms / interval_ms) + 1) * interval_ms - wall_ms;
    this.#timer = clock.setTimer(() => this.#tick(), delay_ms);
  }

  /** The moment is the one the wall clock shows now: right after a step, and when a timer fires a little early. */
  #tick(): void {
    if (!this.#running) return;
    const { clock, interval_ms } = this.#options;
    const wall_ms = clock.wallMs();
    const t_ms = Math.floor(wall_ms / interval_ms) * interval_ms;
    if (t_ms !== this.#last_t_ms && this.#isWarm()) {
      this.#last_t_ms = t_ms;
      this.#countMissed(clock.monoMs() - (wall_ms - t_ms));
      this.sample(t_ms, wall_ms - t_ms);
    }
    this.#arm();
  }

  /** By monotonic time: a wall clock that is stepped misses nothing. A step moves moments by less than an interval. */
  #countMissed(moment_mono_ms: number): void {
    const intervals = (moment_mono_ms - this.#last_mono_ms) / this.#options.interval_ms;
    if (intervals > 1) this.counters.moments_missed += Math.floor(intervals + SLEW) - 1;
    this.#last_mono_ms = moment_mono_ms;
  }
}

function hasFresh(reading: PackReading): boolean {
  return (
    anyFresh(reading.cell_quality) || anyFresh(reading.value_quality) || anyFresh(reading.sensor_quality)
  );
}

function hasReportedAll(reading: PackReading): boolean {
  return hasFresh(reading) && !reading.columnQuality(CellMetric.voltage_v).includes(Quality.missing);
}

function anyFresh(quality: Uint8Array): boolean {
  for (let i = 0; i < quality.length; i++)
    if (quality[i] === Quality.good || quality[i] === Quality.suspect) return true;
  return false;
}
