/**
 * The `can` section of a profile: which signals of its DBC carry which metrics. Bits, scales and periods
 * stand in the DBC beside the profile; here stands only what they mean. Values reach the domain in SI units
 * by the DBC's own unit (mV to V), and the sign by the profile's option.
 */
import Type, { type Static } from 'typebox';
import { CELL_METRICS, PACK_METRICS } from '../../core/metrics.ts';

const closed = { additionalProperties: false } as const;

const OptionValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

/** True when a profile option has a value: lets the installer settle what the papers leave open. */
const OptionIs = Type.Object({ option: Type.String(), is: OptionValue }, closed);

const AbsentRaw = Type.Array(Type.Number(), {
  minItems: 1,
  description: 'Raw values by which the device says "I have none"; the value becomes missing',
});

const SignalName = Type.String({ minLength: 1 });

export const PackSignal = Type.Object(
  {
    signal: SignalName,
    negate_when: Type.Optional(OptionIs),
    use_when: Type.Optional(OptionIs),
    absent_raw: Type.Optional(AbsentRaw),
  },
  { ...closed, description: 'One pack metric from one signal' },
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
      Type.String({ description: 'Signal whose bit k says that number `first + k` exists' }),
    ),
  },
  closed,
);

const AlarmLevel = Type.Union([Type.Literal('none'), Type.Literal('warning'), Type.Literal('alarm')]);
const AlarmLevels = Type.Array(AlarmLevel, { minItems: 2, description: 'Level by raw value, from 0' });

export const AlarmSignal = Type.Object({ signal: SignalName, levels: Type.Optional(AlarmLevels) }, closed);

const nameUnion = (metrics: readonly { readonly name: string }[]) => metrics.map(metric => metric.name);

const MessageMapping = Type.Object(
  {
    pack: Type.Optional(
      Type.Record(Type.String({ pattern: `^(${nameUnion(PACK_METRICS).join('|')})$` }), PackSource),
    ),
    alarms: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
        Type.Union([SignalName, Type.Array(AlarmSignal, { minItems: 1 })]),
        { description: 'Device alarm code to the signals that raise it; the highest level counts' },
      ),
    ),
    stale_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 60_000,
        description: 'Default: 3 cycle times of the DBC, 3 s to 60 s',
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
    bitrate: Type.Integer({
      minimum: 10_000,
      maximum: 8_000_000,
      description: 'Bit/s; set on the interface',
    }),
    dbc: Type.String({ pattern: '^[A-Za-z0-9._-]+\\.dbc$', description: 'File beside this profile' }),
    id_plus_address: Type.Optional(
      Type.Boolean({ description: 'The id on the bus is the id of the DBC plus the device address' }),
    ),
    alarm_levels: Type.Optional(AlarmLevels),
    messages: Type.Record(Type.String(), MessageMapping, { description: 'By message name of the DBC' }),
    cells: Type.Optional(
      Type.Record(Type.String({ pattern: `^(${nameUnion(CELL_METRICS).join('|')})$` }), NumberedSignals, {
        description: 'By cell metric',
      }),
    ),
    sensors: Type.Optional(NumberedSignals),
  },
  closed,
);

export type CanSection = Static<typeof CanSection>;
export type PackSignal = Static<typeof PackSignal>;
export type NumberedSignals = Static<typeof NumberedSignals>;
export type AlarmSignal = Static<typeof AlarmSignal>;
export type OptionIs = Static<typeof OptionIs>;
export type AlarmLevelName = Static<typeof AlarmLevel>;
