/** Alert rules as YAML: exported in the shape of the configuration, and imported from it. */
import Type, { type Static } from 'typebox';
import { SettingsReply } from './http.ts';
import { Nullable } from './model.ts';

// GET /api/admin/settings/export -> YAML

// POST /api/admin/settings/import
export const RuleImportBody = Type.Object(
  {
    yaml: Type.String({
      minLength: 1,
      description:
        'As the configuration has it: `alerts` with `rules`, `limits`, `default_rules`, and nothing else',
    }),
    is_trial: Type.Boolean({ description: 'True: says what would be changed, and changes nothing' }),
    version: Type.Optional(
      Type.Integer({
        description: 'Of the settings that were seen; CONFLICT when somebody has changed them since',
      }),
    ),
    note: Type.Optional(Type.String({ maxLength: 500, description: 'Why, for who looks later' })),
  },
  { additionalProperties: false },
);

const Line = Type.Object({
  what: Type.String({
    description: 'A key of the rule, or a limit and for whom it holds: "battery north: warning"',
  }),
  before: Nullable(Type.String()),
  after: Nullable(Type.String()),
});
export const RuleImportReply = Type.Object({
  differences: Type.Array(
    Type.Object({
      rule_id: Type.String(),
      label: Type.String(),
      kind: Type.Enum(['added', 'removed', 'changed']),
      lines: Type.Array(Line),
    }),
    { description: 'Empty: the rules are what they were' },
  ),
  settings: SettingsReply,
});
export type RuleImportBody = Static<typeof RuleImportBody>;
export type RuleImportReply = Static<typeof RuleImportReply>;
