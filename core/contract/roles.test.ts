/** Roles: their order is that of their rights, and the central database knows the same. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isAtLeast, ROLES } from './roles.ts';

test('each role may do what those before it may', () => {
  expect(ROLES).toEqual(['user', 'moderator', 'admin']);
  expect(ROLES.map(role => ROLES.filter(needed => isAtLeast(role, needed)))).toEqual([
    ['user'],
    ['user', 'moderator'],
    ['user', 'moderator', 'admin'],
  ]);
});

test('the table of users at the centre takes these roles and no other', () => {
  const sql = readFileSync(new URL('../../migrations/postgres/001_users.sql', import.meta.url), 'utf8');
  const [, listed] = /role IN \(([^)]*)\)/.exec(sql) ?? [];
  expect(listed?.split(', ')).toEqual(ROLES.map(role => `'${role}'`));
});
