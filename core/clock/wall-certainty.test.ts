/** Which times are believed, and what the first believed one says of the rows before it. */
import { describe, expect, test } from 'vitest';
import type { ClockEra, StoredClockRecord, Trust } from '../contract/clock.ts';
import { type ClockFacts, erasOf, judgeWall, settle } from './wall-certainty.ts';

const NOW_MS = Date.UTC(2026, 5, 1, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('who vouches for the time', () => {
  const cases: [string, number, ClockFacts, number, Trust, RegExp | null][] = [
    ['1970, whatever the kernel says', 5000, { synchronised: true }, 0, 'none', /1970-01-01 00:00 UTC.*made/],
    ['synchronised', NOW_MS, { synchronised: true }, 0, 'network', null],
    ['synchronised, older than the log', NOW_MS, { synchronised: true }, NOW_MS + DAY_MS, 'network', null],
    ['hardware clock', NOW_MS, { synchronised: false, hardware_agrees: true }, 0, 'hardware', null],
    ['hardware clock behind', NOW_MS, { hardware_agrees: true }, NOW_MS + 60_000, 'none', /up to 2026-06-01/],
    ['a second behind the log', NOW_MS, {}, NOW_MS + 1000, 'plausible', null],
    ['nobody to ask', NOW_MS, {}, 0, 'plausible', null],
    ['time service off', NOW_MS, { synchronised: false, has_time_service: false }, 0, 'plausible', null],
    ['not yet', NOW_MS, { synchronised: false, has_time_service: true }, 0, 'none', /not synchronised yet/],
    ['service unknown', NOW_MS, { synchronised: false }, 0, 'none', /not synchronised yet/],
    ['ten years on', NOW_MS + 3653 * DAY_MS, { hardware_agrees: true }, 0, 'none', /2036-06-01.*years after/],
    ['ten years on, by the network', NOW_MS + 3653 * DAY_MS, { synchronised: true }, NOW_MS, 'network', null],
    ['weeks after the log', NOW_MS + 30 * DAY_MS, {}, NOW_MS, 'plausible', null],
    ['months after the log', NOW_MS + 60 * DAY_MS, {}, NOW_MS, 'none', /60 days after the newest reading/],
    ['months, kept by hardware', NOW_MS + 60 * DAY_MS, { hardware_agrees: true }, NOW_MS, 'hardware', null],
    ['years, kept by hardware', NOW_MS + 700 * DAY_MS, { hardware_agrees: true }, NOW_MS, 'none', /700 days/],
    ['no calendar holds it', -9e15, {}, 0, 'none', /-9000000000000000 ms/],
  ];
  test.each(cases)('%s', (_, wall_ms, facts, newest_ms, trust, doubt) => {
    const judged = judgeWall(wall_ms, facts, newest_ms);
    expect(judged.trust).toBe(trust);
    if (doubt) expect(judged.doubt).toMatch(doubt);
    else expect(judged.doubt).toBeNull();
  });
});

/** `mono_ms` is time since boot. */
function era(seq: number, mono_ms: number, offset_ms: number, trust: Trust): StoredClockRecord {
  const record: ClockEra = {
    reason: seq === 1 ? 'start' : 'step',
    boot_id: 'b',
    t_ms: mono_ms + offset_ms,
    offset_ms,
    step_ms: 0,
    trust,
  };
  return { seq, record };
}

const settled = (...records: StoredClockRecord[]) =>
  settle(erasOf(records)).map(({ first_seq, last_seq, offset_ms }) => [first_seq, last_seq, offset_ms]);

describe('what is settled', () => {
  test('nothing while nobody vouches', () => {
    expect(settled(era(1, 0, 0, 'none'), era(9, 5000, NOW_MS, 'none'))).toEqual([]);
    expect(settled()).toEqual([]);
  });

  test('each era by its own offset, in order', () => {
    const records = [
      era(1, 0, 0, 'none'),
      era(100, 50_000, DAY_MS, 'none'),
      era(200, 90_000, NOW_MS, 'network'),
    ];
    expect(settled(...records)).toEqual([
      [1, 99, NOW_MS],
      [100, 199, NOW_MS - DAY_MS],
    ]);
  });

  test('an era that was right all along becomes certain as it is', () => {
    expect(settled(era(1, 0, NOW_MS + 400, 'none'), era(9, 5000, NOW_MS, 'network'))).toEqual([[1, 8, 0]]);
  });

  test('a stronger witness corrects a weaker one, an equal one does not', () => {
    const before = era(1, 0, NOW_MS - HOUR_MS, 'hardware');
    expect(settled(before, era(9, 5000, NOW_MS, 'network'))).toEqual([[1, 8, HOUR_MS]]);
    expect(settled(before, era(9, 5000, NOW_MS, 'hardware'))).toEqual([]);
    expect(settled(era(1, 0, NOW_MS, 'network'), era(9, 5000, NOW_MS + HOUR_MS, 'network'))).toEqual([]);
  });

  test('what may be drift of a good clock is no offset', () => {
    const drifted = era(9, 10 * DAY_MS, NOW_MS, 'network');
    expect(settled(era(1, 0, NOW_MS - 60_000, 'hardware'), drifted)).toEqual([[1, 8, 0]]);
    expect(settled(era(1, 0, NOW_MS - 60_000, 'none'), drifted)).toEqual([[1, 8, 60_000]]);
  });

  test('a correction is not made twice, a later and better one is made on top', () => {
    const records = [era(1, 0, 0, 'none'), era(9, 5000, NOW_MS, 'hardware')];
    const [made] = settle(erasOf(records));
    records.push({ seq: 12, record: { ...made, boot_id: 'b', t_ms: NOW_MS } });
    expect(settled(...records)).toEqual([]);
    records.push(era(20, 9000, NOW_MS + HOUR_MS, 'network'));
    expect(settled(...records)).toEqual([
      [1, 8, HOUR_MS],
      [9, 19, HOUR_MS],
    ]);
  });

  test('the span of times is that of the rows as they are stored now', () => {
    const [made] = settle(erasOf([era(1, 1000, 0, 'none'), era(9, 50_000, NOW_MS, 'network')]));
    expect([made.from_ms + HOUR_MS, made.to_ms - HOUR_MS]).toEqual([1000, 50_000]);
  });
});
