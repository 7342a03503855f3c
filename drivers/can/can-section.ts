/**
 * The `can` section of a profile: which signals of its DBC carry which metrics. Bits, scales and periods
 * stand in the DBC beside the profile; here stands only what they mean. Values reach the domain in SI units
 * by the DBC's own unit (mV to V), and the sign by the profile's option.
 */
import Type, { type Static } from 'typebox';
import { REPORTED_CELL_METRICS, REPORTED_PACK_METRICS } from '../../core/metrics.ts';
import { OptionIs, OptionValue } from '../profiles/option-is.ts';
import { IsoTpSection } from './iso-tp/iso-tp-section.ts';

const closed = { additionalProperties: false } as const;

/** One condition, or several that must all hold. */
const UseWhen = Type.Union([OptionIs, Type.Array(OptionIs, { minItems: 1 })]);

const AbsentRaw = Type.Array(Type.Number(), {
  minItems: 1,
  description: 'Raw values by which the device says "I have none"; the value becomes missing',
});

const SignalName = Type.String({ minLength: 1 });

export const PackSignal = Type.Object(
  {
    signal: SignalName,
    negate_when: Type.Optional(OptionIs),
    magnitude: Type.Optional(
      Type.Boolean({ description: 'The sign is dropped: senders disagree about it, and it says nothing' }),
    ),
    one_when_zero: Type.Optional(
      Type.Boolean({ description: '0 becomes 1, anything else 0: a signal that forbids or faults' }),
    ),
    use_when: Type.Optional(UseWhen),
    absent_raw: Type.Optional(AbsentRaw),
    only_near: Type.Optional(
      Type.Object(
        { signal: SignalName, within: Type.Number({ exclusiveMinimum: 0 }) },
        {
          ...closed,
          description:
            'Used only while this close to another signal of the frame (in the unit of the DBC): a finer ' +
            'value in bytes that other senders use otherwise. In the DBC it stands after the coarse one',
        },
      ),
    ),
  },
  {
    ...closed,
    description: 'One pack metric from one signal; of several the last in the DBC counts',
  },
);

const PackSource = Type.Union([SignalName, PackSignal, Type.Array(PackSignal, { minItems: 1 })]);

const SignalPattern = Type.String({
  pattern: '^[^{}]*\\{n+\\}[^{}]*$',
  description: 'Signal names with the number in place of {n}; {nnn} pads with zeros: Cell{nn}',
});

/** A row of signals numbered through, over any number of messages and multiplexer values. */
export const NumberedSignals = Type.Object(
  {
    signals: SignalPattern,
    first: Type.Integer({ minimum: 0, description: 'Number in the name of the first cell or sensor' }),
    use_when: Type.Optional(UseWhen),
    absent_raw: Type.Optional(AbsentRaw),
    invalid_flags: Type.Optional(
      Type.Object(
        {
          signals: SignalPattern,
          invalid_is: Type.Array(Type.Object({ raw: Type.Number(), when: OptionIs }, closed), {
            description:
              'Raw flag that marks a value invalid, by option; no entry that fits: flags are ignored',
          }),
        },
        { ...closed, description: 'One flag per value; a flagged value is kept and marked suspect' },
      ),
    ),
    present_mask: Type.Optional(
      Type.Union([
        Type.String({ description: 'Signal whose bit k says that number `first + k` exists' }),
        Type.Object(
          {
            signal: SignalName,
            bits: Type.Integer({ minimum: 2, maximum: 53 }),
            highest_is: Type.Literal('first'),
          },
          {
            ...closed,
            description:
              'A mask in each message for the next so many numbers, whose highest bit stands for the first of them',
          },
        ),
      ]),
    ),
  },
  closed,
);

const Numbered = Type.Union([NumberedSignals, Type.Array(NumberedSignals, { minItems: 1 })]);

const AlarmLevel = Type.Union([Type.Literal('none'), Type.Literal('warning'), Type.Literal('alarm')]);
const AlarmLevels = Type.Array(AlarmLevel, { minItems: 2, description: 'Level by raw value, from 0' });

export const AlarmSignal = Type.Object(
  { signal: SignalName, levels: Type.Optional(AlarmLevels), use_when: Type.Optional(UseWhen) },
  closed,
);

const nameUnion = (metrics: readonly { readonly name: string }[]) => metrics.map(metric => metric.name);

const Checksum = Type.Object(
  {
    kind: Type.Union([
      Type.Literal('sum8', { description: 'Lowest 8 bits of the sum of the bytes before it' }),
      Type.Literal('inverted_sum8', { description: 'The same, every bit inverted' }),
      Type.Literal('crc8_85', { description: 'CRC-8 of the bytes before it, polynomial 85 hex' }),
    ]),
    byte: Type.Integer({ minimum: 1, maximum: 63, description: 'Where it stands, from 0' }),
    start: Type.Integer({ minimum: 0, maximum: 255, description: 'What it begins with' }),
    plus_id: Type.Optional(Type.Boolean({ description: 'The id on the bus is added too' })),
  },
  { ...closed, description: 'A frame whose checksum is wrong or missing is dropped and counted' },
);

const Identity = Type.Object(
  {
    message: Type.String({ description: 'Message whose bytes are text, such as the name of the maker' }),
    option: Type.String({ description: 'Option it settles while the installer leaves it at `auto`' }),
    starts_with: Type.Record(Type.String({ minLength: 1 }), OptionValue, {
      description: 'Beginning of the text, capitals and small letters alike, to the value of the option',
    }),
    otherwise: OptionValue,
  },
  { ...closed, description: 'The device says which dialect it speaks' },
);

const Poll = Type.Object(
  {
    reads: Type.String({ minLength: 1, description: 'What it asks for, and where that is documented' }),
    id: Type.Integer({ minimum: 0, maximum: 0x1fffffff, description: 'Id of the request' }),
    extended: Type.Optional(Type.Boolean({ description: '29-bit id (default false)' })),
    data: Type.String({ pattern: '^([0-9A-Fa-f]{2}){0,8}$', description: 'Bytes of the request, as hex' }),
    address_shift: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 24,
        description: 'Device address times 2 to this power is added to the id (default: not addressed)',
      }),
    ),
    interval_ms: Type.Integer({ minimum: 100, maximum: 60_000 }),
    answers: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'Messages the device answers with; a simulated one then sends them when asked only',
      }),
    ),
  },
  { ...closed, description: 'A request that only reads; one that is not known to is refused' },
);

const MessageMapping = Type.Object(
  {
    checksum: Type.Optional(Checksum),
    pack: Type.Optional(
      Type.Record(Type.String({ pattern: `^(${nameUnion(REPORTED_PACK_METRICS).join('|')})$` }), PackSource),
    ),
    alarms: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
        Type.Union([SignalName, Type.Array(AlarmSignal, { minItems: 1 })]),
        {
          description:
            'Device alarm code to the signals that raise it; the highest level counts, over all messages ' +
            'that name the code',
        },
      ),
    ),
    no_reading_when: Type.Optional(
      Type.Object(
        {
          signal: SignalName,
          raw: Type.Number(),
          keeps: Type.Optional(Type.Array(SignalName, { description: 'Signals that hold all the same' })),
        },
        {
          ...closed,
          description:
            'A sleeping controller answers so, with zeros in place of values: nothing of it is used',
        },
      ),
    ),
    stale_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 60_000,
        description: 'Default: 3 cycle times of the DBC, 3 s to 60 s; of replies 3 rounds of reading',
      }),
    ),
    sent_only_while_active: Type.Optional(
      Type.Boolean({
        description: 'Alarms count as none while the pack speaks but this message does not come',
      }),
    ),
  },
  closed,
);

export const CanSection = Type.Object(
  {
    bitrate: Type.Optional(
      Type.Integer({
        minimum: 10_000,
        maximum: 8_000_000,
        description: 'Bit/s; set on the interface; absent where no source says it',
      }),
    ),
    dbc: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9._-]+\\.dbc$', description: 'File beside this profile' }),
    ),
    frames: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'The lines of a DBC (BO_, SG_ and what belongs to them) in place of a file',
      }),
    ),
    id_plus_address: Type.Optional(
      Type.Boolean({ description: 'The id on the bus is the id of the DBC plus the device address' }),
    ),
    absent_extremes_from_bits: Type.Optional(
      Type.Integer({
        minimum: 8,
        maximum: 64,
        description:
          'In signals of at least this many bits all ones (unsigned) or the lowest value (signed) mean "none"',
      }),
    ),
    identity: Type.Optional(Identity),
    polls: Type.Optional(
      Type.Array(Poll, { minItems: 1, description: 'Requests of devices that speak only when asked' }),
    ),
    iso_tp: Type.Optional(IsoTpSection),
    alarm_levels: Type.Optional(AlarmLevels),
    messages: Type.Record(Type.String(), MessageMapping, { description: 'By message name of the DBC' }),
    cells: Type.Optional(
      Type.Record(Type.String({ pattern: `^(${nameUnion(REPORTED_CELL_METRICS).join('|')})$` }), Numbered, {
        description: 'By cell metric',
      }),
    ),
    sensors: Type.Optional(Numbered),
  },
  closed,
);

export type CanSection = Static<typeof CanSection>;
export type PackSignal = Static<typeof PackSignal>;
export type NumberedSignals = Static<typeof NumberedSignals>;
export type AlarmSignal = Static<typeof AlarmSignal>;
export type AlarmLevelName = Static<typeof AlarmLevel>;
export type UseWhen = Static<typeof UseWhen>;
export type Checksum = Static<typeof Checksum>;
export type Poll = Static<typeof Poll>;
