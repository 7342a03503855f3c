/** Audit entries and devices in words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { actionWords, changesOf } from './audit.ts';
import { nameOfAgent } from './user-agent.ts';

test('only what differs is shown, value by value', () => {
  const old = { role: 'user', batteries: ['north'], disabled: false, must_change_password: false };
  const now = { role: 'user', batteries: ['north', 'south'], disabled: true, must_change_password: false };
  expect(changesOf(old, now)).toEqual([
    { name: 'batteries', before: 'north', after: 'north, south' },
    { name: 'disabled', before: undefined, after: 'yes' },
  ]);
  expect(changesOf({ cell_high: { raise_at: 3.65 } }, { cell_high: { raise_at: 3.7 } })).toEqual([
    { name: 'cell_high.raise_at', before: '3.65', after: '3.7' },
  ]);
  expect(changesOf(undefined, { role: 'user' })).toEqual([
    { name: 'role', before: undefined, after: 'user' },
  ]);
});

test('whatever was recorded is shown, and a value beside itself never is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (old, now) => {
      for (const { before, after } of changesOf(old, now)) expect(before).not.toBe(after);
      expect(changesOf(old, old)).toEqual([]);
    }),
  );
});

test('an action without words of its own stands for itself', () => {
  const words = (action: string, outcome: 'done' | 'refused' = 'done', target: string | null = 'una') =>
    actionWords({ action, outcome, target });
  expect(words('login')).toBe('logged in');
  expect(words('login', 'refused')).toBe('tried to log in as');
  expect(words('login', 'refused', null)).toBe('tried to log in under a name that nobody has');
  expect(words('POST /api/new')).toBe('POST /api/new');
});

test('devices are named as their owners call them', () => {
  const names = {
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36':
      'Chrome on Android',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1':
      'Safari on iPhone',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0':
      'Edge on Windows',
    'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0': 'Firefox on Linux',
    'curl/8.5.0': 'curl/8.5.0',
    'python-requests/2.31.0 (x)': 'python-requests/2.31.0',
    '': 'A program that does not say its name',
  };
  for (const [agent, name] of Object.entries(names)) expect(nameOfAgent(agent)).toBe(name);
});
