/** What the reader's page makes of a description. */
import { expect, test } from 'vitest';
import { curlOf, linesOf, type Route, routeId, routesByTag, typeText } from './description.ts';

const text = { type: 'string' };

test('types in words', () => {
  expect(typeText({ anyOf: [{ enum: ['a'] }, { const: 'b' }, { type: 'null' }] })).toBe('"a" | "b" | null');
  expect(typeText({ type: 'array', items: { type: 'number' } })).toBe('list of number');
  expect(typeText({ type: 'integer', minimum: 1, maximum: 9 })).toBe('integer from 1 to 9');
  expect(typeText({ type: 'string', minLength: 8 })).toBe('string from 8 characters on');
  expect(typeText({ type: 'object', additionalProperties: text })).toBe('object of string by name');
  expect(typeText({})).toBe('anything');
});

test('a line for each property, with those of lists, records and choices within', () => {
  const schema = {
    required: ['list'],
    properties: {
      list: { type: 'array', description: 'All', items: { type: 'object', properties: { id: text } } },
      maybe: { anyOf: [{ type: 'null' }, { type: 'object', properties: { n: { type: 'number' } } }] },
    },
  };
  expect(linesOf(schema).map(({ depth, name, is_optional }) => [depth, name, is_optional])).toEqual([
    [0, 'list', false],
    [1, 'id', true],
    [0, 'maybe', true],
    [1, 'n', true],
  ]);
});

test('a request to copy: where, as whom, with what', () => {
  const route: Route = {
    method: 'PUT',
    path: '/api/users/{name}',
    operation: {
      'x-access': 'admin',
      requestBody: {
        content: {
          'application/json': {
            schema: { required: ['role'], properties: { role: { enum: ['user'] }, more: text } },
          },
        },
      },
      responses: {},
    },
  };
  expect(curlOf(route, 'https://box')).toBe(
    `curl -s -X PUT 'https://box/api/users/<name>' \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '{"role":"user"}'`,
  );
  expect(routeId(route)).toBe('put-api-users-name');
});

test('routes stand together by their tag', () => {
  const operation = (tag: string) => ({ tags: [tag], responses: {} });
  const groups = routesByTag({
    info: { title: '', version: '' },
    paths: { '/a': { get: operation('x'), post: operation('y') }, '/b': { get: operation('x') } },
  });
  expect([...groups].map(([tag, routes]) => [tag, routes.map(({ path }) => path)])).toEqual([
    ['x', ['/a', '/b']],
    ['y', ['/a']],
  ]);
});
