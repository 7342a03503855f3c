/**
 * Profile: how a device family's frames or registers map to metrics. Data, not code: one YAML file per
 * family in this folder. The header (identity, limits, options, alarms) is the same for both buses;
 * the `can`, `sunspec` or `registers` section is owned by the driver of that bus.
 */
import Type, { type Static } from 'typebox';
import { PROFILE_GRADES } from '../../core/topology/profile-grade.ts';
import { CHEMISTRIES } from '../../core/topology/topology.ts';
import { CanSection } from '../can/can-section.ts';
import { RegistersSection } from '../modbus/registers/registers-section.ts';
import { SunSpecSection } from '../modbus/sunspec/sunspec-section.ts';

const closed = { additionalProperties: false } as const;
const Range = Type.Tuple([Type.Number(), Type.Number()], { description: '[lowest, highest]' });

export const DeviceAlarm = Type.Object(
  {
    code: Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
    label: Type.String({ minLength: 1, description: "The vendor's own words" }),
  },
  closed,
);

export const ProfileOption = Type.Object(
  {
    values: Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), { minItems: 1 }),
    default: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
    doc: Type.String({ minLength: 1, description: 'What it changes, and why the default is what it is' }),
    selects_part: Type.Optional(
      Type.Boolean({
        description: 'Says which part of a unit a pack is: packs that differ in it may share an address',
      }),
    ),
    settled: Type.Optional(
      Type.Boolean({
        description:
          'Which value fits is known beforehand, by model, wiring or what the device says (default false)',
      }),
    ),
  },
  closed,
);

/** Somebody has read a device of the family with it. */
export const HardwareReport = Type.Object(
  {
    by: Type.String({ minLength: 1 }),
    on: Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' }),
    device: Type.String({ minLength: 1, description: 'Model, and firmware where it can be read' }),
  },
  closed,
);

const Sentences = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

/** The YAML file as it stands. */
export const ProfileFile = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]*$', description: 'Same as the file name' }),
    title: Type.String({ minLength: 1 }),
    vendor: Type.String({ minLength: 1 }),
    models: Type.Array(Type.String(), { description: 'Models and firmware it is known to fit' }),
    source: Type.String({ minLength: 1, description: 'Where the layout comes from' }),
    grade: Type.Optional(
      Type.Enum([...PROFILE_GRADES], { description: 'What bears it out; see docs/devices.md' }),
    ),
    hardware_reports: Type.Optional(
      Type.Array(HardwareReport, { minItems: 1, description: 'Who has read a device with it, and when' }),
    ),
    wiring: Type.Optional(Type.String({ minLength: 1, description: 'Bus or line, rate, which port' })),
    device_settings: Type.Optional(Sentences),
    known_issues: Type.Optional(Sentences),
    transport: Type.Union([Type.Literal('can'), Type.Literal('modbus')]),
    address: Type.Optional(
      Type.Object(
        {
          min: Type.Integer({ minimum: 0 }),
          max: Type.Integer({ minimum: 0 }),
          default: Type.Integer({ minimum: 0 }),
        },
        { ...closed, description: 'Bus addresses or unit ids; absent: one device per bus' },
      ),
    ),
    cells: Type.Object(
      { max: Type.Integer({ minimum: 0, maximum: 4096 }) },
      { ...closed, description: 'Most cells one device can report; 0: it reports no single cell' },
    ),
    sensors: Type.Optional(Type.Object({ max: Type.Integer({ minimum: 0, maximum: 4096 }) }, closed)),
    chemistries: Type.Optional(
      Type.Array(Type.Enum([...CHEMISTRIES]), {
        minItems: 1,
        description: 'Of which its cells are where the device is made for some only; `check-config` compares',
      }),
    ),
    plausible: Type.Optional(
      Type.Object(
        {
          pack: Type.Optional(Type.Record(Type.String(), Range)),
          cell: Type.Optional(Type.Record(Type.String(), Range)),
          sensor: Type.Optional(Type.Record(Type.String(), Range)),
        },
        {
          ...closed,
          description: 'Narrower ranges than the metric table; a value outside is kept and marked suspect',
        },
      ),
    ),
    device_alarms: Type.Optional(Type.Array(DeviceAlarm)),
    options: Type.Optional(Type.Record(Type.String(), ProfileOption)),
    can: Type.Optional(CanSection),
    sunspec: Type.Optional(SunSpecSection),
    registers: Type.Optional(RegistersSection),
  },
  closed,
);

export type TransportName = Static<typeof ProfileFile>['transport'];
export type SectionName = 'can' | 'sunspec' | 'registers';

/** Of each transport the sections, of which a profile has exactly one. */
export const PROFILE_SECTIONS: Readonly<Record<TransportName, readonly SectionName[]>> = {
  can: ['can'],
  modbus: ['sunspec', 'registers'],
};

/** A loaded profile: the file's content and the folder it stands in (a DBC named in it lies beside it). */
export type Profile = Static<typeof ProfileFile> & {
  readonly directory: string;
  /** Why the file cannot be used; nothing else is known of the device then, and its packs stay down. */
  readonly fault?: string;
};
export type ProfileOption = Static<typeof ProfileOption>;
