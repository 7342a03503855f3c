/**
 * How well alerts serve the people who get them: the figures of ISA-18.2 (2016), clause 16, and EEMUA 191 (2013),
 * appendix 4, over the changes of a span. What is shelved, suppressed or updated is no alert that calls somebody.
 */
import type { AlertSeverity } from '../alerts/alert.ts';

export interface AlertEvent {
  readonly t_ms: number;
  readonly alert_id: string;
  readonly rule_id: string;
  readonly battery_id: string | null;
  readonly pack_id: string | null;
  readonly severity: AlertSeverity;
  readonly change: 'raised' | 'recurred' | 'cleared' | 'acknowledged';
}

export interface FrequentAlert {
  readonly rule_id: string;
  readonly pack_id: string | null;
  readonly count: number;
  /** Of all in the span. */
  readonly share_pct: number;
}

export interface AlertPerformance {
  readonly from_ms: number;
  readonly to_ms: number;
  /** Times that an alert called somebody: raised, or raised again. */
  readonly count: number;
  readonly by_severity: Readonly<Record<AlertSeverity, number>>;
  readonly per_day: number;
  /** Mean and highest of spans of ten minutes; the goal is one, for one person. */
  readonly per_10_min: number;
  readonly peak_10_min: number;
  readonly peak_ms: number | null;
  /** A flood begins with ten alerts in ten minutes and ends with a span of fewer than five. */
  readonly floods: number;
  readonly flood_pct: number;
  /** Rules and packs that came three times within a minute. */
  readonly chattering: readonly FrequentAlert[];
  /** Active for more than a day at the end of the span. */
  readonly stale: readonly {
    readonly rule_id: string;
    readonly pack_id: string | null;
    readonly since_ms: number;
  }[];
  /** The ten most frequent; together they should be few. */
  readonly most_frequent: readonly FrequentAlert[];
  readonly acknowledged: number;
  readonly to_acknowledge_median_ms: number | null;
  readonly to_acknowledge_p90_ms: number | null;
}

const TEN_MINUTES_MS = 600_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FLOOD_BEGINS = 10;
const FLOOD_ENDS_BELOW = 5;
const CHATTER = 3;
const FREQUENT_SHOWN = 10;

/** `events`: of the span, ascending; what was active before it is known by `active_before`. */
export function alertPerformance(
  events: readonly AlertEvent[],
  { from_ms, to_ms }: { readonly from_ms: number; readonly to_ms: number },
  active_before: readonly AlertEvent[] = [],
): AlertPerformance {
  const calls = events.filter(({ change }) => change === 'raised' || change === 'recurred');
  const spans = new Uint32Array(Math.max(1, Math.ceil((to_ms - from_ms) / TEN_MINUTES_MS)));
  for (const { t_ms } of calls) {
    const at = Math.floor((t_ms - from_ms) / TEN_MINUTES_MS);
    spans[Math.min(Math.max(at, 0), spans.length - 1)]++;
  }
  const peak = spans.reduce((highest, count, i) => (count > spans[highest] ? i : highest), 0);
  const { floods, in_flood } = floodsOf(spans);
  const delays = acknowledgeDelays(events);
  const count = calls.length;
  return {
    from_ms,
    to_ms,
    count,
    by_severity: {
      critical: calls.filter(({ severity }) => severity === 'critical').length,
      warning: calls.filter(({ severity }) => severity === 'warning').length,
      info: calls.filter(({ severity }) => severity === 'info').length,
    },
    per_day: rounded((count * DAY_MS) / Math.max(1, to_ms - from_ms)),
    per_10_min: rounded(count / spans.length),
    peak_10_min: spans[peak],
    peak_ms: spans[peak] === 0 ? null : from_ms + peak * TEN_MINUTES_MS,
    floods,
    flood_pct: rounded((100 * in_flood) / spans.length),
    chattering: frequent(
      calls.filter((call, i) => isChatter(calls, call, i)),
      count,
    ),
    stale: staleOf([...active_before, ...events], to_ms),
    most_frequent: frequent(calls, count).slice(0, FREQUENT_SHOWN),
    acknowledged: delays.length,
    to_acknowledge_median_ms: quantile(delays, 0.5),
    to_acknowledge_p90_ms: quantile(delays, 0.9),
  };
}

const keyOf = ({ rule_id, pack_id }: Pick<AlertEvent, 'rule_id' | 'pack_id'>) =>
  `${rule_id} ${pack_id ?? ''}`;
const rounded = (value: number) => Math.round(value * 100) / 100;

function floodsOf(spans: Uint32Array): { floods: number; in_flood: number } {
  let [floods, in_flood, isFlood] = [0, 0, false];
  for (const count of spans) {
    if (!isFlood && count >= FLOOD_BEGINS) {
      isFlood = true;
      floods++;
    } else if (isFlood && count < FLOOD_ENDS_BELOW) isFlood = false;
    if (isFlood) in_flood++;
  }
  return { floods, in_flood };
}

/** The third of one rule and pack within a minute. */
function isChatter(calls: readonly AlertEvent[], call: AlertEvent, i: number): boolean {
  let same = 1;
  for (let before = i - 1; before >= 0 && call.t_ms - calls[before].t_ms < MINUTE_MS; before--)
    if (keyOf(calls[before]) === keyOf(call)) same++;
  return same >= CHATTER;
}

function frequent(calls: readonly AlertEvent[], all: number): FrequentAlert[] {
  const counted = Map.groupBy(calls, keyOf);
  return [...counted.values()]
    .map(same => ({
      rule_id: same[0].rule_id,
      pack_id: same[0].pack_id,
      count: same.length,
      share_pct: rounded((100 * same.length) / Math.max(1, all)),
    }))
    .sort((a, b) => b.count - a.count || (keyOf(a) < keyOf(b) ? -1 : 1));
}

function staleOf(events: readonly AlertEvent[], to_ms: number): AlertPerformance['stale'] {
  const active = new Map<string, AlertEvent>();
  for (const event of events) {
    if (event.change === 'raised' || event.change === 'recurred') active.set(event.alert_id, event);
    else if (event.change === 'cleared') active.delete(event.alert_id);
  }
  return [...active.values()]
    .filter(({ t_ms }) => to_ms - t_ms > DAY_MS)
    .map(({ rule_id, pack_id, t_ms }) => ({ rule_id, pack_id, since_ms: t_ms }));
}

/** From each call to the acknowledgement that came after it, ascending. */
function acknowledgeDelays(events: readonly AlertEvent[]): number[] {
  const called = new Map<string, number>();
  const delays: number[] = [];
  for (const { alert_id, change, t_ms } of events) {
    if (change === 'raised' || change === 'recurred') {
      if (!called.has(alert_id)) called.set(alert_id, t_ms);
    } else if (change === 'acknowledged') {
      const since_ms = called.get(alert_id);
      if (since_ms !== undefined) delays.push(Math.max(0, t_ms - since_ms));
      called.delete(alert_id);
    }
  }
  return delays.sort((a, b) => a - b);
}

/** The nearest rank. */
function quantile(ascending: readonly number[], share: number): number | null {
  return ascending.length === 0 ? null : ascending[Math.ceil(share * ascending.length) - 1];
}
