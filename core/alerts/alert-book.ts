/** The alerts that are active: at most one per rule and subject. What raises, updates, clears and adopts them all. */
import type { Alert } from './alert.ts';

/** What alerts are about: a pack, or the gateway itself. */
export interface Subject {
  /** Dense, from 0, within the book. */
  readonly index: number;
  /** Null: the gateway itself. */
  readonly battery_id: string | null;
  readonly pack_id: string | null;
}

/** What a rule has found; absent: it is about no cell, or there is no figure to it. */
export type Found = Pick<Alert, 'message'> & Partial<Pick<Alert, 'cell_no' | 'value' | 'threshold' | 'unit'>>;

export type Emit = (alert: Alert) => void;

const NOTHING = { cell_no: null, value: null, threshold: null, unit: '' };

export class AlertBook {
  readonly #run: string | undefined;
  /** By rule id, then by subject. */
  readonly #active = new Map<string, (Alert | undefined)[]>();

  /** `run` is part of every alert's id: two boots that begin in 1970 raise alerts at the same times. */
  constructor(run?: string) {
    this.#run = run;
  }

  find(rule_id: string, { index }: Subject): Alert | undefined {
    return this.#active.get(rule_id)?.[index];
  }

  /** Newest first. */
  all(): Alert[] {
    const all: Alert[] = [];
    for (const alerts of this.#active.values()) for (const alert of alerts) if (alert) all.push(alert);
    return all.sort((a, b) => b.raised_ms - a.raised_ms);
  }

  raise(
    { id: rule_id, severity }: { readonly id: string; readonly severity: Alert['severity'] },
    subject: Subject,
    found: Found,
    t_ms: number,
    emit: Emit,
  ): void {
    const { battery_id, pack_id } = subject;
    const id = [rule_id, pack_id ?? '', t_ms, ...(this.#run === undefined ? [] : [this.#run])].join(':');
    const alert: Alert = {
      id,
      rule_id,
      severity,
      battery_id,
      pack_id,
      ...NOTHING,
      ...found,
      state: 'active',
      raised_ms: t_ms,
      cleared_ms: null,
    };
    this.#put(subject, alert);
    emit(alert);
  }

  /** It stays the same alert, with what has been found since. */
  update(rule_id: string, subject: Subject, found: Found, emit: Emit): void {
    const before = this.find(rule_id, subject);
    if (!before) return;
    const alert = { ...before, ...NOTHING, ...found };
    this.#put(subject, alert);
    emit(alert);
  }

  /** `last`: what was found last, if that is other than what it was raised with. */
  clear(rule_id: string, subject: Subject, t_ms: number, emit: Emit, last?: Found): void {
    const before = this.find(rule_id, subject);
    const alerts = this.#active.get(rule_id);
    if (!before || !alerts) return;
    alerts[subject.index] = undefined;
    emit({ ...before, ...(last && { ...NOTHING, ...last }), state: 'cleared', cleared_ms: t_ms });
  }

  /**
   * Takes over an alert that was active before a restart. Without a subject, or where there is one already, it is
   * returned cleared, for the caller to record.
   */
  adopt(alert: Alert, subject: Subject | undefined, t_ms: number): Alert | undefined {
    if (!subject || this.find(alert.rule_id, subject))
      return { ...alert, state: 'cleared', cleared_ms: t_ms };
    this.#put(subject, alert);
    return undefined;
  }

  #put({ index }: Subject, alert: Alert): void {
    const alerts = this.#active.get(alert.rule_id) ?? [];
    this.#active.set(alert.rule_id, alerts);
    alerts[index] = alert;
  }
}
