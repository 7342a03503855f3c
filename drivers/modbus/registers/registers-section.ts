/**
 * The `registers` section of a profile: a device's Modbus map as data. Addresses are those of the vendor's
 * map; a value is (raw + add) times scale. Nothing outside the blocks is ever read.
 */
import Type, { type Static } from 'typebox';
import { REPORTED_CELL_METRICS, REPORTED_PACK_METRICS } from '../../../core/metrics.ts';
import { OptionIs } from '../../profiles/option-is.ts';

const closed = { additionalProperties: false } as const;

const Address = Type.Integer({
  minimum: 0,
  maximum: 65_535,
  description: "Address as in the vendor's map, within the block",
});

const Order = Type.Union(
  [Type.Literal('ABCD'), Type.Literal('CDAB'), Type.Literal('BADC'), Type.Literal('DCBA')],
  { description: 'Bytes on the wire, A the most significant: ABCD is high word first, CDAB low word first' },
);

const NumberKind = Type.Union(
  [
    Type.Literal('u16'),
    Type.Literal('s16'),
    Type.Literal('u32'),
    Type.Literal('s32'),
    Type.Literal('u64'),
    Type.Literal('s64'),
    Type.Literal('f32'),
    Type.Literal('u8_high'),
    Type.Literal('u8_low'),
    Type.Literal('s8_high'),
    Type.Literal('s8_low'),
  ],
  { description: 'u8_…, s8_high and s8_low are halves of a register (default u16)' },
);

/** Where a raw number stands. In a coil block the type is not given: each address is one bit. */
const place = {
  block: Type.String({ minLength: 1, description: 'One of the blocks' }),
  at: Address,
  type: Type.Optional(NumberKind),
  order: Type.Optional(Order),
} as const;

const scaling = {
  scale: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: 'SI value of one raw step (default 1)' }),
  ),
  add: Type.Optional(
    Type.Number({ description: 'Added to the raw number before it is scaled: -2731 for 0.1 K' }),
  ),
  scale_at: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'Register (s16) with a decimal exponent; always read together with the value',
    }),
  ),
  absent: Type.Optional(
    Type.Array(Type.Number(), {
      minItems: 1,
      description: 'Raw numbers, as their type reads them, by which the device says "I have none"',
    }),
  ),
  negate: Type.Optional(Type.Boolean({ description: 'The device counts the other way (default false)' })),
  negate_when: Type.Optional(OptionIs),
} as const;

const use_when = { use_when: Type.Optional(OptionIs) } as const;

/** Part of a register. */
const part = {
  bit: Type.Optional(Type.Integer({ minimum: 0, maximum: 31, description: 'The number is this bit' })),
  bits: Type.Optional(
    Type.Tuple([Type.Integer({ minimum: 0, maximum: 31 }), Type.Integer({ minimum: 1, maximum: 31 })], {
      description: '[lowest bit, how many]: the number is these bits',
    }),
  ),
} as const;

const PackSource = Type.Object(
  {
    ...place,
    ...scaling,
    ...use_when,
    ...part,
    invert: Type.Optional(
      Type.Boolean({
        description: 'The bit says the opposite, such as "charging is blocked" (default false)',
      }),
    ),
    negative_when: Type.Optional(
      Type.Object(
        {
          at: Address,
          is: Type.Integer({ minimum: 0, maximum: 65_535 }),
          otherwise: Type.Integer({ minimum: 0, maximum: 65_535 }),
        },
        {
          ...closed,
          description: 'Register of the same block (u16) with the direction of a number without sign',
        },
      ),
    ),
  },
  closed,
);

const Reference = Type.Object(place, closed);

const Row = Type.Object(
  {
    ...place,
    type: Type.Optional(
      Type.Union([NumberKind, Type.Literal('bits'), Type.Literal('u8'), Type.Literal('s8')], {
        description:
          '`bits`: one bit each, 16 to a register, lowest first; `u8`, `s8`: a byte each, the high one first',
      }),
    ),
    ...scaling,
    ...use_when,
    count: Type.Integer({ minimum: 1, maximum: 4096, description: 'How many the map has room for' }),
    stride: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1024,
        description: 'Addresses from one to the next (default: adjacent)',
      }),
    ),
    groups: Type.Optional(
      Type.Object(
        {
          of: Type.Integer({ minimum: 1, maximum: 4096, description: 'Numbers in a group' }),
          stride: Type.Integer({
            minimum: 1,
            maximum: 65_535,
            description: 'Addresses from the first of a group to that of the next',
          }),
        },
        { ...closed, description: 'The row comes in groups, such as the cells of each module' },
      ),
    ),
    present_bits: Type.Optional(
      Type.Object(
        { ...place, first_bit: Type.Optional(Type.Integer({ minimum: 0, maximum: 31 })) },
        { ...closed, description: 'Bit `first_bit + k` says whether the k-th exists' },
      ),
    ),
    present_count: Type.Optional(
      Type.Object(
        {
          ...place,
          times: Type.Optional(
            Type.Object(place, { ...closed, description: 'Modules times cells of each: the product counts' }),
          ),
        },
        { ...closed, description: 'Says how many exist; the rest are missing' },
      ),
    ),
  },
  { ...closed, description: 'Numbers in a row: one per cell or sensor' },
);

const AlarmBit = Type.Union([
  Type.String({ description: 'One of device_alarms, at level alarm' }),
  Type.Object(
    { code: Type.String(), level: Type.Union([Type.Literal('warning'), Type.Literal('alarm')]) },
    closed,
  ),
]);

const AlarmSource = Type.Object(
  {
    ...place,
    ...use_when,
    active: Type.Optional(
      Type.Union([Type.Literal(0), Type.Literal(1)], { description: 'Bit of a raised alarm (default 1)' }),
    ),
    bits: Type.Optional(
      Type.Record(Type.String({ pattern: '^([12]?[0-9]|3[01])$' }), AlarmBit, {
        description: 'By bit; in a coil block by coil, counting from `at`',
      }),
    ),
    code: Type.Optional(
      Type.String({ description: 'One of device_alarms: the register holds its level as a number' }),
    ),
    levels: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[0-9]{1,5}$' }),
        Type.Union([Type.Literal('warning'), Type.Literal('alarm')]),
        { description: 'By number of the register; any other says that there is none' },
      ),
    ),
    rest: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Its number while there is none (default 0)',
      }),
    ),
    absent: Type.Optional(
      Type.Array(Type.Integer(), {
        minItems: 1,
        description: 'Numbers by which the device has no such alarm',
      }),
    ),
  },
  closed,
);

const Block = Type.Object(
  {
    code: Type.Integer({
      minimum: 1,
      maximum: 4,
      description: 'Function: 1 coils, 2 discrete inputs, 3 holding registers, 4 input registers',
    }),
    first: Address,
    last: Address,
    every: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'Read in every n-th round only (default 1)' }),
    ),
    whole: Type.Optional(
      Type.Boolean({
        description:
          'Asked for by one request from first to last, split only after a refusal: devices are known to answer it so',
      }),
    ),
    plus: Type.Optional(
      Type.Object(
        {
          option: Type.String({ description: 'One of the options' }),
          each: Type.Integer({ minimum: 1, maximum: 65_535 }),
        },
        {
          ...closed,
          description:
            'All addresses of the block grow by `each` with every value of the option after its first one',
        },
      ),
    ),
    no_reading_when: Type.Optional(
      Type.Object(
        { at: Address, is: Type.Integer({ minimum: 0, maximum: 65_535 }) },
        { ...closed, description: 'A reply in which this register holds this number says nothing' },
      ),
    ),
    stale_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 86_400_000,
        description: 'Default: 3 of its periods, at least 3 s',
      }),
    ),
  },
  { ...closed, description: 'Registers the map defines without a gap; reads never reach beyond' },
);

const names = (metrics: readonly { readonly name: string }[]) =>
  Type.String({ pattern: `^(${metrics.map(metric => metric.name).join('|')})$` });

export const RegistersSection = Type.Object(
  {
    max_registers: Type.Optional(
      Type.Integer({ minimum: 2, maximum: 125, description: 'Most registers per request (default 125)' }),
    ),
    max_coils: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2000, description: 'Most coils per request (default 2000)' }),
    ),
    max_hole: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2000,
        description: 'Most unwanted registers in a row read along within a block (default 16)',
      }),
    ),
    address_step: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 2,
        description: '2 where map addresses count bytes while replies are packed (default 1)',
      }),
    ),
    order: Type.Optional(Order),
    reply_unit_plus: Type.Optional(
      Type.Integer({
        minimum: -255,
        maximum: 255,
        description: 'The device answers as this much more than the unit it was asked as (default 0)',
      }),
    ),
    timeout_ms: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 60_000, description: 'Wait for a reply' }),
    ),
    gap_ms: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10_000, description: 'Pause the device needs between requests' }),
    ),
    answer_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description:
          'How long the device typically takes to answer a request, without the bytes themselves; `check-config` reckons with it (default 10)',
      }),
    ),
    max_in_flight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description: 'Most requests in flight that the device takes, whatever its connection allows',
      }),
    ),
    retries: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 10, description: 'Repeats per round before it counts as failed' }),
    ),
    blocks: Type.Record(Type.String({ pattern: '^[a-z][a-z0-9_]*$' }), Block),
    pack: Type.Record(
      names(REPORTED_PACK_METRICS),
      Type.Union([PackSource, Type.Array(PackSource, { minItems: 1 })]),
      { description: 'By pack metric; of several sources the first whose `use_when` holds' },
    ),
    derived: Type.Optional(
      Type.Record(
        names(REPORTED_PACK_METRICS),
        Type.Object(
          {
            ratio: Type.Tuple([names(REPORTED_PACK_METRICS), names(REPORTED_PACK_METRICS)]),
            scale: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
          },
          closed,
        ),
        { description: 'Pack metrics the device has no register for: the first of two others by the second' },
      ),
    ),
    cells: Type.Optional(
      Type.Record(names(REPORTED_CELL_METRICS), Type.Union([Row, Type.Array(Row, { minItems: 1 })]), {
        description: 'By cell metric; several rows are numbered through',
      }),
    ),
    sensors: Type.Optional(
      Type.Array(Row, { minItems: 1, description: 'Temperature sensors, numbered through all rows' }),
    ),
    alarms: Type.Optional(Type.Array(AlarmSource)),
  },
  closed,
);

export type RegistersSection = Static<typeof RegistersSection>;
export type PackSource = Static<typeof PackSource>;
export type Reference = Static<typeof Reference>;
export type Row = Static<typeof Row>;
export type AlarmSource = Static<typeof AlarmSource>;
