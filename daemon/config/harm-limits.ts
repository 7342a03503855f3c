/** From where on something counts as harm in the account of a pack's life: the critical limits of the default rules. */
import { isTable, ruleOfPack } from '../../core/alerts/rule.ts';
import type { HarmLimit, HarmLimits, HarmName } from '../../core/lifetime/harms.ts';
import type { Chemistry, PackNode, Topology } from '../../core/topology/topology.ts';
import { DEFAULT_RULES } from './default-rules.ts';

const RULES: Readonly<Record<HarmName, string>> = {
  deep_discharge: 'cell_voltage_low',
  over_charge: 'cell_voltage_high',
  high_temperature: 'cell_temperature_high',
  low_temperature: 'cell_temperature_low',
  cold_charge: 'charging_below_freezing',
  hot_charge: 'cell_temperature_high',
};

/** By pack. They stay as they are when a site changes its rules: counts of years must mean one thing. */
export function harmLimits({ packs, batteries }: Topology): HarmLimits[] {
  return packs.map(node => limitsOf(node, batteries[node.battery].chemistry));
}

function limitsOf(node: PackNode, chemistry: Chemistry | undefined): HarmLimits {
  const found = Object.entries(RULES).flatMap(([name, rule_id]) => {
    const rule = DEFAULT_RULES.find(({ id }) => id === rule_id);
    const of_pack = rule && ruleOfPack(rule, node, chemistry);
    const severity = name === 'hot_charge' ? 'warning' : 'critical';
    const limit = of_pack?.levels.find(level => level.severity === severity)?.limit;
    const { hysteresis = 0 } = of_pack ?? {};
    if (typeof limit === 'number') return [[name, { limit, hysteresis } satisfies HarmLimit]];
    if (limit === undefined || !isTable(limit) || limit.otherwise === undefined) return [];
    const under_load = Math.min(...limit.limits.flat());
    return [[name, { limit: limit.otherwise, hysteresis, under_load } satisfies HarmLimit]];
  });
  return Object.fromEntries(found) as HarmLimits;
}
