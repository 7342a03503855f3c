/** Users, sessions, API keys and the audit log as the HTTP API shows them. */
import Type, { type Static } from 'typebox';
import { Nullable } from './model.ts';
import { Moment } from './moment.ts';
import { Role } from './roles.ts';

const closed = { additionalProperties: false } as const;

export const Username = Type.String({ pattern: '^[a-z0-9][a-z0-9_.-]{0,31}$' });
/** At least eight characters (NIST SP 800-63B, section 5.1.1.2); length counts, not kinds of characters. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 1024;
export const NewPassword = Type.String({ minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH });
export const AssignedBatteries = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
  maxItems: 1000,
});

// POST /api/auth/login
export const LoginBody = Type.Object(
  {
    username: Type.String({ minLength: 1, maxLength: 64 }),
    password: Type.String({ minLength: 1, maxLength: 1024 }),
  },
  closed,
);
export const UserView = Type.Object({ username: Type.String(), role: Role });
const MustChange = Type.Optional(
  Type.Boolean({ description: 'True: nothing else works before PUT /api/auth/password' }),
);
const Central = Type.Optional(
  Type.Boolean({ description: 'True: a user of the centre, whose password is changed there' }),
);
export const LoginReply = Type.Object({
  token: Type.String(),
  user: UserView,
  expires_ms: Type.Number({ description: 'When the token ends' }),
  session_expires_ms: Type.Number({ description: 'When the session ends, renewed or not' }),
  must_change_password: MustChange,
  central: Central,
});
// GET /api/auth/me
export const MeReply = Type.Object({ user: UserView, must_change_password: MustChange, central: Central });

// POST /api/auth/confirm: the password once more, before users and keys are changed
export const ConfirmBody = Type.Object({ password: Type.String({ minLength: 1, maxLength: 1024 }) }, closed);
export const ConfirmReply = Type.Object({
  confirmed_until_ms: Type.Number({ description: 'Until then this session may change users and keys' }),
});

// GET /api/auth/setup: whether the first administrator is to be made (or a lost one recovered) by a set-up code
export const SetupReply = Type.Object({
  open: Type.Boolean({ description: 'A set-up code is waited for' }),
  first: Type.Boolean({ description: 'There is no administrator yet' }),
});
// POST /api/auth/setup
export const SetupBody = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 64 }), username: Username, password: NewPassword },
  closed,
);
// PUT /api/auth/password
export const PasswordBody = Type.Object(
  { old_password: Type.String({ minLength: 1, maxLength: 1024 }), new_password: NewPassword },
  closed,
);

// GET /api/auth/sessions, GET /api/admin/sessions
export const SessionView = Type.Object({
  id: Type.String(),
  username: Type.String(),
  created_ms: Type.Number(),
  seen_ms: Type.Number(),
  expires_ms: Type.Number(),
  /** Where it was last seen. */
  address: Type.String(),
  user_agent: Type.String(),
  current: Type.Boolean({ description: 'The one that asks' }),
});
export const SessionsReply = Type.Object({ sessions: Type.Array(SessionView) });

// GET|POST /api/admin/users
export const UserRecord = Type.Object({
  username: Type.String(),
  role: Role,
  /** Battery ids; an admin sees all whatever stands here. */
  batteries: Type.Array(Type.String()),
  created_ms: Type.Number(),
  origin: Type.Union([Type.Literal('local'), Type.Literal('central')], {
    description: 'central: kept in the table users of the central database, and changed only there',
  }),
  disabled: Type.Boolean(),
  must_change_password: Type.Boolean(),
  shadows_central: Type.Boolean({ description: 'The centre has a user of this name too, who is left out' }),
});
export const UsersReply = Type.Object({ users: Type.Array(UserRecord) });
export const NewUserBody = Type.Object(
  {
    username: Username,
    password: NewPassword,
    role: Role,
    batteries: Type.Optional(AssignedBatteries),
    must_change_password: Type.Optional(Type.Boolean()),
  },
  closed,
);
// PUT|DELETE /api/admin/users/{username}: what is not given stays; a new password ends the user's sessions
export const UserChangeBody = Type.Object(
  {
    password: Type.Optional(NewPassword),
    must_change_password: Type.Optional(Type.Boolean()),
    role: Type.Optional(Role),
    batteries: Type.Optional(AssignedBatteries),
    disabled: Type.Optional(Type.Boolean()),
  },
  closed,
);

// GET|POST /api/admin/keys, DELETE /api/admin/keys/{id}
export const ApiKeyRecord = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: Role,
  batteries: Type.Array(Type.String()),
  created_ms: Type.Number(),
  created_by: Type.String(),
  expires_ms: Nullable(Type.Number({ description: 'null: never' })),
  used_ms: Nullable(Type.Number({ description: 'Last use, to the minute; null: never used' })),
  used_address: Nullable(Type.String()),
});
export const ApiKeysReply = Type.Object({ keys: Type.Array(ApiKeyRecord) });
export const NewApiKeyBody = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9 _.-]{0,47}$' }),
    role: Role,
    batteries: Type.Optional(AssignedBatteries),
    expires_ms: Type.Optional(Nullable(Moment('Default null: never'))),
  },
  closed,
);
/** The secret is shown here and never again. */
export const NewApiKeyReply = Type.Object({ key: ApiKeyRecord, secret: Type.String() });

// POST /api/admin/signing-keys
export const SigningKeyReply = Type.Object({
  kid: Type.String({ description: 'Of the key that signs from now on' }),
  accepted: Type.Integer({ description: 'Keys whose tokens are still taken, this one among them' }),
});

// GET /api/admin/audit
export const AuditEntry = Type.Object({
  id: Type.String(),
  t_ms: Type.Number(),
  /** Name of a user, `key:<name>` of an API key, `system` of the gateway itself; null: nobody known. */
  actor: Nullable(Type.String()),
  address: Nullable(Type.String()),
  action: Type.String({ description: 'login, user.create, settings.change, …' }),
  outcome: Type.Union([Type.Literal('done'), Type.Literal('refused')]),
  /** What it was done to: a user, a key, a rule, … */
  target: Nullable(Type.String()),
  /** Values before and after; secrets are left out. */
  old: Type.Optional(Type.Unknown()),
  new: Type.Optional(Type.Unknown()),
  request_id: Nullable(Type.String()),
});
export const AuditQuery = Type.Object(
  {
    actor: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    action: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'An action, or a group of them: user, session, key',
      }),
    ),
    from_ms: Type.Optional(Moment()),
    to_ms: Type.Optional(Moment()),
    cursor: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,14}$',
        description: '`next` of the page before; with the same other parameters',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Default 100' })),
    format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('csv')])),
  },
  closed,
);
export const AuditReply = Type.Object({
  entries: Type.Array(AuditEntry, { description: 'Newest first' }),
  next: Nullable(Type.String({ description: '`cursor` of the next page; null: there is no more' })),
});

export type ConfirmBody = Static<typeof ConfirmBody>;
export type ConfirmReply = Static<typeof ConfirmReply>;
export type LoginBody = Static<typeof LoginBody>;
export type UserView = Static<typeof UserView>;
export type LoginReply = Static<typeof LoginReply>;
export type MeReply = Static<typeof MeReply>;
export type SetupReply = Static<typeof SetupReply>;
export type SetupBody = Static<typeof SetupBody>;
export type PasswordBody = Static<typeof PasswordBody>;
export type SessionView = Static<typeof SessionView>;
export type SessionsReply = Static<typeof SessionsReply>;
export type UserRecord = Static<typeof UserRecord>;
export type UsersReply = Static<typeof UsersReply>;
export type NewUserBody = Static<typeof NewUserBody>;
export type UserChangeBody = Static<typeof UserChangeBody>;
export type ApiKeyRecord = Static<typeof ApiKeyRecord>;
export type ApiKeysReply = Static<typeof ApiKeysReply>;
export type NewApiKeyBody = Static<typeof NewApiKeyBody>;
export type NewApiKeyReply = Static<typeof NewApiKeyReply>;
export type SigningKeyReply = Static<typeof SigningKeyReply>;
export type AuditEntry = Static<typeof AuditEntry>;
export type AuditQuery = Static<typeof AuditQuery>;
export type AuditReply = Static<typeof AuditReply>;
