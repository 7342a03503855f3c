/** The wall clock of a box: wrong at boot or later, until it learns the time. What is true is always known here. */
import type { ClockFacts } from '../../core/clock/wall-certainty.ts';
import type { TimeSource } from '../../daemon/system/time-source.ts';
import type { Draw } from './draw.ts';
import type { SimClock } from './sim-clock.ts';

const HOUR_MS = 3_600_000;
const KNOWN: ClockFacts = { synchronised: true, has_time_service: true };
const NOT_YET: ClockFacts = { synchronised: false, has_time_service: true };

export class BoxClock implements TimeSource {
  readonly boot_offset_ms = 0;
  readonly #clock: SimClock;
  readonly #draw: Draw;
  /** True time less monotonic time, which here goes on while the machine is off. */
  readonly #offset_ms: number;
  readonly #keeps_time: boolean;
  #facts: ClockFacts = {};
  #boots = 0;

  /** The clock is right as it is given. */
  constructor(clock: SimClock, draw: Draw) {
    this.#clock = clock;
    this.#draw = draw;
    this.#offset_ms = clock.wallMs() - clock.monoMs();
    this.#keeps_time = draw.chance(0.3);
  }

  get boot_id(): string {
    return `boot-${this.#boots}`;
  }

  get true_ms(): number {
    return this.#offset_ms + this.#clock.monoMs();
  }

  facts(): Promise<ClockFacts> {
    return Promise.resolve(this.#facts);
  }

  /** The machine starts, while no process checks its clock. */
  boot(): void {
    this.#boots++;
    const [wall_ms, facts] = this.#drawBoot();
    this.#show(wall_ms, facts);
  }

  #drawBoot(): [wall_ms: number, facts: ClockFacts] {
    const draw = this.#draw;
    const { true_ms } = this;
    const found = draw.weighed({ right: 1, epoch: 4, behind: 2, battery: 2, alone: 2 });
    if (this.#keeps_time || found === 'right') return [true_ms, KNOWN];
    if (found === 'epoch') return [draw.whole(1000, 60_000), draw.pick([NOT_YET, NOT_YET, {}])];
    if (found === 'behind') return [true_ms - draw.pick([1, 30]) * HOUR_MS, draw.pick([NOT_YET, {}])];
    if (found === 'alone') return [true_ms + draw.pick([0, 0, -1, 20]) * HOUR_MS, {}];
    return [true_ms + draw.pick([0, -1, 5]) * HOUR_MS, { ...NOT_YET, hardware_agrees: true }];
  }

  /** Somebody who does not know it sets the time. */
  step(by_ms: number): void {
    // Not before 1970, which the centre does not take.
    this.#clock.stepWall(this.#clock.wallMs() + by_ms < 0 ? -by_ms : by_ms);
    if (this.#facts.synchronised !== undefined)
      this.#facts = { ...NOT_YET, hardware_agrees: this.#draw.chance(0.3) };
  }

  /** The network gives the time. */
  learn(): void {
    this.#show(this.true_ms, KNOWN);
  }

  mayLearn(): void {
    if (this.#draw.chance(0.06)) this.learn();
  }

  #show(wall_ms: number, facts: ClockFacts): void {
    this.#clock.stepWall(wall_ms - this.#clock.wallMs());
    this.#facts = facts;
  }
}
