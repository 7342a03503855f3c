/** Waiting to a fraction of a millisecond: the silence between two frames of a fast serial line is 1.75 ms. */
import { type Clock, sleep } from '../../core/clock/clock.ts';

/**
 * Resolves at `due_ms` of the monotonic clock or when `signal` aborts. A timer alone comes up to a millisecond
 * late, which on a line at 115,200 baud is a twelfth of the time; so the last fraction is waited out turn by
 * turn of the event loop.
 */
export async function pauseUntil(clock: Clock, due_ms: number, signal: AbortSignal): Promise<void> {
  const whole_ms = Math.floor(due_ms - clock.monoMs());
  if (whole_ms > 0) await sleep(clock, whole_ms, signal);
  for (let now_ms = clock.monoMs(); now_ms < due_ms && !signal.aborted; ) {
    await new Promise<void>(resolve => setImmediate(resolve));
    const then_ms = clock.monoMs();
    // A clock that is moved by hand stands still.
    if (then_ms === now_ms) return;
    now_ms = then_ms;
  }
}
