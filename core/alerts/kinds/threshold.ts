/**
 * A quantity beyond a threshold, with hysteresis and an on-delay. One alert per rule and pack, naming the worst cell: a
 * cold night raises one alert a pack, not one a cell. Only good values raise or clear; while a value cannot be trusted
 * its alert stays as it is.
 */
import type { PackReading } from '../../reading/pack-reading.ts';
import type { PackNode, Topology } from '../../topology/topology.ts';
import type { ThresholdRule } from '../alert.ts';
import type { AlertBook, Emit } from '../alert-book.ts';
import { type Measured, measure, thresholdMessage } from '../measure.ts';
import type { PackMoment, PackSubject, RuleKind } from './kind.ts';

export class ThresholdRules implements RuleKind {
  readonly #topology: Topology;
  #rules: readonly ThresholdRule[];
  /** By rule id, then by pack: monotonic time since which the value lies beyond `raise_at`; NaN while it does not. */
  readonly #beyond_since_ms = new Map<string, Float64Array>();
  readonly #measured: Measured = { value: Number.NaN, cell: -1, beyond: 0, usable: false };

  constructor(topology: Topology, rules: readonly ThresholdRule[]) {
    this.#topology = topology;
    this.#rules = rules;
  }

  get rules(): readonly ThresholdRule[] {
    return this.#rules;
  }

  /** What is active stays active until a reading clears it by the new ones. */
  replace(rules: readonly ThresholdRule[]): void {
    this.#rules = rules;
  }

  knows(rule_id: string, node: PackNode): boolean {
    return this.#rules.some(rule => rule.id === rule_id && this.#appliesTo(rule, node));
  }

  judge({ subject, reading }: PackMoment, book: AlertBook, emit: Emit): void {
    if (!reading) return;
    for (const rule of this.#rules) {
      if (!this.#appliesTo(rule, subject.node)) continue;
      measure(rule, reading, this.#measured);
      if (this.#measured.usable) this.#judgeOne(rule, subject, reading, book, emit);
    }
  }

  #judgeOne(
    rule: ThresholdRule,
    subject: PackSubject,
    { t_ms, mono_ms }: PackReading,
    book: AlertBook,
    emit: Emit,
  ): void {
    const since_ms = this.#sinceOf(rule.id);
    const { index } = subject;
    const { value } = this.#measured;
    const sign = rule.direction === 'above' ? 1 : -1;
    if (book.find(rule.id, subject)) {
      if (sign * value >= sign * rule.clear_at) return;
      since_ms[index] = Number.NaN;
      book.clear(rule.id, subject, t_ms, emit);
    } else if (sign * value <= sign * rule.raise_at) since_ms[index] = Number.NaN;
    else {
      if (Number.isNaN(since_ms[index])) since_ms[index] = mono_ms;
      if (mono_ms - since_ms[index] >= rule.delay_ms)
        book.raise(rule, subject, thresholdMessage(rule, this.#measured), t_ms, emit);
    }
  }

  #sinceOf(rule_id: string): Float64Array {
    let since_ms = this.#beyond_since_ms.get(rule_id);
    if (!since_ms) {
      since_ms = new Float64Array(this.#topology.packs.length).fill(Number.NaN);
      this.#beyond_since_ms.set(rule_id, since_ms);
    }
    return since_ms;
  }

  #appliesTo({ chemistry }: ThresholdRule, { battery }: PackNode): boolean {
    return chemistry === undefined || chemistry === this.#topology.batteries[battery].chemistry;
  }
}
