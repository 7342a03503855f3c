/**
 * Tables of what happens to a battery and when an alert and its notification must come, as a technician reads them:
 *
 *     rule high: cell voltage above 3.65 V critical; hysteresis 0.05 V; raise after 1 s; clear after 2 s
 *     1 s        p1 cell 2 at 3.70 V
 *     2 - 2.5 s  => p1 raised critical
 *
 * A line is about the whole table, or something that happens at a time, or after `=>` what must be seen within a span. All
 * that is seen must stand in the table, in the order in which it is seen. Nothing is left out of the way in between: the
 * pack's state, the sampler, the engine, the alert service, the store on a disk, the notifier; the receiver is a list.
 */
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { makeRule } from '../../core/alerts/testing/make-rule.ts';
import { type Seen, TimeTableSite } from './time-table-site.ts';

const UNITS_MS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 } as const;

export interface TableSetup {
  rule: ThresholdRule;
  packs: number;
  interval_ms: number;
  /** Of the wall clock at the begin, since midnight UTC. */
  clock_ms: number;
  silent_after_ms: number;
  notify:
    | {
        group_ms: number;
        quiet: readonly [from_min: number, to_min: number] | undefined;
        digest_at_min: number | undefined;
        escalate_after_ms: number | undefined;
      }
    | undefined;
}

interface Line {
  readonly number: number;
  readonly text: string;
}
interface Happening extends Line {
  readonly at_ms: number;
}
interface Expected extends Line {
  readonly from_ms: number;
  readonly to_ms: number;
}

interface Table {
  readonly setup: TableSetup;
  readonly happenings: readonly Happening[];
  readonly expected: readonly Expected[];
  readonly end_ms: number;
}

/** Throws what is wrong with the table, or what came otherwise than it says. */
export async function playTable(text: string): Promise<void> {
  const { setup, happenings, expected, end_ms } = readTable(text);
  const site = new TimeTableSite(setup);
  try {
    await site.start();
    for (let at_ms = 0; at_ms <= end_ms; ) {
      for (const happening of happenings.filter(one => one.at_ms === at_ms))
        await site.happen(happening.text).catch(error => {
          throw new Error(`line ${happening.number}, "${happening.text}": ${error.message}`);
        });
      const next = happenings.find(one => one.at_ms > at_ms)?.at_ms ?? Number.POSITIVE_INFINITY;
      const step_ms = Math.min(next - at_ms, setup.interval_ms - (at_ms % setup.interval_ms));
      at_ms += await site.pass(step_ms);
    }
  } finally {
    await site.stop();
  }
  compare(site.seen, expected);
}

function compare(seen: readonly Seen[], expected: readonly Expected[]): void {
  const shown = seen.map(({ at_ms, text }) => `  ${at_ms / 1000} s  ${text}`).join('\n');
  const fail = (message: string) => new Error(`${message}; seen:\n${shown || '  nothing'}`);
  for (const [i, { text, from_ms, to_ms, number }] of expected.entries()) {
    const found = seen[i];
    if (found?.text !== text)
      throw fail(`line ${number}: expected "${text}", seen "${found?.text ?? 'nothing'}"`);
    if (found.at_ms < from_ms || found.at_ms > to_ms)
      throw fail(
        `line ${number}: "${text}" at ${found.at_ms / 1000} s, expected between ${from_ms / 1000} and ${to_ms / 1000} s`,
      );
  }
  if (seen.length > expected.length) throw fail(`"${seen[expected.length].text}" is not in the table`);
}

function readTable(text: string): Table {
  const setup: TableSetup = {
    rule: makeRule({ id: 'high' }),
    packs: 1,
    interval_ms: 500,
    clock_ms: 12 * UNITS_MS.h,
    silent_after_ms: 15_000,
    notify: undefined,
  };
  const happenings: Happening[] = [];
  const expected: Expected[] = [];
  let end_ms: number | undefined;
  text.split('\n').forEach((raw, i) => {
    const line = { number: i + 1, text: raw.trim() };
    if (line.text === '') return;
    const timed = /^([\d.]+ *(?:ms|s|min|h)?)(?: *- *([\d.]+))? *(ms|s|min|h) +(.*)$/.exec(line.text);
    if (!timed) {
      readSetup(setup, line);
      return;
    }
    const [, first, last, unit, rest] = timed;
    const unit_ms = UNITS_MS[unit as keyof typeof UNITS_MS];
    const from_ms = Math.round(Number.parseFloat(first) * unit_ms);
    if (rest.startsWith('=>')) {
      const to_ms = last === undefined ? from_ms : Math.round(Number(last) * unit_ms);
      expected.push({ ...line, text: rest.slice(2).trim(), from_ms, to_ms });
    } else if (rest === 'end') end_ms = from_ms;
    else happenings.push({ ...line, text: rest, at_ms: from_ms });
  });
  const last_ms = Math.max(0, ...expected.map(one => one.to_ms), ...happenings.map(one => one.at_ms));
  return { setup, happenings, expected, end_ms: end_ms ?? last_ms + 10 * setup.interval_ms };
}

function readSetup(setup: TableSetup, { number, text }: Line): void {
  const wrong = () => new Error(`line ${number}: "${text}" is not understood`);
  const notify = () => {
    setup.notify ??= {
      group_ms: 0,
      quiet: undefined,
      digest_at_min: undefined,
      escalate_after_ms: undefined,
    };
    return setup.notify;
  };
  const [, word, rest] = /^([a-z]+)(?: (.*))?$/.exec(text.replace(/^rule high:/, 'rule')) ?? [];
  switch (word) {
    case 'rule':
      setup.rule = readRule(rest, wrong);
      return;
    case 'packs':
      setup.packs = Number(rest);
      return;
    case 'interval':
      setup.interval_ms = durationOf(rest, wrong);
      return;
    case 'silent':
      setup.silent_after_ms = durationOf(rest.replace('after ', ''), wrong);
      return;
    case 'clock':
      setup.clock_ms = minutesOf(rest, wrong) * UNITS_MS.min;
      return;
    case 'notify':
      notify().group_ms = durationOf(rest.replace('after ', ''), wrong);
      return;
    case 'quiet': {
      const [from, to] = rest.split(' - ');
      notify().quiet = [minutesOf(from, wrong), minutesOf(to ?? '', wrong)];
      return;
    }
    case 'digest':
      notify().digest_at_min = minutesOf(rest.replace('at ', ''), wrong);
      return;
    case 'escalate':
      notify().escalate_after_ms = durationOf(rest.replace('after ', ''), wrong);
      return;
    default:
      throw wrong();
  }
}

/** "cell voltage above 3.65 V critical, 3.55 V warning; hysteresis 0.05 V; raise after 1 s; latch" */
function readRule(text: string, wrong: () => Error): ThresholdRule {
  const [what, ...parts] = text.split(';').map(part => part.trim());
  const found = /^(cell voltage|state of charge|temperature) (above|below) (.*)$/.exec(what);
  if (!found) throw wrong();
  const [, quantity, direction, limits] = found;
  const on = {
    'cell voltage': { scope: 'cell', metric: 'voltage_v' },
    'state of charge': { scope: 'pack', metric: 'soc_pct' },
    temperature: { scope: 'pack', metric: 'temperature_c' },
  }[quantity] as ThresholdRule['on'];
  const levels = Object.fromEntries(
    limits.split(',').map(limit => {
      const [, value, severity] = /^ *([\d.]+) *\S+ (critical|warning|info)$/.exec(limit) ?? [];
      if (severity === undefined) throw wrong();
      return [severity, Number(value)];
    }),
  );
  const given: { -readonly [K in keyof ThresholdRule]?: ThresholdRule[K] } = {};
  let hysteresis = 0;
  for (const part of parts) {
    const [, name, value] =
      /^(hysteresis|raise after|critical after|clear after|inhibit|latch) ?(.*)$/.exec(part) ?? [];
    if (name === undefined) throw wrong();
    if (name === 'hysteresis') hysteresis = Number.parseFloat(value);
    else if (name === 'latch') given.latch = true;
    else if (name === 'inhibit') given.inhibit_ms = durationOf(value, wrong);
    else given[`${name.replace(' ', '_') as 'raise_after'}_ms`] = durationOf(value, wrong);
  }
  const timing = { critical_after_ms: given.raise_after_ms ?? 0, ...given };
  return makeRule({
    id: 'high',
    on,
    direction: direction as ThresholdRule['direction'],
    limits: [{ ...levels, hysteresis, from: 'the table' }],
    ...timing,
  });
}

export function durationOf(text: string, wrong: () => Error): number {
  const [, value, unit] = /^([\d.]+) *(ms|s|min|h)$/.exec(text?.trim() ?? '') ?? [];
  if (unit === undefined) throw wrong();
  return Math.round(Number(value) * UNITS_MS[unit as keyof typeof UNITS_MS]);
}

function minutesOf(text: string, wrong: () => Error): number {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(text?.trim() ?? '') ?? [];
  if (minutes === undefined) throw wrong();
  return Number(hours) * 60 + Number(minutes);
}
