/**
 * Alert performance by the published definitions, worked out another way than core/reports/alert-performance.ts does, so
 * that one can be held against the other. EEMUA 191 (3rd edition), appendix 4, and ANSI/ISA-18.2-2016, clause 16.5:
 *
 * - average rate: annunciated alarms per ten minutes and operator; one is very likely acceptable;
 * - flood: begins with ten or more in ten minutes, ends with the first ten minutes of fewer than five; less than 1 % of time;
 * - chattering: an alarm that is annunciated three times or more within a minute;
 * - stale: active without a break for more than 24 hours.
 *
 * Ten minutes are those of the clock, counted from the begin of the span.
 */
export interface Annunciation {
  readonly t_ms: number;
  /** Of one rule and subject. */
  readonly tag: string;
}

export interface Judgement {
  readonly count: number;
  readonly average_per_10_min: number;
  readonly most_in_10_min: number;
  readonly floods: number;
  readonly share_of_time_in_flood: number;
  readonly chattering: readonly string[];
}

const TEN_MINUTES_MS = 10 * 60 * 1000;
const MINUTE_MS = 60 * 1000;

export function judgePerformance(
  calls: readonly Annunciation[],
  { from_ms, to_ms }: { readonly from_ms: number; readonly to_ms: number },
): Judgement {
  const intervals = Math.ceil((to_ms - from_ms) / TEN_MINUTES_MS);
  const inInterval = new Map<number, number>();
  for (const { t_ms } of calls) {
    const interval = Math.floor((t_ms - from_ms) / TEN_MINUTES_MS);
    inInterval.set(interval, (inInterval.get(interval) ?? 0) + 1);
  }
  const begins = [...inInterval]
    .flatMap(([interval, count]) => (count >= 10 ? [interval] : []))
    .sort((a, b) => a - b);
  const floods: (readonly [begin: number, end: number])[] = [];
  // Ten in ten minutes within a flood begin no other one.
  for (const begin of begins)
    if (!floods.some(([, end]) => begin < end))
      floods.push([begin, endOfFlood(begin, inInterval, intervals)]);
  return {
    count: calls.length,
    average_per_10_min: calls.length / intervals,
    most_in_10_min: Math.max(0, ...inInterval.values()),
    floods: floods.length,
    share_of_time_in_flood: floods.reduce((sum, [begin, end]) => sum + end - begin, 0) / intervals,
    chattering: chatteringTags(calls),
  };
}

/** The first interval after `begin` with fewer than five. */
function endOfFlood(begin: number, inInterval: ReadonlyMap<number, number>, intervals: number): number {
  let end = begin + 1;
  while (end < intervals && (inInterval.get(end) ?? 0) >= 5) end++;
  return end;
}

function chatteringTags(calls: readonly Annunciation[]): string[] {
  const times = new Map<string, number[]>();
  for (const { tag, t_ms } of calls) times.set(tag, [...(times.get(tag) ?? []), t_ms]);
  const isChattering = (of_tag: readonly number[]) =>
    of_tag.some((t_ms, i) => i >= 2 && t_ms - of_tag[i - 2] < MINUTE_MS);
  return [...times]
    .filter(([, of_tag]) => isChattering(of_tag))
    .map(([tag]) => tag)
    .sort();
}
