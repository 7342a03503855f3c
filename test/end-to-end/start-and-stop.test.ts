/** A gateway that is stopped while it starts: nothing of it goes on afterwards, whatever moment that was. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';
import { readEnvironment } from '../../daemon/config/environment.ts';
import { loadConfig } from '../../daemon/config/load.ts';
import { Gateway } from '../../daemon/gateway.ts';
import { temporaryDirectory } from '../../daemon/store/testing/fixtures.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';

const CONFIG = new URL('../../daemon/config/demo.yaml', import.meta.url).pathname;
const profiles = loadProfiles();

/** Real time, timers counted; `onCall` hears of every timer and log line: the moments at which a start can be met. */
class Observed {
  readonly running = new Set<TimerHandle>();
  calls = 0;
  onCall: () => void = () => {};

  readonly clock: Clock = {
    wallMs: () => systemClock.wallMs(),
    monoMs: () => systemClock.monoMs(),
    setTimer: (fn, delay_ms) => {
      const handle = systemClock.setTimer(() => {
        this.running.delete(handle);
        fn();
      }, delay_ms);
      this.running.add(handle);
      this.#called();
      return handle;
    },
    clearTimer: handle => {
      if (handle) this.running.delete(handle);
      systemClock.clearTimer(handle);
    },
  };

  readonly log: Logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map(level => [level, () => this.#called()]),
  ) as unknown as Logger;

  #called(): void {
    this.calls++;
    this.onCall();
  }
}

async function lifeStoppedAt(call: number): Promise<{ started: boolean; calls: number }> {
  const directory = temporaryDirectory();
  const environment = readEnvironment({
    BMS_STATE_DIR: join(directory.path, 'state'),
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: 'stopped-while-starting',
  });
  const seen = new Observed();
  const config = loadConfig(CONFIG, environment, profiles);
  const gateway = new Gateway({ config, environment, clock: seen.clock, log: seen.log, version: 'test' });
  const reached = new Promise<void>(resolve => {
    seen.onCall = () => seen.calls >= call && resolve();
  });
  const starting = gateway.start().then(
    ({ url }) => ({ url }),
    error => ({ error }),
  );
  await Promise.race([reached, starting]);
  await gateway.stop();
  const outcome = await starting;
  const { calls } = seen;
  expect(seen.running.size, `timers that go on when stopped at call ${call}`).toBe(0);
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(seen.calls, `calls after a stop at call ${call}`).toBe(calls);
  if ('url' in outcome) await expect(fetch(outcome.url)).rejects.toThrow();
  else expect(outcome.error).toMatchObject({ code: 'STOPPED' });
  await gateway.stop();
  directory.remove();
  return { started: 'url' in outcome, calls };
}

test('stopped at any moment of its start it ends, and leaves nothing running', {
  timeout: 120_000,
}, async () => {
  const whole = await lifeStoppedAt(Number.POSITIVE_INFINITY);
  expect(whole.started).toBe(true);
  const moments = [1, 3, 8, 21, 55, 90, 150, 300];
  const lives = [];
  for (const call of moments) if (call < whole.calls) lives.push(await lifeStoppedAt(call));
  expect(lives.some(({ started }) => !started)).toBe(true);
});
