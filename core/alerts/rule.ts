/** Threshold rules as data: what is judged, the limits and for whom they hold, and how long something must last. */
import type { CellMetricName, PackMetricName } from '../metrics.ts';
import type { Chemistry, PackNode } from '../topology/topology.ts';
import { type AlertSeverity, SEVERITIES } from './alert.ts';
import type { DerivedName } from './derived.ts';

/** When a rule judges: by the current of the pack. `rest`: after a minute without any to speak of. */
export type During = 'charging' | 'discharging' | 'load' | 'rest';

/** What a limit may depend on. `c_rate`: current by the full capacity that the device reports, 1/h. */
export type Condition = 'temperature_c' | 'current_a' | 'c_rate' | 'soc_pct';

/** A multiple of what the device itself reports, its own limit or a limit per volt, and somewhat more. */
export interface LimitOf {
  readonly of: PackMetricName;
  readonly times: number;
  /** In the unit of what is judged; default 0. */
  readonly plus?: number;
}

/**
 * Over one or two conditions, linear in between, at its edges beyond them. `limits` has one entry for each value of the
 * first condition, and in it one for each of the second.
 */
export interface LimitTable {
  readonly over: readonly Condition[];
  /** Ascending, of each condition. */
  readonly at: readonly (readonly number[])[];
  readonly limits: readonly number[] | readonly (readonly number[])[];
  /** Where a condition is not known; absent: nothing is judged then. */
  readonly otherwise?: number;
}

export type Limit = number | LimitOf | LimitTable;

export type Levels = { readonly [Severity in AlertSeverity]?: Limit };

/** For whom limits hold: the first that fits of pack, battery, profile, chemistry, all. At most one is set. */
export interface LimitScope {
  readonly pack?: string;
  readonly battery?: string;
  readonly profile?: string;
  readonly chemistry?: Chemistry;
}

/** What is not given is inherited from the next wider scope. */
export interface ScopedLimits extends LimitScope, Levels {
  readonly hysteresis?: number;
  /** Who says so, for a person to read: "default", "configuration", "settings, version 3". */
  readonly from: string;
}

export interface ThresholdRule {
  readonly id: string;
  readonly label: string;
  readonly on:
    | { readonly scope: 'cell'; readonly metric: CellMetricName }
    | { readonly scope: 'pack'; readonly metric: PackMetricName | DerivedName };
  readonly direction: 'above' | 'below';
  /** Of one scope, the later entry wins. */
  readonly limits: readonly ScopedLimits[];
  /** The value must lie beyond a limit this long before the alert is raised. */
  readonly raise_after_ms: number;
  /** The same for the critical limit. */
  readonly critical_after_ms: number;
  /** The value must be back by more than the hysteresis this long before the alert is cleared. */
  readonly clear_after_ms: number;
  /** Nothing is raised this long after the first reading of a pack. */
  readonly inhibit_ms: number;
  /** Active until it is acknowledged, also when the value is back. */
  readonly latch: boolean;
  /** Judged at these times alone; undefined: always. */
  readonly during?: During | undefined;
  /** Why the limits are these, and what a technician checks first. */
  readonly why?: string | undefined;
  readonly next_check?: string | undefined;
}

/** A rule as it holds for one pack. */
export interface PackRule {
  readonly rule: ThresholdRule;
  /** The most severe first; at least one. */
  readonly levels: readonly PackLevel[];
  readonly hysteresis: number;
}

export interface PackLevel {
  readonly severity: AlertSeverity;
  readonly limit: Limit;
  /** For whom it holds, and who says so: "battery north (configuration)". */
  readonly from: string;
}

export type ScopeName = 'pack' | 'battery' | 'profile' | 'chemistry' | 'all';

/** From the narrowest. */
const SCOPES: readonly ScopeName[] = ['pack', 'battery', 'profile', 'chemistry', 'all'];

export function scopeName(scope: LimitScope): ScopeName {
  return SCOPES.find(name => name === 'all' || scope[name] !== undefined) ?? 'all';
}

/** "battery north"; "all packs". */
export function scopeText(scope: LimitScope): string {
  const name = scopeName(scope);
  return name === 'all' ? 'all packs' : `${name} ${scope[name]}`;
}

/** Undefined: it has no limit for this pack. */
export function ruleOfPack(
  rule: ThresholdRule,
  node: PackNode,
  chemistry: Chemistry | undefined,
): PackRule | undefined {
  const fitting = SCOPES.flatMap(name =>
    rule.limits.filter(limits => scopeName(limits) === name && fits(limits, node, chemistry)).reverse(),
  );
  const levels = SEVERITIES.flatMap(severity => {
    const found = fitting.find(limits => limits[severity] !== undefined);
    const limit = found?.[severity];
    if (found === undefined || limit === undefined) return [];
    return [{ severity, limit, from: `${scopeText(found)} (${found.from})` }];
  });
  if (levels.length === 0) return undefined;
  const hysteresis = fitting.find(limits => limits.hysteresis !== undefined)?.hysteresis ?? 0;
  return { rule, levels, hysteresis };
}

function fits(scope: LimitScope, node: PackNode, chemistry: Chemistry | undefined): boolean {
  return (
    (scope.pack ?? node.id) === node.id &&
    (scope.battery ?? node.battery_id) === node.battery_id &&
    (scope.profile ?? node.profile_id) === node.profile_id &&
    (scope.chemistry ?? chemistry) === chemistry
  );
}

export function isTable(limit: Limit): limit is LimitTable {
  return typeof limit === 'object' && 'over' in limit;
}
