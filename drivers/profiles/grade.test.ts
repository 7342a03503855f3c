/** No profile claims a grade that its golden frames do not bear out, or hides one that they do. */
import { expect, test } from 'vitest';
import { bundledProfiles } from './every-profile.ts';
import { type Golden, goldenOf, gradeBorneOut, lacksOf } from './grade.ts';
import type { Profile } from './profile.ts';

/** A commit, a thread or a document that anybody can look up. */
const LOCATED = /@[0-9a-f]{7}\b|\b(?:issue|pull request) \d+/;

test.each(bundledProfiles)('$id: its grade is what its golden frames bear out', profile => {
  const golden = goldenOf(profile);
  expect([profile.id, profile.grade]).toEqual([profile.id, gradeBorneOut(profile, golden)]);
  for (const { from, source } of golden) {
    expect(['device', 'paper']).toContain(from);
    if (from === 'device') expect(source).toMatch(LOCATED);
  }
});

test.each(bundledProfiles)('$id: says how it is wired', ({ wiring }) => {
  expect(wiring).toMatch(/\S/);
});

const profile = {
  cells: { max: 16 },
  options: { sign: { values: [1, 2], default: 1, doc: 'x' } },
} as unknown as Profile;
const frame = (from: Golden['from'], what: Golden['expect']): Golden => ({ from, source: 'x', expect: what });

test('frames of a paper are bronze, recorded ones silver once they show pack and cells', () => {
  const pack = { pack: { voltage_v: 1, charge_current_limit_a: 3 } };
  const cells = { cells: { voltage_v: [3.3] } };
  expect(gradeBorneOut(profile, [])).toBeUndefined();
  expect(gradeBorneOut(profile, [frame('paper', { ...pack, ...cells })])).toBe('bronze');
  expect(gradeBorneOut(profile, [frame('device', pack), frame('paper', cells)])).toBe('bronze');
  expect(gradeBorneOut({ ...profile, cells: { max: 0 } }, [frame('device', pack)])).toBe('silver');
  expect(gradeBorneOut(profile, [frame('device', pack), frame('device', cells)])).toBe('silver');
  expect(lacksOf(profile, [frame('device', { ...pack, ...cells })])).toMatchObject({
    silver: [],
    gold: ['identity', 'recorded alarms', 'option sign'],
    platinum: ['a report from real hardware'],
  });
});

test('gold needs every option settled, platinum somebody who read one', () => {
  const golden = [
    frame('device', { pack: { charge_current_limit_a: 3 }, cells: { voltage_v: [] }, no_alarm: true }),
  ];
  const known = {
    ...profile,
    can: { identity: {} },
    options: { sign: { ...profile.options?.sign, settled: true } },
  } as unknown as Profile;
  expect(gradeBorneOut({ ...profile, can: known.can }, golden)).toBe('silver');
  expect(gradeBorneOut(known, golden)).toBe('gold');
  const hardware_reports = [{ by: 'A. Person', on: '2026-11-30', device: 'X 1' }];
  expect(gradeBorneOut({ ...known, hardware_reports }, golden)).toBe('platinum');
  expect(gradeBorneOut({ ...profile, hardware_reports }, golden)).toBe('silver');
});
