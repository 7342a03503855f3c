/** How long to leave alone what failed: doubling from one second to a minute, the same on every run. */

const FIRST_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** `failures`: failed attempts in a row so far, from 1. */
export function backoffMs(failures: number): number {
  return Math.min(MAX_BACKOFF_MS, FIRST_MS * 2 ** Math.min(16, Math.max(0, failures - 1)));
}
