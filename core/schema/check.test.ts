/** The walk decides as TypeBox decides, and says it in words. */
import fc from 'fast-check';
import Type, { type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { runsOf } from '../testing/property-runs.ts';
import { findingsOf } from './check.ts';
import { formatPath } from './problem.ts';
import { nearly } from './testing/yaml.ts';

const closed = { additionalProperties: false } as const;
const Shape = Type.Object(
  {
    kind: Type.Enum(['round', 'square']),
    size: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
    count: Type.Integer({ minimum: 1, maximum: 9 }),
    tags: Type.Optional(
      Type.Array(Type.String({ maxLength: 3 }), { minItems: 1, maxItems: 4, uniqueItems: true }),
    ),
    range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    extra: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Boolean(), Type.Number()]))),
    how: Type.Optional(
      Type.Union([
        Type.Object({ type: Type.Literal('fast'), speed: Type.Integer({ minimum: 0 }) }, closed),
        Type.Object(
          { type: Type.Literal('slow'), delay: Type.Optional(Type.String({ pattern: '^\\d+s$' })) },
          closed,
        ),
      ]),
    ),
    either: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.Null(), Type.Array(Type.Integer())]),
    ),
  },
  closed,
);

test('accepts exactly what TypeBox accepts', () => {
  let accepted = 0;
  fc.assert(
    fc.property(nearly(Shape), value => {
      const accepts = Value.Check(Shape, value);
      if (accepts) accepted++;
      expect(findingsOf(Shape, value).length === 0).toBe(accepts);
    }),
    { numRuns: runsOf(2000) },
  );
  expect(accepted).toBeGreaterThan(100);
});

const good = { kind: 'round', count: 1 };
const WORDS: readonly [string, unknown, string][] = [
  ['a missing key', { kind: 'round' }, ': missing key "count", expected a whole number from 1 to 9'],
  ['an unknown key', { ...good, conut: 1 }, 'conut: unknown key; did you mean "count"?'],
  [
    'an unlike key',
    { ...good, zzz: 1 },
    'zzz: unknown key, expected one of kind, size, count, tags, range, extra, how, either',
  ],
  ['a wrong type', { ...good, count: 'ten' }, 'count: found "ten", expected a whole number from 1 to 9'],
  ['nothing', { ...good, count: null }, 'count: found nothing, expected a whole number from 1 to 9'],
  ['a fraction', { ...good, count: 1.5 }, 'count: found 1.5, expected a whole number from 1 to 9'],
  ['out of range', { ...good, size: 0 }, 'size: found 0, expected a number greater than 0 and at most 10'],
  [
    'not a number',
    { ...good, size: Number.NaN },
    'size: found NaN, expected a number greater than 0 and at most 10',
  ],
  [
    'a name',
    { ...good, kind: 'rond' },
    'kind: found "rond", expected one of round, square; did you mean "round"?',
  ],
  [
    'a bare number',
    { ...good, tags: [7] },
    'tags[0]: found 7, expected text of at most 3 characters; put it in quotes',
  ],
  ['long text', { ...good, tags: ['abcd'] }, 'tags[0]: found "abcd", expected text of at most 3 characters'],
  ['an empty list', { ...good, tags: [] }, 'tags: found an empty list, expected a list of 1 to 4'],
  ['a pair', { ...good, range: [1] }, 'range: found a list of 1, expected a list of 2 (a number, a number)'],
  [
    'a record',
    { ...good, extra: { 'a b': 'x' } },
    'extra["a b"]: found "x", expected true or false or a number',
  ],
  [
    'a tag',
    { ...good, how: { type: 'fest', speed: 1 } },
    'how.type: found "fest", expected one of fast, slow; did you mean "fast"?',
  ],
  ['no tag', { ...good, how: { speed: 1 } }, 'how: missing key "type", expected one of fast, slow'],
  [
    'the tagged branch',
    { ...good, how: { type: 'slow', delay: '5' } },
    'how.delay: found "5", expected text that matches ^\\d+s$',
  ],
  [
    'another branch',
    { ...good, how: { type: 'slow', speed: 1 } },
    'how.speed: unknown key, expected one of type, delay',
  ],
  [
    'a union of kinds',
    { ...good, either: 'x' },
    'either: found "x", expected a whole number of at least 0 or nothing or a list',
  ],
  ['the branch of its kind', { ...good, either: [1, 'x'] }, 'either[1]: found "x", expected a whole number'],
  [
    'a list',
    [],
    ': found an empty list, expected keys and values (kind, size, count, tags, range, extra, how, either)',
  ],
];

test.each(WORDS)('%s', (_what, value, expected) => {
  expect(findingsOf(Shape, value).map(({ path, message }) => `${formatPath(path)}: ${message}`)).toEqual([
    expected,
  ]);
});

test('keys of JavaScript itself are unknown keys like others', () => {
  const value = JSON.parse('{"kind":"round","count":1,"constructor":1,"__proto__":2}');
  expect(findingsOf(Shape, value).map(({ path }) => path)).toEqual([['constructor'], ['__proto__']]);
  expect(findingsOf(Type.Object({ toString: Type.Number() }) as TSchema, {})).toHaveLength(1);
});

test('a password in a URL is not quoted', () => {
  const [{ found }] = findingsOf(Type.Integer(), 'postgres://gateway:hunter2@host/db?password=hunter2');
  expect(found).toBe('"postgres://gateway:***@host/db?password=***"');
});
