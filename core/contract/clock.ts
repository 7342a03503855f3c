/** What the log records of the wall clock (LogKind.clock): under which offset rows were made, and what is off by how much. */
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

/** Who vouches for the time, weakest first. Only what `none` vouches for is uncertain. */
export const TRUSTS = ['none', 'plausible', 'hardware', 'person', 'network'] as const;
export const Trust = Type.Union([
  Type.Literal('none'),
  Type.Literal('plausible', { description: 'Nobody can be asked, and nothing speaks against it' }),
  Type.Literal('hardware', { description: 'The battery-backed clock of the machine shows the same' }),
  Type.Literal('person', { description: 'An administrator has compared it with their own, and says so' }),
  Type.Literal('network', { description: 'The kernel says that its clock is synchronised' }),
]);

const BootId = Type.String({ minLength: 1, maxLength: 100, description: 'Of the machine' });
const t_ms = Type.Integer({ description: 'Wall time of this record' });

/**
 * Rows of the log from this one to the next of its kind (an era) were stamped under this offset. `continued`: the
 * same goes on; no era holds many rows, so that each is corrected quickly.
 */
export const ClockEra = Type.Object(
  {
    reason: Type.Union([
      Type.Literal('start'),
      Type.Literal('step'),
      Type.Literal('trust'),
      Type.Literal('continued'),
    ]),
    boot_id: BootId,
    t_ms,
    offset_ms: Type.Integer({ description: 'Wall time less time since the machine booted' }),
    step_ms: Type.Integer({ description: 'By how much the wall clock had just stepped; 0: it had not' }),
    trust: Trust,
  },
  closed,
);

/** The readings of one era are so many ms later than stated until now (0: they are right), and now vouched for. */
export const ClockCorrection = Type.Object(
  {
    reason: Type.Literal('correction'),
    boot_id: BootId,
    t_ms,
    first_seq: Type.Integer({ minimum: 0 }),
    last_seq: Type.Integer({ minimum: 0 }),
    offset_ms: Type.Integer(),
    from_ms: Type.Integer({ description: 'No reading of them was earlier, as stated until now' }),
    to_ms: Type.Integer({ description: 'Nor later' }),
    trust: Trust,
  },
  closed,
);

export const ClockRecord = Type.Union([ClockEra, ClockCorrection]);

/** A record with its number in the log. */
export interface StoredClockRecord {
  readonly seq: number;
  readonly record: ClockRecord;
}

/** What a log records of the clock of one boot. */
export interface ClockState {
  /** In the log's order. */
  readonly records: readonly StoredClockRecord[];
  /** Newest time of a reading that is certain; null: there is none. */
  readonly newest_ms: number | null;
}

export type Trust = Static<typeof Trust>;
export type ClockEra = Static<typeof ClockEra>;
export type ClockCorrection = Static<typeof ClockCorrection>;
export type ClockRecord = Static<typeof ClockRecord>;
