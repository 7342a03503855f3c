/** What the scenarios share; only of use inside the edge box. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS = 90_000;

/** Asks until the answer pleases; a refused or failed question counts as no answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  pleases: (answer: T) => boolean,
): Promise<T> {
  const end_ms = performance.now() + WAIT_MS;
  let last: unknown;
  while (performance.now() < end_ms) {
    try {
      const answer = await ask();
      if (pleases(answer)) return answer;
      last = answer;
    } catch (error) {
      last = String(error);
    }
    await sleep(250);
  }
  throw new Error(`waited ${WAIT_MS} ms for ${what}; last: ${JSON.stringify(last)?.slice(0, 2000)}`);
}

export const ip = (...words: string[]) => execFileSync('ip', words);

export function bringUp(bus: string): void {
  ip('link', 'add', 'dev', bus, 'type', 'vcan');
  ip('link', 'set', bus, 'up');
}
