/** One line per moment and cause: packs of a connection that go down together are logged together. */
import { expect, test } from 'vitest';
import { ManualClock } from '../core/clock/manual-clock.ts';
import { silentLogger } from '../core/log.ts';
import { PackLog } from './pack-log.ts';

function harness() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const reasons = new Map<number, string>();
  const log = {
    ...silentLogger,
    warn: (fields: object, text: string) => lines.push(`${text}: ${JSON.stringify(fields)}`),
  };
  const packs = new PackLog({
    clock,
    log,
    packId: pack => `p${pack}`,
    reasonOf: pack => reasons.get(pack),
  });
  const fall = (connection: string, pack: number, reason = `no reply from unit ${pack}`) => {
    reasons.set(pack, reason);
    packs.note(connection, 'down', pack);
  };
  return { clock, lines, reasons, packs, fall };
}

test('a hundred packs on two connections are two lines', () => {
  const { clock, lines, fall } = harness();
  for (let pack = 0; pack < 100; pack++) fall(pack < 60 ? 'a' : 'b', pack);
  clock.advance(2000);
  expect(lines).toEqual([
    '60 packs are not well: {"connection":"a","state":"down","reason":"no reply from unit 0","packs":"p0, p1, p2 and 57 more"}',
    '40 packs are not well: {"connection":"b","state":"down","reason":"no reply from unit 60","packs":"p60, p61, p62 and 37 more"}',
  ]);
});

test('one pack is a line of its own, each time it falls', () => {
  const { clock, lines, reasons, fall } = harness();
  fall('a', 7);
  clock.advance(2000);
  reasons.clear();
  fall('a', 7);
  clock.advance(2000);
  const line =
    'pack is not well: {"connection":"a","state":"down","reason":"no reply from unit 7","pack":"p7"}';
  expect(lines).toEqual([line, line]);
});

test('what is well again at once is no line, and what waits is written at the end', () => {
  const { clock, lines, reasons, packs, fall } = harness();
  fall('a', 1);
  reasons.clear();
  clock.advance(2000);
  expect(lines).toEqual([]);
  fall('a', 2);
  packs.flush();
  packs.flush();
  clock.advance(10_000);
  expect(lines).toHaveLength(1);
});
