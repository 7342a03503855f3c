/** What was taken out of service, by whom, why and until when. */
import Type, { type Static } from 'typebox';
import { Nullable } from './model.ts';
import { Moment } from './moment.ts';

const closed = { additionalProperties: false } as const;
const id = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }));

// POST /api/out-of-service -> OutOfServiceView
export const TakeOutOfService = Type.Object(
  {
    alert_id: id('An open alert: its rule, for what it is about; or else pack_id'),
    pack_id: id('A pack, of which all rules are taken out of service, or one'),
    rule_id: id('With pack_id: this rule alone'),
    reason: Type.String({ minLength: 1, maxLength: 500, description: 'Why' }),
    until_ms: Type.Optional(Moment('It is put back by itself then; default: by a person alone')),
  },
  closed,
);

export const OutOfServiceView = Type.Object({
  id: Type.String(),
  rule_id: Nullable(Type.String({ description: 'Null: all rules of the pack' })),
  rule_label: Nullable(
    Type.String({ description: 'What people call the rule; null: no rule of this id is known' }),
  ),
  battery_id: Nullable(
    Type.String({ description: 'Null, as the pack is: of the gateway itself, or of a connection' }),
  ),
  battery_name: Nullable(Type.String()),
  pack_id: Nullable(Type.String()),
  pack_name: Nullable(Type.String()),
  connection_id: Nullable(Type.String()),
  by: Type.String(),
  at_ms: Type.Number(),
  until_ms: Nullable(Type.Number({ description: 'Null: until somebody puts it back' })),
  reason: Type.String(),
});

// GET /api/out-of-service
export const OutOfServiceReply = Type.Object({ out_of_service: Type.Array(OutOfServiceView) });

export type TakeOutOfService = Static<typeof TakeOutOfService>;
export type OutOfServiceView = Static<typeof OutOfServiceView>;
export type OutOfServiceReply = Static<typeof OutOfServiceReply>;
