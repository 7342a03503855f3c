/** A `registers` section that cannot work says so, each problem with file, line and path. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { formatProblem } from '../../../core/schema/problem.ts';
import { loadProfiles } from '../../profiles/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'registers-'));
afterAll(() => rmSync(folder, { recursive: true }));

function problemsOf(section: string): string[] {
  const head = `id: acme
title: Acme
vendor: Acme
models: []
source: Acme paper
transport: modbus
cells: { max: 4 }
sensors: { max: 2 }
options: { sign: { values: [a, b], default: a, doc: Sign } }
device_alarms: [{ code: hot, label: Hot }]
`;
  writeFileSync(join(folder, 'acme.yaml'), head + section);
  return loadProfiles(folder).problems.map(problem => formatProblem(problem).replace(`${folder}/`, ''));
}

test('names, places, room and options are checked', () => {
  const problems = problemsOf(`registers:
  max_registers: 4
  blocks:
    live: { code: 3, first: 0, last: 19 }
    flags: { code: 1, first: 0, last: 7 }
  pack:
    voltage_v: { block: life, at: 0 }
    current_a: { block: live, at: 19, type: u32, negate_when: { option: sine, is: a } }
    soc_pct: { block: live, at: 0, scale_at: 9 }
    soh_pct: { block: live, at: 0, bit: 16, use_when: { option: sign, is: c } }
    charge_enabled: { block: flags, at: 0, type: u16 }
  cells:
    voltage_v: { block: live, at: 17, count: 4 }
    balancing: { block: flags, at: 0, count: 3 }
  sensors:
    - { block: live, at: 4, count: 1 }
  alarms:
    - { block: live, at: 0, bits: { 20: hot, 1: hat } }
`);
  const texts = problems.map(line => line.replace(/^acme\.yaml:\d+:\d+ /, ''));
  expect(problems.every(line => /^acme\.yaml:[1-9]\d*:\d+ /.test(line))).toBe(true);
  for (const expected of [
    /^registers\.pack\.voltage_v\.block: found unknown block "life", .*did you mean "live"/,
    /^registers\.pack\.current_a\.at: found 19 and the next, expected within block live, 0 to 19/,
    /^registers\.pack\.current_a\.negate_when\.option: found "sine", expected one of the options: sign/,
    /^registers\.pack\.soc_pct\.scale_at: found 10 registers from value to scale, expected at most 4/,
    /^registers\.pack\.soh_pct\.bit: found 16/,
    /^registers\.pack\.soh_pct\.use_when\.is: found "c"/,
    /^registers\.pack\.charge_enabled\.type: found u16, expected no type in a block of coils/,
    /^registers\.cells\.voltage_v\.at: found 20/,
    /^registers\.cells\.balancing\.count: found 3, expected at least cells\.max 4/,
    /^sensors\.max: found 2, expected at most the 1 of registers\.sensors/,
    /bits\.20: found 20, expected a bit from 0 to 15/,
    /bits\.1: found "hat", expected one of device_alarms; did you mean "hot"/,
  ])
    expect(texts).toContainEqual(expect.stringMatching(expected));
});

test('a profile has one section of its bus', () => {
  expect(problemsOf('')).toEqual([
    expect.stringContaining(
      'transport modbus without its section, expected a section "sunspec" or "registers"',
    ),
  ]);
});
