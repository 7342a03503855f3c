/**
 * The alerts that are not yet back to normal: at most one per rule and subject. What raises, updates, clears and adopts
 * them all, and what people do with them.
 */
import { type Alert, SEVERITIES, type TakenOut } from './alert.ts';
import {
  type Act,
  acknowledge,
  changed,
  closedIfOver,
  note,
  setService,
  shelve,
  unshelve,
} from './lifecycle.ts';
import type { OutOfService, ServiceOf } from './out-of-service.ts';

/** What alerts are about: a pack, a connection, or the gateway itself. */
export interface Subject {
  /** Dense, from 0, within the book. */
  readonly index: number;
  /** Null: no single battery, or none. */
  readonly battery_id: string | null;
  readonly pack_id: string | null;
  readonly connection_id: string | null;
}

/** What a rule has found; absent: it is about no cell, or there is no figure to it. */
export type Found = Pick<Alert, 'message'> & Partial<Pick<Alert, 'cell_no' | 'value' | 'threshold' | 'unit'>>;

/** The rule that raises: what it is called, how urgent, and whether it keeps its alerts until they are acknowledged. */
export interface Raising {
  readonly id: string;
  readonly severity: Alert['severity'];
  readonly latch?: boolean;
}

export type Emit = (alert: Alert) => void;

/** What was raised before, of one rule and subject. */
type Earlier = Pick<Alert, 'earlier_occurrences' | 'earlier_ms'>;

const NOTHING = { cell_no: null, value: null, threshold: null, unit: '' };
const NEVER: Earlier = { earlier_occurrences: 0, earlier_ms: null };

export class AlertBook {
  readonly #run: string | undefined;
  readonly #serviceOf: ServiceOf;
  /** By rule id, then by subject. */
  readonly #open = new Map<string, (Alert | undefined)[]>();
  readonly #earlier = new Map<string, Earlier>();
  /** Open ones whose rule or subject is not configured now, by id. */
  readonly #lost = new Map<string, Alert>();
  #shelf_ends_ms = Number.POSITIVE_INFINITY;

  /** `run` is part of every alert's id: two boots that begin in 1970 raise alerts at the same times. */
  constructor(run?: string, serviceOf: ServiceOf = () => null) {
    this.#run = run;
    this.#serviceOf = serviceOf;
  }

  /** The alert whose condition holds, as far as is known; what has been cleared or latched is not found. */
  find(rule_id: string, { index }: Subject): Alert | undefined {
    return holding(this.#open.get(rule_id)?.[index]);
  }

  /** The open alerts of a rule by subject, kept up to date: for who looks at every reading. */
  openOf(rule_id: string): readonly (Alert | undefined)[] {
    const alerts = this.#open.get(rule_id) ?? [];
    this.#open.set(rule_id, alerts);
    return alerts;
  }

  /** All that are open, newest first. */
  all(): Alert[] {
    const all = [...this.#lost.values()];
    for (const alerts of this.#open.values()) for (const alert of alerts) if (alert) all.push(alert);
    return all.sort((a, b) => b.raised_ms - a.raised_ms);
  }

  /** Another occurrence, where the alert is still open. */
  raise({ id: rule_id, severity }: Raising, subject: Subject, found: Found, t_ms: number, emit: Emit): void {
    const before = this.#open.get(rule_id)?.[subject.index];
    const condition = { severity, ...NOTHING, ...found, state: 'active', cleared_ms: null } as const;
    const fresh = { unknown_since_ms: null, latched_since_ms: null, suppressed_by: null, occurred_ms: t_ms };
    if (before) {
      const occurrences = before.occurrences + 1;
      const fields = { ...condition, ...fresh, occurrences, acknowledged: null };
      this.#put(subject, changed(before, 'recurred', t_ms, null, fields), emit);
      return;
    }
    const { battery_id, pack_id, connection_id } = subject;
    const about = pack_id ?? connection_id ?? '';
    const id = [rule_id, about, t_ms, ...(this.#run === undefined ? [] : [this.#run])].join(':');
    const alert: Alert = {
      id,
      rule_id,
      battery_id,
      pack_id,
      connection_id,
      ...condition,
      ...fresh,
      raised_ms: t_ms,
      is_open: true,
      occurrences: 1,
      ...(this.#earlier.get(keyOf(rule_id, subject)) ?? NEVER),
      acknowledged: null,
      shelved: null,
      out_of_service: takenOut(this.#serviceOf(rule_id, subject)),
      notes: [],
      change: 'raised',
      changed_ms: t_ms,
      changed_by: null,
    };
    this.#put(subject, alert, emit);
  }

  /** It stays the same alert, with what has been found since. What has become worse is to be acknowledged again. */
  update(
    rule_id: string,
    subject: Subject,
    found: Found,
    t_ms: number,
    emit: Emit,
    severity?: Alert['severity'],
  ): void {
    const before = this.find(rule_id, subject);
    if (!before) return;
    const isWorse =
      severity !== undefined && SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(before.severity);
    const fields = { ...NOTHING, ...found, ...(severity && { severity }) };
    const after = changed(before, 'updated', t_ms, null, {
      ...fields,
      ...(isWorse && { acknowledged: null }),
    });
    this.#put(subject, after, emit);
  }

  /** The condition has ended. `last`: what was found last, if that is other than what it was raised with. */
  clear(rule: Pick<Raising, 'id' | 'latch'>, subject: Subject, t_ms: number, emit: Emit, last?: Found): void {
    const before = this.find(rule.id, subject);
    if (!before) return;
    const known = { unknown_since_ms: null, suppressed_by: null, ...(last && { ...NOTHING, ...last }) };
    if (rule.latch && !before.acknowledged) {
      this.#put(subject, changed(before, 'updated', t_ms, null, { ...known, latched_since_ms: t_ms }), emit);
      return;
    }
    const cleared = { ...known, state: 'cleared', cleared_ms: t_ms } as const;
    this.#put(subject, closedIfOver(changed(before, 'cleared', t_ms, null, cleared)), emit);
  }

  /** Nobody can say since `since_ms` whether the condition holds. */
  setUnknown(rule_id: string, subject: Subject, since_ms: number, t_ms: number, emit: Emit): void {
    const before = this.find(rule_id, subject);
    if (!before || before.unknown_since_ms !== null) return;
    this.#put(subject, changed(before, 'unknown', t_ms, null, { unknown_since_ms: since_ms }), emit);
  }

  /** The condition was judged, and holds. */
  setKnown(rule_id: string, subject: Subject, t_ms: number, emit: Emit): void {
    const before = this.find(rule_id, subject);
    if (!before || before.unknown_since_ms === null) return;
    this.#put(subject, changed(before, 'known', t_ms, null, { unknown_since_ms: null }), emit);
  }

  /** `cause`: id of the alert that says why; null: there is none any more. */
  suppress(rule_id: string, subject: Subject, cause: string | null, t_ms: number, emit: Emit): void {
    const before = this.find(rule_id, subject);
    if (!before || before.suppressed_by === cause) return;
    const change = cause === null ? 'unsuppressed' : 'suppressed';
    this.#put(subject, changed(before, change, t_ms, null, { suppressed_by: cause }), emit);
  }

  /** Ends the shelving of those whose time is over. */
  endShelving(t_ms: number, emit: Emit): void {
    if (t_ms < this.#shelf_ends_ms) return;
    this.#shelf_ends_ms = Number.POSITIVE_INFINITY;
    for (const alert of this.all()) {
      if (!alert.shelved) continue;
      if (alert.shelved.until_ms <= t_ms) this.#act(alert.id, emit, open => unshelve(open, t_ms, null));
      else this.#shelf_ends_ms = Math.min(this.#shelf_ends_ms, alert.shelved.until_ms);
    }
  }

  /** After something was taken out of service or put back, by a person; `by` null: its time is over. */
  applyService(t_ms: number, by: string | null, emit: Emit): void {
    for (const alert of this.all()) {
      const taken = takenOut(this.#serviceOf(alert.rule_id, alert));
      if (!isSame(taken, alert.out_of_service))
        this.#act(alert.id, emit, open => setService(open, taken, t_ms, by));
    }
  }

  /** Undefined, here and below: there is no such open alert. */
  acknowledge(id: string, act: Act, text: string | null, emit: Emit): Alert | undefined {
    return this.#act(id, emit, alert => acknowledge(alert, act, text, this.#lost.has(id)));
  }

  shelve(id: string, act: Act, until_ms: number, reason: string, emit: Emit): Alert | undefined {
    this.#shelf_ends_ms = Math.min(this.#shelf_ends_ms, until_ms);
    return this.#act(id, emit, alert => shelve(alert, act, until_ms, reason));
  }

  unshelve(id: string, { by, at_ms }: Act, emit: Emit): Alert | undefined {
    return this.#act(id, emit, alert => (alert.shelved ? unshelve(alert, at_ms, by) : alert));
  }

  note(id: string, act: Act, text: string, emit: Emit): Alert | undefined {
    return this.#act(id, emit, alert => note(alert, act, text));
  }

  /**
   * Takes over an alert from before a restart. Where there is no subject for it any more it stays open, as nobody can
   * say whether its condition holds, until somebody acknowledges that.
   */
  adopt(alert: Alert, subject: Subject | undefined, t_ms: number, emit: Emit): void {
    if (!alert.is_open) return;
    if (alert.shelved) this.#shelf_ends_ms = Math.min(this.#shelf_ends_ms, alert.shelved.until_ms);
    if (subject && !this.#open.get(alert.rule_id)?.[subject.index]) {
      this.#place(subject, alert);
      return;
    }
    const lost =
      alert.state === 'active' && alert.unknown_since_ms === null
        ? changed(alert, 'unknown', t_ms, null, { unknown_since_ms: t_ms })
        : alert;
    this.#lost.set(lost.id, lost);
    if (lost !== alert) emit(lost);
  }

  /** What was raised before of the rule and subject of an alert that is over. */
  remember(past: Alert): void {
    this.#earlier.set(keyOf(past.rule_id, past), {
      earlier_occurrences: past.earlier_occurrences + past.occurrences,
      earlier_ms: past.occurred_ms,
    });
  }

  #act(id: string, emit: Emit, step: (alert: Alert) => Alert): Alert | undefined {
    const lost = this.#lost.get(id);
    if (lost) {
      const after = step(lost);
      if (after.is_open) this.#lost.set(id, after);
      else this.#lost.delete(id);
      if (after !== lost) emit(after);
      return after;
    }
    for (const alerts of this.#open.values()) {
      const index = alerts.findIndex(alert => alert?.id === id);
      const before = alerts[index];
      if (!before) continue;
      const after = step(before);
      if (after !== before) this.#put({ index }, after, emit);
      return after;
    }
    return undefined;
  }

  #put(subject: Pick<Subject, 'index'>, alert: Alert, emit: Emit): void {
    this.#place(subject, alert);
    if (!alert.is_open) this.remember(alert);
    emit(alert);
  }

  #place({ index }: Pick<Subject, 'index'>, alert: Alert): void {
    const alerts = this.#open.get(alert.rule_id) ?? [];
    this.#open.set(alert.rule_id, alerts);
    alerts[index] = alert.is_open ? alert : undefined;
  }
}

/** The alert, while its condition holds as far as is known. */
export function holding(alert: Alert | undefined): Alert | undefined {
  return alert?.state === 'active' && alert.latched_since_ms === null ? alert : undefined;
}

function takenOut(entry: OutOfService | null): TakenOut | null {
  if (!entry) return null;
  const { by, at_ms, until_ms, reason } = entry;
  return { by, at_ms, until_ms, reason };
}

const isSame = (a: TakenOut | null, b: TakenOut | null) => JSON.stringify(a) === JSON.stringify(b);

function keyOf(rule_id: string, { pack_id, connection_id }: Pick<Alert, 'pack_id' | 'connection_id'>) {
  return `${rule_id} ${pack_id ?? ''} ${connection_id ?? ''}`;
}
