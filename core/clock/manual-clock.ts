/** A clock that moves only when it is moved: tests and fault simulations run hours in milliseconds with it. */
import type { Clock, TimerHandle } from './clock.ts';

interface Pending {
  due_ms: number;
  order: number;
  fn: () => void;
}

export class ManualClock implements Clock {
  #mono_ms = 0;
  #wall_offset_ms: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(wall_start_ms = Date.UTC(2026, 0, 1)) {
    this.#wall_offset_ms = wall_start_ms;
  }

  wallMs(): number {
    return this.#wall_offset_ms + this.#mono_ms;
  }

  monoMs(): number {
    return this.#mono_ms;
  }

  /** Steps the wall clock alone, as NTP or a person would. */
  stepWall(by_ms: number): void {
    this.#wall_offset_ms += by_ms;
  }

  setTimer(fn: () => void, delay_ms: number): TimerHandle {
    const pending = { due_ms: this.#mono_ms + Math.max(0, delay_ms), order: this.#order++, fn };
    this.#pending.add(pending);
    return { timer: pending };
  }

  clearTimer(handle: TimerHandle | undefined): void {
    if (handle) this.#pending.delete(handle.timer as Pending);
  }

  /** Moves time on, firing due timers in order; timers set by timers fire too when due within the span. */
  advance(by_ms: number): void {
    const end_ms = this.#mono_ms + by_ms;
    for (let next = this.#nextDue(end_ms); next; next = this.#nextDue(end_ms)) {
      this.#mono_ms = Math.max(this.#mono_ms, next.due_ms);
      this.#pending.delete(next);
      next.fn();
    }
    this.#mono_ms = end_ms;
  }

  /** As `advance`, but lets promise callbacks run between timers. */
  async advanceAsync(by_ms: number): Promise<void> {
    const end_ms = this.#mono_ms + by_ms;
    await settle();
    for (let next = this.#nextDue(end_ms); next; next = this.#nextDue(end_ms)) {
      this.#mono_ms = Math.max(this.#mono_ms, next.due_ms);
      this.#pending.delete(next);
      next.fn();
      await settle();
    }
    this.#mono_ms = end_ms;
    await settle();
  }

  get pendingTimers(): number {
    return this.#pending.size;
  }

  #nextDue(end_ms: number): Pending | undefined {
    let best: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.due_ms > end_ms) continue;
      if (
        !best ||
        pending.due_ms < best.due_ms ||
        (pending.due_ms === best.due_ms && pending.order < best.order)
      )
        best = pending;
    }
    return best;
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
