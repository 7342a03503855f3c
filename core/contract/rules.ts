/** Alert rules as people give them: the same shape in the configuration, in the API and in what the page exports. */
import Type, { type Static, type TSchema } from 'typebox';
import { DERIVED_NAMES } from '../alerts/derived.ts';
import { CellMetric, PackMetric, type PackMetricName } from '../metrics.ts';
import { CHEMISTRIES } from '../topology/topology.ts';

const closed = { additionalProperties: false } as const;
const PACK_QUANTITIES = Object.keys(PackMetric) as PackMetricName[];
export const CONDITIONS = ['temperature_c', 'current_a', 'c_rate', 'soc_pct'] as const;

const LimitOf = Type.Object(
  {
    of: Type.Enum(PACK_QUANTITIES, { description: 'What the device reports' }),
    times: Type.Number({ description: 'The limit is so many times that' }),
    plus: Type.Optional(Type.Number({ default: 0, description: 'And so much more' })),
  },
  closed,
);
const LimitTable = Type.Object(
  {
    over: Type.Array(Type.Enum([...CONDITIONS]), {
      minItems: 1,
      maxItems: 2,
      description: 'What the limit depends on; `c_rate` is the current by the full capacity, 1/h',
    }),
    at: Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 50 }), {
      minItems: 1,
      maxItems: 2,
      description: 'Of each condition its values, ascending',
    }),
    limits: Type.Union(
      [Type.Array(Type.Number(), { maxItems: 50 }), Type.Array(Type.Array(Type.Number(), { maxItems: 50 }))],
      {
        description:
          'A limit for each value of the condition; of two conditions, for each value of the first a list with one for each of the second. Linear in between, at its edge beyond',
      },
    ),
    otherwise: Type.Optional(
      Type.Number({ description: 'Where a condition is not known (default: nothing is judged)' }),
    ),
  },
  closed,
);
const LimitValue = (description: string) =>
  Type.Optional(Type.Union([Type.Number(), LimitOf, LimitTable], { description, title: 'a limit' }));

export const levelKeys = {
  critical: LimitValue('Critical beyond this limit'),
  warning: LimitValue('A warning beyond this limit'),
  info: LimitValue('Worth knowing beyond this limit'),
};
const hysteresis = Type.Optional(
  Type.Number({
    minimum: 0,
    description: 'Cleared when the value is back by more than this',
  }),
);
/** `chemistry` has names of its own in the configuration. */
export const scopeKeys = <Chemistry extends TSchema>(chemistry: Chemistry) => ({
  pack: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'For this pack alone' })),
  battery: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'For packs of this battery' }),
  ),
  profile: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'For packs of this profile' }),
  ),
  chemistry: Type.Optional(chemistry),
});

export const ScopedLimits = Type.Object(
  { ...scopeKeys(Type.Enum([...CHEMISTRIES])), ...levelKeys, hysteresis },
  closed,
);
export const hysteresisKey = { hysteresis };

const Duration = (description: string, fallback?: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 7 * 86_400_000,
      description: fallback === undefined ? description : `${description} (default: ${fallback})`,
    }),
  );
export const timingKeys = (defaults: Readonly<Record<string, string>> = {}) => ({
  raise_after_ms: Duration(
    'Raised when the value has been beyond a limit this long',
    defaults.raise_after_ms,
  ),
  critical_after_ms: Duration('The same for the critical limit', defaults.critical_after_ms),
  clear_after_ms: Duration('Cleared when the value has been back this long', defaults.clear_after_ms),
  inhibit_ms: Duration('Nothing is raised this long after the first reading of a pack', defaults.inhibit_ms),
  latch: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Active until it is acknowledged, also when the value is back',
    }),
  ),
});

export const DURING = ['charging', 'discharging', 'load', 'rest'] as const;

/** What an administrator changes of a rule on the page. */
export const RuleChange = Type.Object(
  { limits: Type.Optional(Type.Array(ScopedLimits, { maxItems: 1000 })), ...timingKeys() },
  closed,
);
export type RuleChange = Static<typeof RuleChange>;

/** A whole rule, as an import brings it and the settings keep it. */
export const StoredRule = Type.Object({
  id: Type.String(),
  label: Type.String(),
  on: Type.Union([
    Type.Object({ scope: Type.Literal('cell'), metric: Type.Enum(Object.keys(CellMetric)) }),
    Type.Object({ scope: Type.Literal('pack'), metric: Type.Enum([...PACK_QUANTITIES, ...DERIVED_NAMES]) }),
  ]),
  direction: Type.Enum(['above', 'below']),
  limits: Type.Array(
    Type.Object({
      ...scopeKeys(Type.Enum([...CHEMISTRIES])),
      ...levelKeys,
      ...hysteresisKey,
      from: Type.String(),
    }),
    { minItems: 1 },
  ),
  raise_after_ms: Type.Number(),
  critical_after_ms: Type.Number(),
  clear_after_ms: Type.Number(),
  inhibit_ms: Type.Number(),
  latch: Type.Boolean(),
  during: Type.Optional(Type.Enum([...DURING])),
  why: Type.Optional(Type.String()),
  next_check: Type.Optional(Type.String()),
});
