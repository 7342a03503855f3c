/** What is wrong with limits as people give them: a level outside a worse one, a table with a gap, a rule that never clears. */
import { CELL_METRICS, CellMetric, type Metric, PACK_METRICS, PackMetric } from '../metrics.ts';
import type { Finding, Path } from '../schema/problem.ts';
import { type AlertSeverity, SEVERITIES } from './alert.ts';
import { DERIVED } from './derived.ts';
import { ruleQuantity } from './figures.ts';
import { isTable, type Levels, type Limit, type LimitTable, type ThresholdRule } from './rule.ts';

type Judged = Pick<ThresholdRule, 'on' | 'direction'>;

/** `pathOf` says where a level stands. */
export function limitFaults(
  rule: Judged,
  limits: Levels & { readonly hysteresis?: number },
  pathOf: (key: AlertSeverity | 'hysteresis') => Path,
): Finding[] {
  const faults: Finding[] = [];
  for (const severity of SEVERITIES) {
    const limit = limits[severity];
    if (limit === undefined) continue;
    if (isTable(limit)) faults.push(...tableFaults(limit, pathOf(severity)));
  }
  if (faults.length > 0) return faults;
  return [...orderFaults(rule, limits, pathOf), ...neverClears(rule, limits, pathOf)];
}

function tableFaults({ over, at, limits }: LimitTable, path: Path): Finding[] {
  const faults: Finding[] = [];
  if (over.length === 2 && over[0] === over[1])
    faults.push({ path: [...path, 'over'], found: `${over[0]} twice`, expected: 'two conditions' });
  if (at.length !== over.length)
    faults.push({
      path: [...path, 'at'],
      found: `${at.length} lists`,
      expected: `${over.length}, one for each condition of "over"`,
    });
  at.forEach((values, i) => {
    const wrong = values.findIndex((value, k) => k > 0 && value <= values[k - 1]);
    if (wrong > 0)
      faults.push({
        path: [...path, 'at', i, wrong],
        found: `${values[wrong]} after ${values[wrong - 1]}`,
        expected: 'values in ascending order',
      });
  });
  if (faults.length > 0) return faults;
  const rows: readonly (number | readonly number[])[] = limits;
  if (rows.length !== at[0].length)
    return [
      {
        path: [...path, 'limits'],
        found: `${rows.length} entries`,
        expected: `${at[0].length}, one for each value of ${over[0]}`,
      },
    ];
  rows.forEach((row, i) => {
    const where = { path: [...path, 'limits', i] };
    const at_value = `${over[0]} ${at[0][i]}`;
    if (over.length === 1) {
      if (typeof row !== 'number')
        faults.push({ ...where, found: 'a list', expected: `a limit at ${at_value}` });
    } else if (typeof row === 'number')
      faults.push({ ...where, found: String(row), expected: `a list of limits at ${at_value}` });
    else if (row.length !== at[1].length)
      faults.push({
        ...where,
        found: `${row.length} limits`,
        expected: `${at[1].length} at ${at_value}, one for each value of ${over[1]}`,
      });
  });
  return faults;
}

/** A warning lies inside the critical limit, wherever both are numbers. */
function orderFaults({ direction }: Judged, limits: Levels, pathOf: (key: AlertSeverity) => Path): Finding[] {
  const sign = direction === 'above' ? 1 : -1;
  return SEVERITIES.flatMap((severity, i) => {
    const outer = limits[severity];
    const inside = SEVERITIES.slice(i + 1).find(name => limits[name] !== undefined);
    if (outer === undefined || inside === undefined) return [];
    const isOutside = numbersOf(limits[inside]).some(
      (value, k, all) => all.length === numbersOf(outer).length && sign * value > sign * numbersOf(outer)[k],
    );
    if (!isOutside) return [];
    const side = direction === 'above' ? 'at most' : 'at least';
    return [
      {
        path: pathOf(inside),
        found: textOf(limits[inside]),
        expected: `${side} ${textOf(outer)}, the ${severity} limit`,
      },
    ];
  });
}

/** What is outside of all that is plausible is never reached on the way back. */
function neverClears(
  rule: Judged,
  limits: Levels & { readonly hysteresis?: number },
  pathOf: (key: AlertSeverity | 'hysteresis') => Path,
): Finding[] {
  const { hysteresis = 0 } = limits;
  const { min, max } = rangeOf(rule);
  return SEVERITIES.flatMap(severity => {
    const limit = limits[severity];
    const wrong = numbersOf(limit).find(value =>
      rule.direction === 'above' ? value - hysteresis < min : value + hysteresis > max,
    );
    if (limit === undefined || wrong === undefined) return [];
    const { unit } = ruleQuantity(rule);
    const back = Number(
      (rule.direction === 'above' ? wrong - hysteresis : wrong + hysteresis).toPrecision(6),
    );
    return [
      {
        path: pathOf(hysteresis > 0 ? 'hysteresis' : severity),
        found: hysteresis > 0 ? String(hysteresis) : textOf(limit),
        expected: `a limit and a hysteresis that leave room between ${min} and ${max} ${unit}: it would clear at ${back} ${unit}, never`,
      },
    ];
  }).slice(0, 1);
}

function rangeOf({ on }: Judged): Pick<Metric, 'min' | 'max'> {
  if (on.scope === 'cell') return CELL_METRICS[CellMetric[on.metric]];
  if (on.metric in DERIVED) return { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };
  return PACK_METRICS[PackMetric[on.metric as keyof typeof PackMetric]];
}

/** Empty, where the limit is a multiple of what the device reports. */
function numbersOf(limit: Limit | undefined): readonly number[] {
  if (limit === undefined) return [];
  if (typeof limit === 'number') return [limit];
  return isTable(limit) ? limit.limits.flat() : [];
}

function textOf(limit: Limit | undefined): string {
  if (typeof limit === 'number') return String(limit);
  return limit !== undefined && isTable(limit)
    ? `a table from ${Math.min(...numbersOf(limit))}`
    : 'a multiple';
}
