/**
 * The alert engine: from what is known of the packs at each moment to alerts and their changes. Pure: it holds state,
 * but no clock and no I/O. What is judged is a matter of the kinds of rules.
 */
import type { Topology } from '../topology/topology.ts';
import type { Alert } from './alert.ts';
import { AlertBook, type Emit, type Subject } from './alert-book.ts';
import { CellLeakRule } from './kinds/cell-leak.ts';
import { DeviceAlarmRules } from './kinds/device-alarms.ts';
import type { PackMoment, PackSubject, Pending, RuleKind } from './kinds/kind.ts';
import { PackApartRule } from './kinds/pack-apart.ts';
import { SilenceRule } from './kinds/silence.ts';
import { ThresholdRules } from './kinds/threshold.ts';
import { TwoDevicesRule } from './kinds/two-devices.ts';
import { WeakCellRule } from './kinds/weak-cell.ts';
import type { ServiceOf } from './out-of-service.ts';
import type { PackRule, ThresholdRule } from './rule.ts';

export interface EngineOptions {
  /** A pack that reports nothing for this long raises `pack_silent`; all packs of a connection, `connection_silent`. */
  readonly silent_after_ms: number;
  /** The vendor's words for a device alarm code of a pack. */
  readonly deviceAlarmLabel: (pack: number, code: string) => string;
  /** See AlertBook. */
  readonly run?: string;
  readonly serviceOf?: ServiceOf;
  /** For a replay: nothing but thresholds is judged. */
  readonly only_thresholds?: boolean;
}

/** What is known of a pack at a moment; of what is absent there is nothing to be said. */
export type PackFacts = Partial<
  Pick<
    PackMoment,
    'reading' | 'silent_ms' | 'silent_reason' | 'two_devices' | 'weak_cells' | 'leaking' | 'apart' | 'doubts'
  >
>;

export class AlertEngine {
  readonly book: AlertBook;
  readonly #subjects: readonly PackSubject[];
  readonly #thresholds: ThresholdRules;
  readonly #silence: SilenceRule;
  readonly #kinds: readonly RuleKind[];
  readonly #moment: { -readonly [K in keyof PackMoment]: PackMoment[K] };

  constructor(topology: Topology, rules: readonly ThresholdRule[], options: EngineOptions) {
    this.book = new AlertBook(options.run, options.serviceOf);
    this.#subjects = topology.packs.map(node => ({
      index: node.pack,
      battery_id: node.battery_id,
      pack_id: node.id,
      connection_id: null,
      node,
    }));
    this.#thresholds = new ThresholdRules(topology, rules, this.book);
    this.#silence = new SilenceRule(topology);
    const others = [
      new DeviceAlarmRules(topology.packs, this.book, options.deviceAlarmLabel),
      this.#silence,
      new TwoDevicesRule(),
      new CellLeakRule(),
      new PackApartRule(),
      new WeakCellRule(pack => this.#thresholds.spreadLimit(pack)),
    ];
    this.#kinds = [this.#thresholds, ...(options.only_thresholds ? [] : others)];
    this.#moment = {
      subject: this.#subjects[0],
      t_ms: 0,
      mono_ms: 0,
      silent_after_ms: options.silent_after_ms,
      reading: undefined,
      silent_ms: 0,
      is_silent: false,
      silent_reason: undefined,
      two_devices: undefined,
      weak_cells: undefined,
      leaking: undefined,
      apart: undefined,
      doubts: undefined,
    };
  }

  get rules(): readonly ThresholdRule[] {
    return this.#thresholds.rules;
  }

  /** The thresholds of one pack, each limit with where it comes from. */
  rulesOfPack(pack: number): readonly PackRule[] {
    return this.#thresholds.ofPack(pack);
  }

  /** Replaces thresholds; what is active stays active until a reading clears it by the new ones. */
  replaceRules(rules: readonly ThresholdRule[]): void {
    this.#thresholds.replace(rules);
  }

  /** Delays that run: what is beyond a limit, or back, but not yet for long enough. */
  pending(mono_ms: number): Pending[] {
    return this.#kinds.flatMap(kind => kind.pending?.(mono_ms) ?? []);
  }

  resume(pending: readonly Pending[], mono_ms: number): void {
    for (const kind of this.#kinds) kind.resume?.(pending, mono_ms);
  }

  /** Takes over open alerts from before a restart. Those whose pack or rule is no longer configured are unknown now. */
  adopt(alerts: readonly Alert[], t_ms: number, emit: Emit): void {
    for (const alert of alerts) this.book.adopt(alert, this.#subjectOf(alert), t_ms, emit);
  }

  /** Judges a pack at one moment; `emit` gets each alert that changes by it. */
  evaluate(pack: number, facts: PackFacts, t_ms: number, mono_ms: number, emit: Emit): void {
    const moment = this.#moment;
    moment.subject = this.#subjects[pack];
    moment.t_ms = t_ms;
    moment.mono_ms = mono_ms;
    moment.silent_ms = facts.silent_ms ?? 0;
    moment.is_silent = moment.silent_ms >= moment.silent_after_ms;
    // Of a device that is off there is nothing to be said but that.
    moment.reading = moment.is_silent ? undefined : facts.reading;
    moment.silent_reason = facts.silent_reason;
    moment.two_devices = facts.two_devices;
    moment.weak_cells = facts.weak_cells;
    moment.leaking = facts.leaking;
    moment.apart = facts.apart;
    moment.doubts = facts.doubts;
    for (const kind of this.#kinds) kind.judge(moment, this.book, emit);
  }

  /** After all packs of a moment were judged. */
  finish(t_ms: number, mono_ms: number, emit: Emit): void {
    this.#moment.t_ms = t_ms;
    this.#moment.mono_ms = mono_ms;
    for (const kind of this.#kinds) kind.finish?.(this.#moment, this.book, emit);
    this.book.endShelving(t_ms, emit);
  }

  /** Whether alerts of this rule can be raised of a pack. */
  hasRule(rule_id: string, pack: number): boolean {
    return this.#kinds.some(kind => kind.knows(rule_id, this.#subjects[pack].node));
  }

  #subjectOf({ rule_id, pack_id, connection_id }: Alert): Subject | undefined {
    if (pack_id === null) return this.#silence.connectionOf(rule_id, connection_id);
    const subject = this.#subjects.find(one => one.pack_id === pack_id);
    return subject && this.#kinds.some(kind => kind.knows(rule_id, subject.node)) ? subject : undefined;
  }
}
