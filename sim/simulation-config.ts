/** The `simulation` section of the configuration: the virtual site behind the virtual connections. */
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

export const SimulationFault = Type.Object(
  {
    kind: Type.Union(
      [
        Type.Literal('weak_cell'),
        Type.Literal('overheating'),
        Type.Literal('stuck_sensor'),
        Type.Literal('dead_unit'),
      ],
      { description: 'What goes wrong' },
    ),
    pack: Type.String({ minLength: 1, description: 'Pack id' }),
    cell: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Cell number, counting from 1; needed unless dead_unit' }),
    ),
    after_s: Type.Optional(
      Type.Number({
        minimum: 0,
        description: 'Begins this long after the start, or after it was added, by the clock (default 0)',
      }),
    ),
    for_s: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Ends after this long (default: never)' }),
    ),
  },
  closed,
);

export const SimulationConfig = Type.Object(
  {
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 0xffffffff, description: 'Same seed, same fleet (default 1)' }),
    ),
    load: Type.Optional(
      Type.Union([Type.Literal('solar'), Type.Literal('drive')], {
        description: 'solar: a house with panels through the day; drive: a vehicle (default solar)',
      }),
    ),
    time_scale: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 3600,
        description: 'Simulated seconds per second (default 1)',
      }),
    ),
    start_hour: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 24,
        description: 'Local hour of the day at which the solar day begins (default: now)',
      }),
    ),
    capacity_ah: Type.Optional(
      Type.Number({ minimum: 1, maximum: 10_000, description: 'Capacity of every cell (default 100)' }),
    ),
    faults: Type.Optional(
      Type.Array(SimulationFault, { description: 'What goes wrong, and when (default: nothing)' }),
    ),
  },
  { ...closed, description: 'The virtual site behind the virtual connections' },
);

export type SimulationFault = Static<typeof SimulationFault>;
export type SimulationConfig = Static<typeof SimulationConfig>;
