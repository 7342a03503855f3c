/** What connections of every type have in common: their id, and schemas that know no other key. */
import Type from 'typebox';

/** An id, or a range in braces that stands for many: `rack-1-{01..10}`. */
const ID_PATTERN = '^([A-Za-z0-9][A-Za-z0-9_.-]{0,62})?(\\{\\d{1,6}\\.\\.\\d{1,6}\\}[A-Za-z0-9_.-]{0,62})?$';
export const RangedId = (description: string) =>
  Type.String({
    minLength: 1,
    pattern: ID_PATTERN,
    title: 'letters, digits, "_", "." or "-", with at most one range such as {01..10}',
    description,
  });

export const Id = RangedId(
  'Name of the connection, unique; `{01..10}` stands for ten, each other key with such a range is expanded side by side',
);
export const closed = { additionalProperties: false } as const;
