/** What the gateway estimates itself of a pack, beside the values of its readings: what that rests on, and what is kept. */
import Type, { type Static } from 'typebox';
import { SOC_BANDS_PCT, TEMPERATURE_BANDS_C } from '../estimate/running/odometer.ts';

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const EstimateBasis = Type.Object({
  reason: nullable(Type.String({ description: 'Why nothing is estimated of the pack; null: something is' })),
  model: nullable(Type.String({ description: 'Name of the cell model; null: there is none' })),
  is_own_model: Type.Boolean({ description: 'A model of these cells; else one of their chemistry' }),
  is_verified: Type.Boolean({ description: 'The model was held against measurements of these cells' }),
  nominal_ah: nullable(Type.Number({ description: 'Of a cell when new' })),
  nominal_from: nullable(
    Type.Enum(['configuration', 'model', 'device'], { description: 'Who says what a new cell holds' }),
  ),
});

export const OdometerView = Type.Object({
  since_ms: nullable(Type.Number({ description: 'Null: nothing was counted yet' })),
  ah_in: Type.Number(),
  ah_out: Type.Number(),
  kwh_in: Type.Number(),
  kwh_out: Type.Number(),
  equivalent_full_cycles: nullable(Type.Number({ description: 'Charge given over the nominal capacity' })),
  hours: Type.Number({ description: 'Counted; gaps are not' }),
  band_hours: Type.Array(Type.Number(), {
    description: `By temperature (upper ends ${TEMPERATURE_BANDS_C.join(', ')} °C, then above), in each by state of charge (upper ends ${SOC_BANDS_PCT.join(', ')} %, then above)`,
  }),
});

const HealthReach = Type.Object({
  soh_pct: Type.Number(),
  from_ms: nullable(Type.Number({ description: 'Null: not within twenty years' })),
  to_ms: nullable(Type.Number({ description: 'Null: not within twenty years' })),
});

export const EstimatesReply = Type.Object({
  pack_id: Type.String(),
  basis: EstimateBasis,
  odometers: Type.Object(
    { place: OdometerView, pack: OdometerView },
    { description: 'Of this place, whatever pack stood in it; and of the pack that stands in it now' },
  ),
  health: Type.Object({
    points: Type.Array(
      Type.Object({
        t_ms: Type.Number(),
        soh_pct: Type.Number({ description: 'Of the weakest cell' }),
        sd_pct: Type.Number(),
      }),
      { description: 'A week apart' },
    ),
    trend: nullable(
      Type.Object(
        {
          per_year_pct: Type.Number(),
          per_year_sd_pct: Type.Number(),
          reaches: Type.Array(HealthReach, { description: 'With 90 % between from_ms and to_ms' }),
        },
        { description: 'Null: less than twelve weeks are known' },
      ),
    ),
  }),
  leaks: nullable(
    Type.Array(
      Type.Object({
        cell_no: Type.Integer(),
        lost_pct_per_day: Type.Number({ description: 'Of its charge, more than its siblings lose' }),
        leak_ma: Type.Number({ description: 'The current that would do it' }),
      }),
      {
        description:
          'Cells that lose charge faster than their siblings, the worst first. Null: less than eight days are known',
      },
    ),
  ),
});

export type EstimateBasis = Static<typeof EstimateBasis>;
export type OdometerView = Static<typeof OdometerView>;
export type EstimatesReply = Static<typeof EstimatesReply>;
