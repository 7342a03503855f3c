/**
 * The alert engine: from what is known of the packs at each moment to raised and cleared alerts. Pure: it holds state,
 * but no clock and no I/O. What is judged is a matter of the kinds of rules.
 */
import type { Topology } from '../topology/topology.ts';
import type { Alert, ThresholdRule } from './alert.ts';
import { AlertBook, type Emit } from './alert-book.ts';
import { DeviceAlarmRules } from './kinds/device-alarms.ts';
import type { PackMoment, PackSubject, RuleKind } from './kinds/kind.ts';
import { SilenceRule } from './kinds/silence.ts';
import { ThresholdRules } from './kinds/threshold.ts';
import { TwoDevicesRule } from './kinds/two-devices.ts';

export interface EngineOptions {
  /** A pack that reports nothing for this long raises `pack_silent`. */
  readonly silent_after_ms: number;
  /** The vendor's words for a device alarm code of a pack. */
  readonly deviceAlarmLabel: (pack: number, code: string) => string;
  /** See AlertBook. */
  readonly run?: string;
}

/** What is known of a pack at a moment; of what is absent there is nothing to be said. */
export type PackFacts = Partial<Omit<PackMoment, 'subject' | 't_ms' | 'mono_ms'>>;

export class AlertEngine {
  readonly #book: AlertBook;
  readonly #subjects: readonly PackSubject[];
  readonly #thresholds: ThresholdRules;
  readonly #kinds: readonly RuleKind[];
  readonly #moment: { -readonly [K in keyof PackMoment]: PackMoment[K] };

  constructor(topology: Topology, rules: readonly ThresholdRule[], options: EngineOptions) {
    this.#book = new AlertBook(options.run);
    this.#subjects = topology.packs.map(node => ({
      index: node.pack,
      battery_id: node.battery_id,
      pack_id: node.id,
      node,
    }));
    this.#thresholds = new ThresholdRules(topology, rules);
    this.#kinds = [
      this.#thresholds,
      new DeviceAlarmRules(options.deviceAlarmLabel),
      new SilenceRule(options.silent_after_ms),
      new TwoDevicesRule(),
    ];
    this.#moment = {
      subject: this.#subjects[0],
      t_ms: 0,
      mono_ms: 0,
      reading: undefined,
      silent_ms: 0,
      silent_reason: undefined,
      two_devices: undefined,
    };
  }

  get rules(): readonly ThresholdRule[] {
    return this.#thresholds.rules;
  }

  /** Replaces thresholds; what is active stays active until a reading clears it by the new ones. */
  replaceRules(rules: readonly ThresholdRule[]): void {
    this.#thresholds.replace(rules);
  }

  /** Newest first. */
  active(): Alert[] {
    return this.#book.all();
  }

  /**
   * Takes over alerts that were active before a restart. Those whose pack or rule is no longer configured
   * are returned cleared, for the caller to record.
   */
  adopt(alerts: readonly Alert[], t_ms: number): Alert[] {
    return alerts.flatMap(alert => {
      const subject = this.#subjects.find(({ pack_id }) => pack_id === alert.pack_id);
      const isKnown = subject && this.#kinds.some(kind => kind.knows(alert.rule_id, subject.node));
      return this.#book.adopt(alert, isKnown ? subject : undefined, t_ms) ?? [];
    });
  }

  /** Judges a pack at one moment; `emit` gets each alert raised or cleared by it. */
  evaluate(pack: number, facts: PackFacts, t_ms: number, mono_ms: number, emit: Emit): void {
    const moment = this.#moment;
    moment.subject = this.#subjects[pack];
    moment.t_ms = t_ms;
    moment.mono_ms = mono_ms;
    moment.reading = facts.reading;
    moment.silent_ms = facts.silent_ms ?? 0;
    moment.silent_reason = facts.silent_reason;
    moment.two_devices = facts.two_devices;
    for (const kind of this.#kinds) kind.judge(moment, this.#book, emit);
  }
}
