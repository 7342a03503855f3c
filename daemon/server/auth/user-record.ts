/** What is stored of a user, and what a user of the centre must be to be taken over or read from the copy of it. */
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { AssignedBatteries, Username } from '../../../core/contract/access.ts';
import { ROLES, Role } from '../../../core/contract/roles.ts';
import type { CentralRow } from '../../upstream/central-users.ts';
import { isUsableHash } from './passwords.ts';

const StoredRecord = Type.Object({
  username: Type.String(),
  role: Role,
  batteries: Type.Array(Type.String()),
  created_ms: Type.Number(),
  password_hash: Type.String(),
  disabled: Type.Optional(Type.Boolean()),
  /** The password was given by an administrator: only its change is possible with it. */
  must_change_password: Type.Optional(Type.Boolean()),
});
export type StoredUser = Static<typeof StoredRecord> & { readonly origin: 'local' | 'central' };
/** A user as the centre keeps it. */
export type CentralUser = Omit<Static<typeof StoredRecord>, 'must_change_password'>;

export const isStoredRecord = Compile(StoredRecord);
const isUsername = Compile(Username);
const isRole = Compile(Role);
const isBatteries = Compile(AssignedBatteries);

/** Why this gateway cannot take such a user, in a few words; undefined when it can. Whatever the centre sends. */
export function centralProblem(row: CentralRow): string | undefined {
  if (!isUsername.Check(row.username)) return 'username: expected what matches [a-z0-9][a-z0-9_.-]{0,31}';
  if (typeof row.password_hash !== 'string' || !isUsableHash(row.password_hash))
    return 'password_hash: expected what `bms-gateway hash-password` prints, m from 12288 to 65536, t and p at most 4';
  if (!isRole.Check(row.role)) return `role: expected one of ${ROLES.join(', ')}`;
  if (!isBatteries.Check(row.batteries)) return 'batteries: expected at most 1000 ids of 1 to 100 characters';
  if (typeof row.disabled !== 'boolean') return 'disabled: expected true or false';
  if (!Number.isFinite(row.created_ms)) return 'created_at: expected a moment';
  return undefined;
}

export function isCentralUser(body: unknown): body is CentralUser {
  return (
    isStoredRecord.Check(body) && centralProblem({ ...body, disabled: body.disabled ?? null }) === undefined
  );
}
