/**
 * Time, injected. Wall time (what a calendar says, may step) and monotonic time (what a stopwatch says,
 * never steps) are different things and are never mixed: ages and time-outs are monotonic, stamps are wall.
 */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC as this machine believes it; may jump either way. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never decreases, not comparable between processes. */
  monoMs(): number;
  /** Calls `fn` once after `delay_ms` of monotonic time. The handle is given to `clearTimer`. */
  setTimer(fn: () => void, delay_ms: number): TimerHandle;
  clearTimer(handle: TimerHandle | undefined): void;
}

/** Opaque: whatever the clock that made it needs to cancel it. */
export type TimerHandle = { readonly timer: unknown };

/** Resolves after `delay_ms` of the given clock, or at once when `signal` aborts. Never rejects. */
export function sleep(clock: Clock, delay_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clock.clearTimer(handle);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const handle = clock.setTimer(done, delay_ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
