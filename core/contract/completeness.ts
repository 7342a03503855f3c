/** How complete the readings are, by pack and hour: shapes of the report and of the log's record. */
import Type, { type Static } from 'typebox';
import { Nullable } from './model.ts';
import { FractionalMoment } from './moment.ts';

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });

// GET /api/reports/completeness
export const CompletenessQuery = Type.Object(
  {
    from_ms: Type.Optional(FractionalMoment('Default: 24 hours before `to_ms`')),
    to_ms: Type.Optional(FractionalMoment('Default: now')),
  },
  closed,
);
export const PackCompleteness = Type.Object({
  pack_id: Type.String(),
  battery_id: Type.String(),
  expected: Type.Array(Count, { description: 'Moments of the hour at which a reading was due' }),
  received: Type.Array(Count, { description: 'Readings taken' }),
  stored: Type.Array(Count, { description: 'Readings in the log' }),
  repeated: Type.Array(Count, {
    description: 'Of the stored ones: the pack had reported nothing since the one before',
  }),
  synced: Type.Array(Nullable(Count), {
    description: 'Of these at the centre; null: no centre is configured',
  }),
});
export const CompletenessReply = Type.Object({
  from_ms: Type.Number(),
  to_ms: Type.Number(),
  hours: Type.Array(Type.Number(), {
    description: 'Begin of each hour, ms since 1970 UTC, ascending; the columns of `packs` run along them',
  }),
  packs: Type.Array(PackCompleteness),
});

export type CompletenessQuery = Static<typeof CompletenessQuery>;
export type CompletenessReply = Static<typeof CompletenessReply>;
export type PackCompleteness = Static<typeof PackCompleteness>;

/** A record of the log (LogKind.completeness), once the hour is over. The same hour again replaces what was reported before. */
export interface CompletenessRecord {
  /** Begin of the hour, ms since 1970 UTC. */
  readonly hour_ms: number;
  readonly packs: readonly HourOfPack[];
}

export interface HourOfPack {
  readonly pack_id: string;
  readonly expected: number;
  readonly received: number;
  readonly stored: number;
  /** Of the stored ones. Not in records of older programs, which marked none. */
  readonly repeated?: number;
}

export const HOUR_MS = 3_600_000;
