/** Whatever the machine's speed, address and login are the last lines of the start. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { DemoScreen } from './demo-screen.ts';

function harness() {
  const clock = new ManualClock();
  const written: string[] = [];
  return { clock, written, screen: new DemoScreen(clock, text => written.push(text)) };
}

test('lines before and after the welcome leave the address last, once for a burst', () => {
  const { clock, written, screen } = harness();
  screen.line('early');
  screen.welcome('welcome', 'address');
  clock.advance(3000);
  expect(written.at(-1)).toBe('welcome');
  for (let i = 0; i < 50; i++) {
    screen.line(`late ${i}`);
    clock.advance(100);
  }
  clock.advance(10_000);
  expect(written.at(-1)).toBe('address');
  expect(written.filter(text => text === 'address')).toHaveLength(1);
});

test('a demo that runs for long, or ends, does not say it again', () => {
  const { clock, written, screen } = harness();
  screen.welcome('welcome', 'address');
  clock.advance(200_000);
  screen.line('much later');
  clock.advance(10_000);
  expect(written.at(-1)).toBe('much later');
  const ended = harness();
  ended.screen.welcome('welcome', 'address');
  ended.screen.line('late');
  ended.screen.stop();
  ended.clock.advance(10_000);
  expect(ended.written.at(-1)).toBe('late');
});
