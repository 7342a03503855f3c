/** Alert rules in the configuration file. */
import Type, { type Static } from 'typebox';
import { DERIVED_NAMES } from '../../core/alerts/derived.ts';
import { DURING, hysteresisKey, levelKeys, scopeKeys, timingKeys } from '../../core/contract/rules.ts';
import { CellMetric, type CellMetricName, PackMetric, type PackMetricName } from '../../core/metrics.ts';
import { ChemistryName } from './chemistry-schema.ts';
import { DEFAULTS } from './defaults.ts';

const closed = { additionalProperties: false } as const;
const CELL_QUANTITIES = Object.keys(CellMetric) as CellMetricName[];
const PACK_QUANTITIES = Object.keys(PackMetric) as PackMetricName[];
const Levels = (description: string) => Type.Optional(Type.Object(levelKeys, { ...closed, description }));
const defaults = {
  raise_after_ms: String(DEFAULTS.raise_after_ms),
  critical_after_ms: 'raise_after_ms',
  clear_after_ms: String(DEFAULTS.clear_after_ms),
  inhibit_ms: String(DEFAULTS.inhibit_ms),
};

export const RuleConfig = Type.Object(
  {
    id: Type.String({
      pattern: '^[a-z][a-z0-9_]*$',
      title: 'small letters, digits and "_"',
      description: 'Name of the rule, unique',
    }),
    label: Type.String({ minLength: 1, maxLength: 100, description: 'Shown on the page' }),
    chemistry: Type.Optional(ChemistryName('Only for batteries of this chemistry (default: all)')),
    cell: Type.Optional(
      Type.Enum(CELL_QUANTITIES, { description: 'A quantity of each cell; either `cell` or `pack`' }),
    ),
    pack: Type.Optional(
      Type.Enum([...PACK_QUANTITIES, ...DERIVED_NAMES], {
        description: 'A quantity of the pack; either `cell` or `pack`',
      }),
    ),
    above: Levels('Raised above these limits; either `above` or `below`'),
    below: Levels('Raised below these limits; either `above` or `below`'),
    ...hysteresisKey,
    during: Type.Optional(
      Type.Enum([...DURING], { description: 'Judged at these times alone (default: always)' }),
    ),
    ...timingKeys(defaults),
    why: Type.Optional(Type.String({ maxLength: 500, description: 'Why the limits are these' })),
    next_check: Type.Optional(
      Type.String({ maxLength: 500, description: 'What a technician checks first; shown with the alert' }),
    ),
  },
  closed,
);

export const LimitsConfig = Type.Object(
  {
    rule: Type.String({ minLength: 1, maxLength: 100, description: 'Id of the rule' }),
    ...scopeKeys(ChemistryName('For batteries of this chemistry')),
    ...levelKeys,
    ...hysteresisKey,
  },
  closed,
);

export type RuleConfig = Static<typeof RuleConfig>;
export type LimitsConfig = Static<typeof LimitsConfig>;
