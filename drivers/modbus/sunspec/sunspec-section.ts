/** The `sunspec` section of a profile: which SunSpec models carry which metrics. */
import Type, { type Static } from 'typebox';
import { REPORTED_CELL_METRICS, REPORTED_PACK_METRICS } from '../../../core/metrics.ts';
import { OptionIs } from '../../profiles/option-is.ts';

const closed = { additionalProperties: false } as const;

/** A point of a model's fixed part: "802.SoC". */
const PointRef = Type.String({
  pattern: '^80[234]\\.[A-Za-z][A-Za-z0-9_]*$',
  description: 'Model and point: 802.SoC',
});

const MetricSource = Type.Union([
  PointRef,
  Type.Object(
    {
      point: PointRef,
      negate_when: OptionIs,
    },
    closed,
  ),
]);

const PackPoints = Type.Object(
  Object.fromEntries(REPORTED_PACK_METRICS.map(({ name }) => [name, Type.Optional(MetricSource)])),
  closed,
);

const View = Type.Object({ pack: PackPoints, alarms: Type.Optional(PointRef) }, closed);

const CellPointRef = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_]*$',
  description: 'A point of the cells in model 805',
});
const CellSource = Type.Union([
  CellPointRef,
  Type.Object({ point: CellPointRef, bit: Type.Integer({ minimum: 0, maximum: 31 }) }, closed),
]);

export const SunSpecSection = Type.Object(
  {
    max_registers: Type.Optional(
      Type.Integer({
        minimum: 4,
        maximum: 125,
        description: 'Most registers the device gives per request (default 125)',
      }),
    ),
    bank: Type.Object(View.properties, {
      ...closed,
      description: 'A pack is the whole unit: option `string` is 0 or absent',
    }),
    string: Type.Optional(
      Type.Object(View.properties, {
        ...closed,
        description: 'A pack is one string: option `string` is its Idx in model 804, cells are its 805s',
      }),
    ),
    cells: Type.Object(
      Object.fromEntries(REPORTED_CELL_METRICS.map(({ name }) => [name, Type.Optional(CellSource)])),
      { ...closed, description: 'Cells of all 805 instances, in order of string and module index' },
    ),
    alarm_bits: Type.Optional(
      Type.Array(
        Type.Object(
          {
            bit: Type.Integer({ minimum: 0, maximum: 31 }),
            code: Type.String({ description: 'One of device_alarms' }),
            level: Type.Union([Type.Literal('warning'), Type.Literal('alarm')]),
          },
          closed,
        ),
        { description: 'Bits of the view’s `alarms` point' },
      ),
    ),
  },
  closed,
);

export type SunSpecSection = Static<typeof SunSpecSection>;
export type SunSpecView = Static<typeof View>;
export type MetricSource = Static<typeof MetricSource>;
export type CellSource = Static<typeof CellSource>;
