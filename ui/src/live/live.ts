/** The one feed of this page, and how components read from it. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { checkSession, session } from '../api/session.ts';
import { LiveFeed, type RoomData, type RoomKind, type RoomState } from './feed.ts';
import { openSocket } from './socket.ts';

export const feed = new LiveFeed({
  clock: systemClock,
  open: openSocket,
  schedule: fn => requestAnimationFrame(fn),
  random: Math.random,
  onRefused: () => void checkSession(),
});

/** Follows the session, and tries at once when the device comes back to life. */
export function runFeed(): void {
  session.subscribe(({ phase, must_change_password }) => {
    if (phase === 'in' && !must_change_password) feed.start();
    if (phase === 'out') feed.stop();
  });
  window.addEventListener('online', () => feed.retryNow());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') feed.retryNow();
  });
}

/** The room's newest state; joined while the component stands. */
export function useRoom<K extends RoomKind>(name: string): ReadonlySignal<RoomState<RoomData<K>>> {
  const state = useMemo(() => feed.join<K>(name), [name]);
  useEffect(() => () => feed.leave(name), [name]);
  return state;
}

/** Whether what is on the page is live: nothing may look live while this is false. */
export const isLive: ReadonlySignal<boolean> = computed(() => feed.link.value.phase === 'live');

/** The gateway's wall time, once a second. */
export const now_ms = signal(systemClock.wallMs());

function tick(): void {
  now_ms.value = feed.gatewayNow();
  systemClock.setTimer(tick, 1000);
}
tick();
