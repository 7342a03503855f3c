/** The roles, in order of their rights: each may do what those before it may. The one place that lists them. */
import Type, { type Static } from 'typebox';

export const Role = Type.Union([Type.Literal('user'), Type.Literal('moderator'), Type.Literal('admin')]);
export type Role = Static<typeof Role>;

export const ROLES: readonly Role[] = Role.anyOf.map(({ const: role }) => role);

export function isAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
