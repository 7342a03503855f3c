/** The machine's own clock: the one file in which `Date.now()` and bare timers stand. Browser and Node alike. */
import type { Clock, TimerHandle } from './clock.ts';

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monoMs: () => performance.now(),
  setTimer: (fn, delay_ms) => ({ timer: setTimeout(fn, delay_ms) }),
  clearTimer: (handle: TimerHandle | undefined) => {
    if (handle) clearTimeout(handle.timer as ReturnType<typeof setTimeout>);
  },
};
