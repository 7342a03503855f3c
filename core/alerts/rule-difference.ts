/** What two sets of rules say otherwise: which rules, what of them, and of which packs. */
import type { Topology } from '../topology/topology.ts';
import { SEVERITIES } from './alert.ts';
import { ruleOfPack, type ScopedLimits, scopeText, type ThresholdRule } from './rule.ts';

export interface RuleDifference {
  readonly rule_id: string;
  readonly label: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly lines: readonly DifferentLine[];
}

export interface DifferentLine {
  /** A key of the rule ("raise_after_ms"), or a limit and for whom it holds ("battery north: warning"). */
  readonly what: string;
  /** Null: it is not said. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Rules that one of the sets alone has, or that say something else; where a limit comes from is no matter. */
export function ruleDifferences(
  before: readonly ThresholdRule[],
  after: readonly ThresholdRule[],
): RuleDifference[] {
  const [old, now] = [before, after].map(rules => new Map(rules.map(rule => [rule.id, rule])));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap(rule_id => {
    const [was, is] = [old.get(rule_id), now.get(rule_id)];
    const lines = differentLines(was ? linesOf(was) : new Map(), is ? linesOf(is) : new Map());
    if (lines.length === 0) return [];
    const kind = was && is ? 'changed' : is ? 'added' : 'removed';
    return [{ rule_id, label: (is ?? was)?.label ?? rule_id, kind, lines }];
  });
}

export function differingRules(before: readonly ThresholdRule[], after: readonly ThresholdRule[]): string[] {
  return ruleDifferences(before, after).map(({ rule_id }) => rule_id);
}

/** Dense indices of the packs for which one of these rules holds otherwise. */
export function differingPacks(
  { packs, batteries }: Topology,
  before: readonly ThresholdRule[],
  after: readonly ThresholdRule[],
): number[] {
  const ids = differingRules(before, after);
  return packs
    .filter(node => {
      const { chemistry } = batteries[node.battery];
      const [held_before, held_after] = [before, after].map(rules =>
        ids.map(id => {
          const rule = rules.find(one => one.id === id);
          const held = rule && ruleOfPack(rule, node, chemistry);
          // What holds for this pack: not the limits of others, nor what is only said.
          return (
            held && [
              keysOf(held.rule),
              held.levels.map(({ severity, limit }) => [severity, limit]),
              held.hysteresis,
            ]
          );
        }),
      );
      return textOf(held_before) !== textOf(held_after);
    })
    .map(({ pack }) => pack);
}

/** Everything that a rule says, but its limits. */
function keysOf({ id: _, limits: __, on, ...keys }: ThresholdRule): Record<string, unknown> {
  return { quantity: `${on.scope} ${on.metric}`, ...keys };
}

function linesOf(rule: ThresholdRule): Map<string, string> {
  const lines = new Map<string, string>();
  for (const [key, value] of Object.entries(keysOf(rule)))
    if (value !== undefined) lines.set(key, textOf(value));
  for (const limits of rule.limits) {
    // Of one scope the later entry wins.
    for (const key of [...SEVERITIES, 'hysteresis'] as const satisfies (keyof ScopedLimits)[])
      if (limits[key] !== undefined) lines.set(`${scopeText(limits)}: ${key}`, textOf(limits[key]));
  }
  return lines;
}

function differentLines(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): DifferentLine[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map(what => ({ what, before: before.get(what) ?? null, after: after.get(what) ?? null }))
    .filter(line => line.before !== line.after);
}

/** Properties in one order, whoever wrote them. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
