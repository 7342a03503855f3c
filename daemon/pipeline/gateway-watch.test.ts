/** The watch over the gateway itself: checks again and again, whatever a check brings, and knows when to stop. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { FAULTY_STORAGE } from '../server/testing/test-site.ts';
import { GatewayWatch } from './gateway-watch.ts';

test('checks every few seconds with both times, goes on after a failure, and ends when stopped', () => {
  const clock = new ManualClock();
  const checks: number[][] = [];
  const watch = new GatewayWatch({
    clock,
    log: silentLogger,
    parts: () => FAULTY_STORAGE,
    judge: (parts, t_ms, mono_ms) => {
      expect(parts).toBe(FAULTY_STORAGE);
      checks.push([t_ms - clock.wallMs(), mono_ms]);
      if (checks.length === 2) throw new Error('out of order');
    },
  });
  watch.start();
  watch.start();
  clock.advance(20_000);
  expect(checks).toEqual([5000, 10_000, 15_000, 20_000].map(mono_ms => [0, mono_ms]));
  watch.stop();
  watch.stop();
  clock.advance(60_000);
  expect(checks).toHaveLength(4);
});
