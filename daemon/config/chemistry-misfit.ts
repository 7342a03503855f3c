/** Whether a chemistry goes together with the cells a profile is made for, and with what it takes for a possible voltage. */
import type { Chemistry } from '../../core/topology/topology.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { DEFAULT_RULES } from './default-rules.ts';

/** Undefined: they do, or nobody knows. Where they do not, healthy cells are suspect, or no limit is ever reached. */
export function chemistryMisfit(
  chemistry: Chemistry,
  { id, plausible, chemistries }: Profile,
): { found: string; expected: string } | undefined {
  if (chemistries && !chemistries.includes(chemistry))
    return {
      found: `profile ${id}, a device for cells of ${chemistries.join(' or ')}, in a battery of ${chemistry}`,
      expected: `"chemistry: ${chemistries[0]}", or the profile of another device`,
    };
  const range = plausible?.cell?.voltage_v;
  const limits = DEFAULT_RULES.filter(({ on }) => on.scope === 'cell' && on.metric === 'voltage_v')
    .flatMap(rule => rule.limits.filter(scoped => scoped.chemistry === chemistry))
    .flatMap(({ critical, warning }) => [critical, warning])
    .flatMap(limit => (typeof limit === 'object' && 'otherwise' in limit ? limit.otherwise : limit))
    .filter(limit => typeof limit === 'number');
  if (!range || limits.length === 0) return undefined;
  const [lowest, highest] = [Math.min(...limits), Math.max(...limits)];
  if (range[0] <= lowest && range[1] >= highest) return undefined;
  return {
    found: `profile ${id}, whose cells have ${range[0]} to ${range[1]} V, in a battery of ${chemistry}`,
    expected: `a profile and a chemistry that fit; cells of ${chemistry} raise alerts at ${lowest} and ${highest} V`,
  };
}
