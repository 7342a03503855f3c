/** The account of a pack's life, and what EU law asks of a battery in use. */
import Type, { type Static } from 'typebox';
import { EXTREMES } from '../lifetime/extremes.ts';
import { HARMS } from '../lifetime/harms.ts';
import { OdometerView } from './estimates.ts';

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Extreme = nullable(
  Type.Object({
    value: Type.Number(),
    t_ms: Type.Number(),
    no: nullable(
      Type.Integer({ description: 'Of which cell or sensor, counting from 1; null: of the pack' }),
    ),
  }),
);

const HarmView = Type.Object({
  limit: nullable(Type.Number({ description: 'V or °C; null: there is none for these cells' })),
  under_load: nullable(Type.Number({ description: 'While discharging it begins here' })),
  count: Type.Integer(),
  seconds: Type.Number(),
  worst: nullable(Type.Number()),
  worst_ms: nullable(Type.Number()),
  worst_no: nullable(Type.Integer({ description: 'Of which cell or sensor, counting from 1' })),
  is_on: Type.Boolean({ description: 'It lasts' }),
});

const keyed = <Name extends string, T extends Type.TSchema>(names: readonly Name[], schema: T) =>
  Type.Object(Object.fromEntries(names.map(name => [name, schema])) as Record<Name, T>);

export const LifetimeAccount = Type.Object({
  since_ms: nullable(Type.Number({ description: 'Null: nothing was counted yet' })),
  odometer: OdometerView,
  extremes: keyed(EXTREMES, Type.Object({ lowest: Extreme, highest: Extreme })),
  harms: keyed(HARMS, HarmView),
});

export const LifetimeReply = Type.Object({
  pack_id: Type.String(),
  t_ms: Type.Number(),
  place: LifetimeAccount,
  pack: LifetimeAccount,
});

/** One line of the report: a value, or the reason why there is none. */
export const AnnexParameter = Type.Object({
  part: Type.Enum(['A', 'B'], { description: 'A: state of health; B: expected lifetime' }),
  no: Type.Integer({ description: 'As the annex numbers them' }),
  name: Type.String(),
  pack_id: Type.String(),
  value: nullable(Type.Number()),
  unit: Type.String(),
  sd: nullable(Type.Number({ description: 'Standard deviation; null: not known' })),
  method: Type.String(),
  source: nullable(Type.Enum(['gateway', 'device', 'configuration'])),
  from_ms: nullable(Type.Number({ description: 'What it rests on began then; null: it is of this moment' })),
  to_ms: Type.Number(),
  completeness_pct: nullable(
    Type.Number({
      description: 'Of the time between these, how much was counted; null: it is of this moment',
    }),
  ),
  not_determinable: nullable(Type.String({ description: 'Why there is no value; null: there is one' })),
});

export const AnnexReport = Type.Object({
  regulation: Type.String(),
  battery_id: Type.String(),
  battery_name: Type.String(),
  gateway_id: Type.String(),
  t_ms: Type.Number(),
  parameters: Type.Array(AnnexParameter),
});

export const AnnexQuery = Type.Object({ format: Type.Optional(Type.Enum(['json', 'csv'])) });

export type LifetimeAccount = Static<typeof LifetimeAccount>;
export type LifetimeReply = Static<typeof LifetimeReply>;
export type AnnexParameter = Static<typeof AnnexParameter>;
export type AnnexReport = Static<typeof AnnexReport>;
