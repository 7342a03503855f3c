/** What is counted of guesses, and that nobody can push others' counters out. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../../core/clock/manual-clock.ts';
import { network } from '../addresses.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { LoginGuard } from './login-guard.ts';
import { Windows } from './windows.ts';

test('names that are made up push out no counter of another address', () => {
  const guard = new LoginGuard(new ManualClock(), DEFAULT_LIMITS, { logins_failed: 0, logins_delayed: 0 });
  const guess = (username: string, address: string) => {
    try {
      guard.begin(username, address);
      return true;
    } catch {
      return false;
    }
  };
  for (let i = 0; i < 5; i++) guess('ada', '192.0.2.9');
  for (let i = 0; i < 30_000; i++) guess(`made-up-${i}`, `203.0.113.${i % 250}`);
  expect(guess('ada', '192.0.2.9')).toBe(false);
});

test('a full table drops what has run out first, then what counts least', () => {
  const clock = new ManualClock();
  const windows = new Windows(clock, 1000, 3);
  windows.count('old');
  windows.count('old');
  clock.advance(1000);
  for (const key of ['a', 'b', 'b', 'c', 'c']) windows.count(key);
  expect(windows.size).toBe(3);
  windows.count('d');
  expect(['old', 'a', 'b', 'c', 'd'].map(key => windows.find(key)?.attempts)).toEqual([
    ...[undefined, undefined, 2, 2, 1],
  ]);
});

test('the addresses of one IPv6 network count as one', () => {
  expect(network('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
  expect(network('2001:db8:1:2::7')).toBe('2001:db8:1:2');
  expect(network('2001:db8::1')).toBe('2001:db8:0:0');
  expect(network('fe80::1%eth0')).toBe('fe80:0:0:0');
  expect(network('::1')).toBe('0:0:0:0');
  expect(network('::ffff:192.0.2.1')).toBe('::ffff:192.0.2.1');
  expect(network('192.0.2.1')).toBe('192.0.2.1');
});
