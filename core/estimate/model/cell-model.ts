/** What a cell is to an estimator: data, as a model file holds it. */
import Type, { type Static } from 'typebox';

export const CHEMISTRIES = ['lfp', 'nmc', 'nca', 'lco', 'lmo', 'lto'] as const;
export type Chemistry = (typeof CHEMISTRIES)[number];

const numbers = (title: string, minimum: number, maximum: number) =>
  Type.Array(Type.Number({ minimum, maximum }), { title, minItems: 1, maxItems: 1000 });
const Temperatures = numbers('temperatures in °C, ascending', -60, 150);
const Socs = numbers('states of charge from 0 to 1, ascending', 0, 1);
/** Rows by temperature, columns by state of charge. */
const grid = (what: string, minimum: number, maximum: number) =>
  Type.Array(numbers(what, minimum, maximum), { title: `rows of ${what}, one per temperature`, minItems: 1 });
const Voltages = grid('voltages', 0.3, 6);
const Gaps = grid('voltages from 0 to 0.3', 0, 0.3);
const Ohms = grid('resistances in ohm', 0, 10);
const closed = { additionalProperties: false };

export const CellModel = Type.Object(
  {
    format: Type.Literal('bms-gateway-cell-model/1'),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    chemistry: Type.Enum([...CHEMISTRIES]),
    /** Where the figures come from, with whom to name. */
    origin: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    licence: Type.String({ minLength: 1 }),
    /** Held against measurements of the same kind of cell; false: from published curves. */
    verified: Type.Boolean(),
    nominal_ah: Type.Number({ exclusiveMinimum: 0, maximum: 100_000 }),
    min_v: Type.Number({ minimum: 0.3, maximum: 6 }),
    max_v: Type.Number({ minimum: 0.3, maximum: 6 }),
    capacity: Type.Object(
      { temperature_c: Temperatures, ah: numbers('capacities in Ah', 1e-6, 200_000) },
      closed,
    ),
    /** The middle between the branches of charge and discharge, and half of what lies between them. */
    ocv: Type.Object(
      { temperature_c: Temperatures, soc: Socs, middle_v: Voltages, half_gap_v: Gaps },
      closed,
    ),
    /** The voltage passes from one branch to the other within about 1 / rate of the capacity. */
    hysteresis_rate: Type.Number({ minimum: 0, maximum: 10_000 }),
    resistance: Type.Object(
      {
        temperature_c: Temperatures,
        soc: Socs,
        series_ohm: Ohms,
        branches: Type.Array(
          Type.Object({ time_constant_s: Type.Number({ minimum: 0.1, maximum: 1e6 }), ohm: Ohms }, closed),
          { maxItems: 3 },
        ),
      },
      closed,
    ),
    /** How far the model's voltage is off on average: for minutes (slow) and from sample to sample (fast). */
    error: Type.Object(
      {
        temperature_c: Temperatures,
        slow_v: numbers('voltages', 0, 1),
        fast_v: numbers('voltages', 0, 1),
        /** Standard deviation of the resistance, as a share of it. */
        resistance_share: numbers('shares', 0, 2),
      },
      closed,
    ),
  },
  closed,
);
export type CellModel = Static<typeof CellModel>;
export type Grid = CellModel['ocv']['middle_v'];
