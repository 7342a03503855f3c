/** What the configuration of every receiver has. */
import Type from 'typebox';

export const closed = { additionalProperties: false } as const;

export const receiverFields = {
  id: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$',
    title: 'letters, digits, "_", "." or "-"',
    description: 'Name of the receiver, unique; routes name it',
  }),
  role: Type.Optional(
    Type.Enum(['user', 'moderator', 'admin'], {
      description:
        'As whom it sees alerts: those of the gateway itself and of connections with several batteries are not for users (default moderator)',
    }),
  ),
};

/** Passwords never stand in the file itself. */
export const SecretName = (description: string) =>
  Type.String({
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,62}$',
    title: 'the name of a credential or environment variable',
    description,
  });
