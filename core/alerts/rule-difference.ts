/** What two sets of rules judge otherwise: which rules, and of which packs. */
import type { Chemistry, PackNode, Topology } from '../topology/topology.ts';
import { ruleOfPack, type ThresholdRule } from './rule.ts';

/** Ids of rules that one of the sets alone has, or that differ in what they judge; where a limit comes from is no matter. */
export function differingRules(before: readonly ThresholdRule[], after: readonly ThresholdRule[]): string[] {
  const [old, now] = [before, after].map(rules => new Map(rules.map(rule => [rule.id, textOf(rule)])));
  return [...new Set([...old.keys(), ...now.keys()])].filter(id => old.get(id) !== now.get(id));
}

/** Dense indices of the packs for which one of these rules holds otherwise. */
export function differingPacks(
  { packs, batteries }: Topology,
  before: readonly ThresholdRule[],
  after: readonly ThresholdRule[],
): number[] {
  const ids = differingRules(before, after);
  const of = (rules: readonly ThresholdRule[], node: PackNode, chemistry: Chemistry | undefined) =>
    ids.map(id => {
      const rule = rules.find(one => one.id === id);
      return rule && ruleOfPack(rule, node, chemistry);
    });
  return packs
    .filter(node => {
      const { chemistry } = batteries[node.battery];
      return heldText(of(before, node, chemistry)) !== heldText(of(after, node, chemistry));
    })
    .map(({ pack }) => pack);
}

/** What holds for a pack: its levels and times, not the limits of others. */
function heldText(held: readonly ReturnType<typeof ruleOfPack>[]): string {
  return JSON.stringify(
    held.map(one => one && { ...one, rule: { ...ordered(one.rule), limits: undefined } }),
    (key, value) => (key === 'from' ? undefined : value),
  );
}

const textOf = (rule: ThresholdRule) =>
  JSON.stringify(ordered(rule), (key, value) => (key === 'from' ? undefined : value));

/** Properties in one order, whoever wrote them. */
function ordered<T extends object>(value: T): T {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, typeof item === 'object' && item !== null ? deeply(item) : item]),
  ) as T;
}

function deeply(value: object): object {
  if (!Array.isArray(value)) return ordered(value);
  return value.map(item => (typeof item === 'object' && item !== null ? deeply(item) : item));
}
