/**
 * Rules over readings of the past: which alerts they would have raised, by the engine that judges what comes. Fed pack by
 * pack in the order of time; what a person would have done (acknowledge, shelve) is not known.
 */
import type { PackReading } from '../reading/pack-reading.ts';
import type { Topology } from '../topology/topology.ts';
import { type Alert, type AlertSeverity, SEVERITIES } from './alert.ts';
import { AlertEngine } from './engine.ts';
import type { ThresholdRule } from './rule.ts';

/** Of all that would have been raised the newest are listed, the others counted. */
export const MAX_LISTED = 100;

/** One occurrence. */
export interface ReplayedAlert {
  readonly rule_id: string;
  readonly pack_id: string;
  readonly cell_no: number | null;
  readonly severity: AlertSeverity;
  readonly message: string;
  readonly raised_ms: number;
  /** Null: it would hold at the end of the span. */
  readonly cleared_ms: number | null;
}

export interface Replayed {
  readonly count: number;
  /** Newest first. */
  readonly alerts: readonly ReplayedAlert[];
}

export class RuleReplay {
  readonly #engine: AlertEngine;
  readonly #silent_after_ms: number;
  readonly #last_ms: Float64Array;
  readonly #listed: ReplayedAlert[] = [];
  /** Where in `#listed` an alert whose condition holds stands, counted from the first that was ever listed. */
  readonly #holding = new Map<string, number>();
  #count = 0;

  constructor(topology: Topology, rules: readonly ThresholdRule[], silent_after_ms: number) {
    this.#silent_after_ms = silent_after_ms;
    this.#last_ms = new Float64Array(topology.packs.length).fill(Number.NaN);
    this.#engine = new AlertEngine(topology, rules, {
      silent_after_ms,
      deviceAlarmLabel: (_, code) => code,
      only_thresholds: true,
    });
  }

  /** A reading of a pack, later than the one before; others are passed over. */
  take(pack: number, reading: PackReading, t_ms: number): void {
    const last_ms = this.#last_ms[pack];
    if (t_ms <= last_ms) return;
    const silent_ms = this.#silent_after_ms;
    // Nothing is known of a gap: delays begin again after it.
    if (t_ms - last_ms > silent_ms) {
      const end_ms = last_ms + silent_ms;
      this.#engine.evaluate(pack, { silent_ms }, end_ms, end_ms, this.#emit);
    }
    this.#last_ms[pack] = t_ms;
    reading.pack = pack;
    reading.t_ms = t_ms;
    reading.mono_ms = t_ms;
    this.#engine.evaluate(pack, { reading }, t_ms, t_ms, this.#emit);
  }

  result(): Replayed {
    return { count: this.#count, alerts: this.#listed.toReversed() };
  }

  readonly #emit = (alert: Alert): void => {
    const { id, change, latched_since_ms, cleared_ms } = alert;
    if (change === 'raised' || change === 'recurred') this.#begin(alert);
    else if (change === 'cleared') this.#change(id, { cleared_ms }, true);
    else if (latched_since_ms !== null) this.#change(id, { cleared_ms: latched_since_ms }, true);
    else if (change === 'updated') this.#worsen(alert);
  };

  #begin({ id, rule_id, pack_id, cell_no, severity, message, occurred_ms }: Alert): void {
    this.#holding.set(id, this.#count++);
    this.#listed.push({
      rule_id,
      pack_id: pack_id ?? '',
      cell_no,
      severity,
      message,
      raised_ms: occurred_ms,
      cleared_ms: null,
    });
    if (this.#listed.length > MAX_LISTED) this.#listed.shift();
  }

  #worsen({ id, severity, message, cell_no }: Alert): void {
    const at = this.#at(id);
    const before = at === undefined ? undefined : this.#listed[at];
    if (before && SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(before.severity))
      this.#change(id, { severity, message, cell_no }, false);
  }

  #change(id: string, fields: Partial<ReplayedAlert>, isOver: boolean): void {
    const at = this.#at(id);
    if (at !== undefined) this.#listed[at] = { ...this.#listed[at], ...fields };
    if (isOver) this.#holding.delete(id);
  }

  /** Undefined: it holds no longer, or is no longer listed. */
  #at(id: string): number | undefined {
    const number = this.#holding.get(id);
    const at = number === undefined ? -1 : number - (this.#count - this.#listed.length);
    return at >= 0 ? at : undefined;
  }
}
