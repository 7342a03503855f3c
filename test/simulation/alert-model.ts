/**
 * What alerts must be, said a second time: by conditions and their delays when something is active, and by the records of
 * the log how an alert may change. Nothing of the engine is used.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import { SEVERITIES } from '../../core/alerts/alert.ts';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { makeRule } from '../../core/alerts/testing/make-rule.ts';

/** Within the hysteresis a value is neither beyond its limit nor back. Far: beyond the critical limit too. */
export const LEVELS = ['inside', 'band', 'beyond', 'far'] as const;
export type Level = (typeof LEVELS)[number];

export const SILENT_AFTER_MS = 15_000;
const RAISE_AFTER_MS = 12_000;
const CLEAR_AFTER_MS = 11_000;
/** The time without a process counts up to this. */
const MAX_OFF_MS = 60_000;

const timing = { raise_after_ms: RAISE_AFTER_MS, critical_after_ms: RAISE_AFTER_MS };
export const RULES: readonly ThresholdRule[] = [
  makeRule({
    id: 'hot',
    on: { scope: 'pack', metric: 'temperature_c' },
    limits: [{ warning: 50, critical: 60, hysteresis: 5, from: 'test' }],
    ...timing,
    clear_after_ms: CLEAR_AFTER_MS,
  }),
  makeRule({
    id: 'low',
    on: { scope: 'pack', metric: 'soc_pct' },
    direction: 'below',
    limits: [{ warning: 20, hysteresis: 5, from: 'test' }],
    ...timing,
    clear_after_ms: CLEAR_AFTER_MS,
    latch: true,
  }),
];
/** Of the limits of a rule, from the most severe on, the place of the warning and of the critical one; -1: there is none. */
const PLACES: Readonly<Record<string, readonly [warning: number, critical: number]>> = {
  hot: [1, 0],
  low: [0, -1],
};
export const VALUES: Readonly<Record<string, Readonly<Record<Level, number>>>> = {
  hot: { inside: 30, band: 47, beyond: 55, far: 65 },
  low: { inside: 60, band: 22, beyond: 12, far: 12 },
};

/** As the gateway keeps it over a restart. */
export interface KeptDelays {
  readonly t_ms: number;
  readonly pending: readonly {
    readonly rule_id: string;
    readonly pack_id: string;
    readonly lasted_ms: readonly (number | null)[];
    readonly back_ms: number | null;
    readonly clear_ms?: number | null;
  }[];
}

interface Watch {
  beyond_ms: number;
  far_ms: number;
  /** Back from critical to warning, or from both. */
  back_ms: number;
  clear_ms: number;
  judged_ms: number;
  is_active: boolean;
  is_critical: boolean;
}

/** Undefined: the pack says nothing. */
export type PackCondition = { readonly levels: Readonly<Record<string, Level>> } | undefined;

export class ConditionModel {
  readonly #watches = new Map<string, Watch>();

  #of(rule_id: string, pack_id: string): Watch {
    const key = `${rule_id} ${pack_id}`;
    const watch = this.#watches.get(key) ?? { ...UNKNOWN };
    this.#watches.set(key, watch);
    return watch;
  }

  /** One moment of one pack. */
  judge(pack_id: string, condition: PackCondition, silent_ms: number, mono_ms: number): void {
    for (const { id } of RULES) {
      const watch = this.#of(id, pack_id);
      if (!condition) {
        if (silent_ms >= SILENT_AFTER_MS || mono_ms - watch.judged_ms > SILENT_AFTER_MS)
          watch.beyond_ms = watch.far_ms = watch.back_ms = watch.clear_ms = Number.NaN;
        continue;
      }
      watch.judged_ms = mono_ms;
      judgeLevel(watch, condition.levels[id], PLACES[id][1] >= 0, mono_ms);
    }
  }

  /** What the gateway keeps of running delays must be what it has seen. */
  checkKept({ pending }: KeptDelays, mono_ms: number): void {
    const lasted = (since_ms: number) => (Number.isNaN(since_ms) ? null : mono_ms - since_ms);
    for (const [key, { beyond_ms, far_ms, back_ms, clear_ms }] of this.#watches) {
      const found = pending.find(one => `${one.rule_id} ${one.pack_id}` === key);
      const of_levels = PLACES[key.split(' ')[0]].map(place => found?.lasted_ms[place] ?? null);
      const kept = [...of_levels, found?.back_ms ?? null, found?.clear_ms ?? null];
      const expected = [beyond_ms, far_ms, back_ms, clear_ms].map(lasted);
      if (String(kept) !== String(expected))
        throw new Error(`of the delays of ${key} ${kept} ms are kept instead of ${expected}`);
    }
  }

  /** The process starts again: with the alerts and delays that are stored. */
  restart(open: readonly Alert[], kept: KeptDelays | undefined, wall_ms: number, mono_ms: number): void {
    this.#watches.clear();
    for (const alert of open)
      if (alert.pack_id && isConditionActive(alert) && RULES.some(({ id }) => id === alert.rule_id))
        Object.assign(this.#of(alert.rule_id, alert.pack_id), {
          is_active: true,
          is_critical: alert.severity === 'critical',
        });
    const off_ms = Math.min(MAX_OFF_MS, Math.max(0, wall_ms - (kept?.t_ms ?? 0)));
    for (const { rule_id, pack_id, lasted_ms, back_ms, clear_ms } of kept?.pending ?? []) {
      const watch = this.#of(rule_id, pack_id);
      const since = (ms: number | null | undefined) => mono_ms - off_ms - (ms ?? Number.NaN);
      const [warning, critical] = PLACES[rule_id];
      watch.beyond_ms = since(lasted_ms[warning]);
      watch.far_ms = since(lasted_ms[critical]);
      watch.back_ms = since(back_ms);
      watch.clear_ms = since(clear_ms);
    }
  }

  /** Throws where the gateway says anything else. */
  check(open: readonly Alert[], packs: readonly PackSilence[]): void {
    for (const [key, { is_active, is_critical }] of this.#watches) {
      const [rule_id, pack_id] = key.split(' ');
      const found = open.find(
        alert => alert.rule_id === rule_id && alert.pack_id === pack_id && isConditionActive(alert),
      );
      const expected = is_active ? (is_critical ? 'critical' : 'warning') : 'not active';
      if ((found?.severity ?? 'not active') !== expected)
        throw new Error(
          `${rule_id} of ${pack_id} is ${found?.severity ?? 'not active'}, expected ${expected}`,
        );
    }
    checkSilence(open, packs);
  }
}

const UNKNOWN: Watch = {
  beyond_ms: Number.NaN,
  far_ms: Number.NaN,
  back_ms: Number.NaN,
  clear_ms: Number.NaN,
  judged_ms: Number.NaN,
  is_active: false,
  is_critical: false,
};

const since = (is_so: boolean, since_ms: number, mono_ms: number) =>
  is_so ? (Number.isNaN(since_ms) ? mono_ms : since_ms) : Number.NaN;

function judgeLevel(watch: Watch, level: Level, has_critical: boolean, mono_ms: number): void {
  const isFar = level === 'far' && has_critical;
  watch.beyond_ms = since(level === 'beyond' || level === 'far', watch.beyond_ms, mono_ms);
  watch.far_ms = since(isFar, watch.far_ms, mono_ms);
  const isDue = mono_ms - watch.beyond_ms >= RAISE_AFTER_MS;
  const isCriticalDue = mono_ms - watch.far_ms >= RAISE_AFTER_MS;
  if (!watch.is_active) {
    watch.back_ms = watch.clear_ms = Number.NaN;
    watch.is_active = isDue;
    watch.is_critical = isDue && isCriticalDue;
    return;
  }
  watch.is_critical ||= isCriticalDue;
  const isBack = level === 'inside';
  // From critical to warning a value goes back as it does from there to nothing.
  watch.back_ms = since(isBack || (watch.is_critical && !isFar), watch.back_ms, mono_ms);
  watch.clear_ms = since(isBack, watch.clear_ms, mono_ms);
  if (mono_ms - watch.clear_ms >= CLEAR_AFTER_MS) {
    watch.is_active = watch.is_critical = false;
    watch.back_ms = watch.clear_ms = Number.NaN;
  } else if (!isBack && mono_ms - watch.back_ms >= CLEAR_AFTER_MS) {
    watch.is_critical = false;
    watch.back_ms = Number.NaN;
  }
}

export const isConditionActive = ({ state, latched_since_ms }: Alert) =>
  state === 'active' && latched_since_ms === null;

export interface PackSilence {
  readonly pack_id: string;
  readonly silent_ms: number;
  /** Whether it has said anything since the process started. */
  readonly is_seen: boolean;
}

/** One cause, one alert; what was not seen since the start is as it was. */
function checkSilence(open: readonly Alert[], packs: readonly PackSilence[]): void {
  const active = (rule_id: string, pack_id: string | null) =>
    open.some(alert => alert.rule_id === rule_id && alert.pack_id === pack_id && isConditionActive(alert));
  const isSilent = ({ silent_ms }: PackSilence) => silent_ms >= SILENT_AFTER_MS;
  const isMany = packs.length > 1;
  const connection = active('connection_silent', null);
  if (isMany && packs.every(isSilent) && !connection)
    throw new Error('all packs are silent, and no alert of their connection');
  if (connection && packs.some(pack => pack.is_seen && !isSilent(pack)))
    throw new Error('an alert of the connection while a pack speaks');
  const isWaiting = isMany && packs.every(({ silent_ms }) => silent_ms >= SILENT_AFTER_MS / 2);
  for (const pack of packs) {
    const found = active('pack_silent', pack.pack_id);
    if (isSilent(pack) && !isWaiting && !connection && !found)
      throw new Error(`${pack.pack_id} is silent without an alert`);
    if (found && pack.is_seen && !isSilent(pack))
      throw new Error(`${pack.pack_id} speaks, and its alert of silence is active`);
  }
}

/** The records of the log in order: how an alert may change, and that there is one at most for each rule and subject. */
export function checkChanges(records: readonly Alert[]): Map<string, Alert> {
  const newest = new Map<string, Alert>();
  const open = new Map<string, string>();
  for (const alert of records) {
    const subject = `${alert.rule_id} ${alert.pack_id} ${alert.connection_id}`;
    const before = newest.get(alert.id);
    const wrong = before ? wrongChange(before, alert) : wrongBegin(alert, open.get(subject));
    if (wrong) throw new Error(`alert ${alert.id}, ${alert.change}: ${wrong}`);
    newest.set(alert.id, alert);
    if (alert.is_open) open.set(subject, alert.id);
    else open.delete(subject);
  }
  return newest;
}

function wrongBegin(alert: Alert, other: string | undefined): string | undefined {
  if (other !== undefined) return `it doubles ${other}, which is open`;
  const isFresh = alert.change === 'raised' && alert.occurrences === 1 && alert.is_open;
  if (!isFresh || alert.acknowledged || alert.shelved) return 'it does not begin by being raised';
  return undefined;
}

function wrongChange(before: Alert, after: Alert): string | undefined {
  const { change } = after;
  if (!before.is_open) return 'it was over';
  if (change === 'raised') return 'it is raised twice';
  if (after.raised_ms !== before.raised_ms) return 'it was raised at another time before';
  const recurs = change === 'recurred' ? 1 : 0;
  if (after.occurrences !== before.occurrences + recurs)
    return `occurrence ${after.occurrences} after ${before.occurrences}`;
  if (change === 'recurred' && isConditionActive(before)) return 'it was active';
  const isWorse = SEVERITIES.indexOf(after.severity) < SEVERITIES.indexOf(before.severity);
  if (before.acknowledged && !after.acknowledged && change !== 'recurred' && !isWorse)
    return 'it is to be acknowledged again, unasked';
  if (!before.acknowledged && after.acknowledged && change !== 'acknowledged')
    return 'nobody has acknowledged it';
  if (before.shelved && !after.shelved) {
    const isOver = after.changed_by !== null || after.changed_ms >= before.shelved.until_ms;
    if (change !== 'unshelved' || !isOver) return 'it leaves the shelf before its time';
  }
  if (!before.shelved && after.shelved && change !== 'shelved') return 'nobody has shelved it';
  const kept = after.notes.slice(0, before.notes.length);
  if (JSON.stringify(kept) !== JSON.stringify(before.notes)) return 'a note is lost';
  return undefined;
}
