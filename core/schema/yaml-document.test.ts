/** YAML as people write it: every problem at its line and column, in file order. */
import fc from 'fast-check';
import Type from 'typebox';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runsOf } from '../testing/property-runs.ts';
import { formatProblem, formatProblems } from './problem.ts';
import { checkYaml, MAX_CHARACTERS } from './yaml-document.ts';

const closed = { additionalProperties: false } as const;
const Item = Type.Object({ id: Type.String(), cells: Type.Integer({ minimum: 1 }) }, closed);
const Schema = Type.Object({ site: Type.String(), items: Type.Optional(Type.Array(Item)) }, closed);

const lines = (text: string) => checkYaml('a.yaml', text, Schema).problems.map(formatProblem);

test('problems stand in file order, each with its place', () => {
  expect(
    lines(`items:
  - id: one
    cells: ten
  - { id: two, cell: 3 }
  - cells: 0
    id:
size: 3
`),
  ).toEqual([
    'a.yaml:1:1: missing key "site", expected text',
    'a.yaml:3:12 items[0].cells: found "ten", expected a whole number of at least 1',
    'a.yaml:4:5 items[1]: missing key "cells", expected a whole number of at least 1',
    'a.yaml:4:16 items[1].cell: unknown key; did you mean "cells"?',
    'a.yaml:5:12 items[2].cells: found 0, expected a whole number of at least 1',
    'a.yaml:6:5 items[2].id: found nothing, expected text',
    'a.yaml:7:1 size: unknown key; did you mean "site"?',
  ]);
});

test('what YAML itself refuses is one line each', () => {
  const expected = 'expected keys and values (site, items)';
  expect(lines('')).toEqual([`a.yaml:1:1: found an empty file, ${expected}`]);
  expect(lines('# only words\n')).toEqual([`a.yaml:1:1: found an empty file, ${expected}`]);
  expect(lines('site: a\nsite: b\nsite: c\n')).toEqual([
    'a.yaml:2:1: found a key that stands here twice, expected each key once',
    'a.yaml:3:1: found a key that stands here twice, expected each key once',
  ]);
  expect(lines('site: a\nitems:\n\t- id: x\n')).toEqual([
    'a.yaml:3:1: found a tab, expected spaces for indentation',
  ]);
  expect(lines('site: a\n---\nsite: b\n')).toEqual([
    'a.yaml:2:1: found a second document, expected one document (no further ---)',
  ]);
  expect(lines('site: [a, b\nitems: {\n')).toHaveLength(1);
  expect(lines('site: *gone\n')).toEqual(['a.yaml:1:7: found *gone, expected &gone somewhere before it']);
});

test('aliases and merge keys are followed, also to where a problem stands', () => {
  const { value, problems } = checkYaml(
    'a.yaml',
    'site: a\nitems:\n  - &one { id: x, cells: 4 }\n  - { <<: *one, id: y }\n  - *one\n',
    Schema,
  );
  expect(problems).toEqual([]);
  expect(value?.items).toEqual([
    { id: 'x', cells: 4 },
    { id: 'y', cells: 4 },
    { id: 'x', cells: 4 },
  ]);
  expect(lines('site: a\nitems:\n  - &one { id: x, cells: 0 }\n  - { <<: *one, id: y }\n')).toEqual([
    'a.yaml:3:26 items[0].cells: found 0, expected a whole number of at least 1',
    'a.yaml:3:26 items[1].cells: found 0, expected a whole number of at least 1',
  ]);
});

test('aliases that multiply beyond measure are refused', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i}: &l${i} [${`*l${i - 1},`.repeat(9)}]`);
  levels[0] = 'l0: &l0 [x]';
  expect(lines(levels.join('\n'))).toEqual([
    'a.yaml:1:1: not valid YAML: Excessive alias count indicates a resource exhaustion attack',
  ]);
});

test('a later check finds the place too, and the nearest one when there is none', () => {
  const { locate } = checkYaml('a.yaml', 'site: a\nitems:\n  - id: x\n    cells: 4\n', Schema);
  const at = (path: (string | number)[], at_key = false) => {
    const { line, column } = locate({ path, found: '', expected: '', at_key });
    return [line, column];
  };
  expect(at(['items', 0, 'cells'])).toEqual([4, 12]);
  expect(at(['items', 0, 'cells'], true)).toEqual([4, 5]);
  expect(at(['items', 0, 'gone'])).toEqual([3, 5]);
  expect(at(['items', 7, 'id'])).toEqual([3, 3]);
  expect(at([])).toEqual([1, 1]);
});

test('a long list of problems is cut', () => {
  const text = `site: a\nitems:\n${'  - { id: x, cells: 0 }\n'.repeat(60)}`;
  const shown = formatProblems(checkYaml('a.yaml', text, Schema).problems);
  expect(shown).toHaveLength(51);
  expect(shown[50]).toBe('and 10 more');
});

test('what is written as YAML comes back as it was', () => {
  const item = fc.record({ id: fc.string(), cells: fc.integer({ min: 1 }) });
  fc.assert(
    fc.property(fc.record({ site: fc.string(), items: fc.array(item) }), value => {
      expect(checkYaml('a.yaml', stringify(value), Schema)).toMatchObject({ value, problems: [] });
    }),
  );
});

test('no text whatever makes it throw', () => {
  const pieces = fc.constantFrom(
    'site',
    ':',
    ' ',
    '\n',
    '-',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '<<',
    '"',
    "'",
    '#',
    '|',
    '>',
    '!',
    '?',
    '\t',
    '---',
    '%',
    '0',
    'x',
    ',',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), parts => {
      const { value, problems } = checkYaml('a.yaml', parts.join(''), Schema);
      expect(value === undefined).toBe(problems.length > 0);
      for (const { line, column, message } of problems) {
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
        expect(message).not.toBe('');
      }
    }),
    { numRuns: runsOf(1000) },
  );
});

test('many keys nobody knows are reported with their places, each at its own', () => {
  const count = 30_000;
  const text = `site: a\n${Array.from({ length: count }, (_, i) => `sit${i}: 1`).join('\n')}\n`;
  const { problems } = checkYaml('a.yaml', text, Schema);
  expect(problems).toHaveLength(count);
  expect(problems[0]).toMatchObject({ line: 2, message: 'unknown key; did you mean "site"?' });
  expect(problems.at(-1)).toMatchObject({
    line: count + 1,
    message: expect.stringContaining('expected one of'),
  });
  expect(lines(`${text}sit7: 2\n`)).toEqual([
    `a.yaml:${count + 2}:1: found a key that stands here twice, expected each key once`,
  ]);
});

test('a file longer than any that a person writes is refused by its length', () => {
  expect(lines(' '.repeat(MAX_CHARACTERS + 1))).toEqual([
    'a.yaml:1:1: found 4194305 characters, expected at most 4194304 in one file',
  ]);
});
