/** Timing shared by the benchmarks: best of a few runs, because these machines are noisy and noise only slows. */

/** Runs `work` (which does `count` things) `runs` times; the best rate in things per second. */
export async function bestRate(runs: number, count: number, work: () => unknown): Promise<number> {
  let best = 0;
  for (let i = 0; i < runs; i++) {
    const begun_ms = performance.now();
    await work();
    best = Math.max(best, count / ((performance.now() - begun_ms) / 1000));
  }
  return best;
}

export function perSecond(rate: number, what: string): string {
  return `${Math.round(rate).toLocaleString('en')} ${what}/s`;
}

export function ratio(rate: number, to: number, goal: number): string {
  return `ratio ${(rate / to).toFixed(2)} (goal ${goal})`;
}
