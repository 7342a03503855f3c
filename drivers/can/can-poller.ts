/**
 * Asks the devices that speak only when asked. One request at a time with a pause between, never a queue:
 * what the bus does not take at once is left out and its turn comes again. Sends nothing but the read
 * requests of the packs' mappings.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { type CanBus, canKey } from './can-bus.ts';
import type { PackMapping, ReadRequest } from './pack-mapping.ts';

/** Between two requests, so that the answers of one do not meet the next. */
const GAP_MS = 25;

interface Turn {
  readonly request: ReadRequest;
  due_mono_ms: number;
}

export class CanPoller {
  readonly counters = { polls_sent: 0, polls_refused: 0 };
  readonly #bus: CanBus;
  readonly #clock: Clock;
  readonly #turns: readonly Turn[];
  #timer: TimerHandle | undefined;

  constructor(bus: CanBus, clock: Clock, mappings: readonly PackMapping[]) {
    this.#bus = bus;
    this.#clock = clock;
    this.#turns = distinct(mappings).map(request => ({ request, due_mono_ms: 0 }));
  }

  /** Does nothing where nothing is to be asked or the bus only receives. `isUp`: no request goes out meanwhile. */
  start(isUp: () => boolean): void {
    this.stop();
    if (this.#turns.length === 0 || !this.#bus.send) return;
    const now = this.#clock.monoMs();
    for (const turn of this.#turns) turn.due_mono_ms = now;
    this.#schedule(isUp, 0);
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #schedule(isUp: () => boolean, wait_ms: number): void {
    this.#timer = this.#clock.setTimer(() => {
      if (isUp()) this.#ask();
      const next = Math.min(...this.#turns.map(turn => turn.due_mono_ms));
      this.#schedule(isUp, Math.max(GAP_MS, next - this.#clock.monoMs()));
    }, wait_ms);
  }

  /** Sends the request that has waited longest beyond its time. */
  #ask(): void {
    const now = this.#clock.monoMs();
    const turn = this.#turns.reduce((first, other) =>
      other.due_mono_ms < first.due_mono_ms ? other : first,
    );
    if (turn.due_mono_ms > now) return;
    turn.due_mono_ms = now + turn.request.interval_ms;
    if (this.#bus.send?.(turn.request)) this.counters.polls_sent++;
    else this.counters.polls_refused++;
  }
}

/** Packs that are asked by the same request share it. */
function distinct(mappings: readonly PackMapping[]): ReadRequest[] {
  const requests = new Map<string, ReadRequest>();
  for (const request of mappings.flatMap(({ polls }) => polls))
    requests.set(`${canKey(request.id, request.extended)} ${request.data.join()}`, request);
  return [...requests.values()];
}
