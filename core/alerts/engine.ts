/**
 * The alert engine: from readings to raised and cleared alerts. Pure: it holds state, but no clock and no I/O.
 *
 * One alert per rule and pack, naming the worst cell: a cold night raises one alert a pack, not one a cell.
 * Only good values raise or clear; while a value cannot be trusted its alert stays as it is.
 */
import { DeviceAlarmLevel, type PackReading } from '../reading/pack-reading.ts';
import type { PackNode, Topology } from '../topology/topology.ts';
import {
  type Alert,
  DEVICE_ALARM_RULE,
  PACK_SILENT_RULE,
  type ThresholdRule,
  TWO_DEVICES_RULE,
} from './alert.ts';
import { type Measured, measure, thresholdMessage } from './measure.ts';

export interface EngineOptions {
  /** A pack that says nothing for this long raises `pack_silent`. */
  readonly silent_after_ms: number;
  /** The vendor's words for a device alarm code of a pack. */
  readonly deviceAlarmLabel: (pack: number, code: string) => string;
  /** Part of every alert's id: two boots that begin in 1970 raise alerts at the same times. */
  readonly run?: string;
}

/** `pack_id` empty: of the gateway itself; no pack has such an id. */
export function alertId(rule_id: string, pack_id: string, t_ms: number, run: string | undefined): string {
  return [rule_id, pack_id, t_ms, ...(run === undefined ? [] : [run])].join(':');
}

/** What one rule knows of one pack. */
interface Watch {
  /** Monotonic time since which the value lies beyond `raise_at`; undefined while it does not. */
  beyond_since_ms: number | undefined;
  active: Alert | undefined;
}

export class AlertEngine {
  readonly #topology: Topology;
  readonly #options: EngineOptions;
  #rules: readonly ThresholdRule[];
  /** By rule id, then by dense pack index. */
  readonly #watches = new Map<string, Watch[]>();
  readonly #measured: Measured = { value: Number.NaN, cell: -1, beyond: 0, usable: false };

  constructor(topology: Topology, rules: readonly ThresholdRule[], options: EngineOptions) {
    this.#topology = topology;
    this.#rules = rules;
    this.#options = options;
  }

  get rules(): readonly ThresholdRule[] {
    return this.#rules;
  }

  /** Replaces thresholds; what is active stays active until a reading clears it by the new ones. */
  replaceRules(rules: readonly ThresholdRule[]): void {
    this.#rules = rules;
  }

  active(): Alert[] {
    const active: Alert[] = [];
    for (const watches of this.#watches.values())
      for (const watch of watches) if (watch?.active) active.push(watch.active);
    return active.sort((a, b) => b.raised_ms - a.raised_ms);
  }

  /**
   * Takes over alerts that were active before a restart. Those whose pack or rule is no longer configured
   * are returned cleared, for the caller to record.
   */
  adopt(alerts: readonly Alert[], t_ms: number): Alert[] {
    const orphans: Alert[] = [];
    for (const alert of alerts) {
      const node = this.#topology.packs.find(pack => pack.id === alert.pack_id);
      if (node && this.#knowsRule(alert.rule_id, node)) this.#watch(alert.rule_id, node.pack).active = alert;
      else orphans.push({ ...alert, state: 'cleared', cleared_ms: t_ms });
    }
    return orphans;
  }

  /** Judges one reading of a pack that is speaking; `emit` gets every alert raised or cleared by it. */
  evaluate(reading: PackReading, emit: (alert: Alert) => void): void {
    const node = this.#topology.packs[reading.pack];
    for (const rule of this.#rules) {
      if (!appliesTo(rule, this.#topology, node)) continue;
      measure(rule, reading, this.#measured);
      if (this.#measured.usable) this.#judge(rule, node, reading, emit);
    }
    this.#judgeDeviceAlarms(node, reading, emit);
  }

  /** Judges how long a pack has been silent; `reason` is what its driver says of it, if anything. */
  evaluateSilence(
    pack: number,
    silent_ms: number,
    t_ms: number,
    reason: string | undefined,
    emit: (alert: Alert) => void,
  ): void {
    const node = this.#topology.packs[pack];
    const watch = this.#watch(PACK_SILENT_RULE, pack);
    if (watch.active) {
      if (silent_ms < this.#options.silent_after_ms) this.#clear(watch, t_ms, emit);
      return;
    }
    if (silent_ms < this.#options.silent_after_ms) return;
    const message = reason ? `No data: ${reason}` : 'No data';
    this.#raise(watch, node, { rule_id: PACK_SILENT_RULE, severity: 'critical', message }, t_ms, emit);
  }

  /** Judges whether two devices answer as one pack; `found`: what they are known by, undefined while there is one. */
  evaluateTwoDevices(
    pack: number,
    found: string | undefined,
    t_ms: number,
    emit: (alert: Alert) => void,
  ): void {
    const watch = this.#watches.get(TWO_DEVICES_RULE)?.[pack];
    if ((found === undefined) === (watch?.active === undefined)) return;
    if (found === undefined) {
      if (watch) this.#clear(watch, t_ms, emit);
      return;
    }
    const message = `${found.slice(0, 1).toUpperCase()}${found.slice(1)}: all its values are suspect`;
    const alert = { rule_id: TWO_DEVICES_RULE, severity: 'critical', message } as const;
    this.#raise(this.#watch(TWO_DEVICES_RULE, pack), this.#topology.packs[pack], alert, t_ms, emit);
  }

  #judge(rule: ThresholdRule, node: PackNode, reading: PackReading, emit: (alert: Alert) => void): void {
    const watch = this.#watch(rule.id, node.pack);
    const { value } = this.#measured;
    const sign = rule.direction === 'above' ? 1 : -1;
    if (watch.active) {
      if (sign * value < sign * rule.clear_at) {
        watch.beyond_since_ms = undefined;
        this.#clear(watch, reading.t_ms, emit);
      }
      return;
    }
    if (sign * value <= sign * rule.raise_at) {
      watch.beyond_since_ms = undefined;
      return;
    }
    watch.beyond_since_ms ??= reading.mono_ms;
    if (reading.mono_ms - watch.beyond_since_ms < rule.delay_ms) return;
    const raised = thresholdMessage(rule, this.#measured);
    this.#raise(watch, node, { rule_id: rule.id, severity: rule.severity, ...raised }, reading.t_ms, emit);
  }

  #judgeDeviceAlarms(node: PackNode, reading: PackReading, emit: (alert: Alert) => void): void {
    const { device_alarms } = reading.shape;
    for (let i = 0; i < device_alarms.length; i++) {
      const level = reading.device_alarm_level[i];
      if (level === DeviceAlarmLevel.unknown) continue;
      const rule_id = `${DEVICE_ALARM_RULE}/${device_alarms[i]}`;
      if (level === DeviceAlarmLevel.none) {
        const watch = this.#watches.get(rule_id)?.[node.pack];
        if (watch?.active) this.#clear(watch, reading.t_ms, emit);
        continue;
      }
      const watch = this.#watch(rule_id, node.pack);
      if (watch.active) continue;
      const isAlarm = level === DeviceAlarmLevel.alarm;
      const label = this.#options.deviceAlarmLabel(node.pack, device_alarms[i]);
      const message = `The device reports ${isAlarm ? 'alarm' : 'warning'}: ${label}`;
      this.#raise(
        watch,
        node,
        { rule_id, severity: isAlarm ? 'critical' : 'warning', message },
        reading.t_ms,
        emit,
      );
    }
  }

  #raise(
    watch: Watch,
    node: PackNode,
    alert: Pick<Alert, 'rule_id' | 'severity' | 'message'> & Partial<Alert>,
    t_ms: number,
    emit: (alert: Alert) => void,
  ): void {
    watch.active = {
      cell_no: null,
      value: null,
      threshold: null,
      unit: '',
      ...alert,
      id: alertId(alert.rule_id, node.id, t_ms, this.#options.run),
      battery_id: node.battery_id,
      pack_id: node.id,
      state: 'active',
      raised_ms: t_ms,
      cleared_ms: null,
    };
    emit(watch.active);
  }

  #clear(watch: Watch, t_ms: number, emit: (alert: Alert) => void): void {
    const alert = watch.active;
    if (!alert) return;
    watch.active = undefined;
    emit({ ...alert, state: 'cleared', cleared_ms: t_ms });
  }

  #watch(rule_id: string, pack: number): Watch {
    let watches = this.#watches.get(rule_id);
    if (!watches) {
      watches = [];
      this.#watches.set(rule_id, watches);
    }
    watches[pack] ??= { beyond_since_ms: undefined, active: undefined };
    return watches[pack];
  }

  #knowsRule(rule_id: string, node: PackNode): boolean {
    if (rule_id === PACK_SILENT_RULE || rule_id === TWO_DEVICES_RULE) return true;
    const [kind, code] = rule_id.split('/');
    if (kind === DEVICE_ALARM_RULE) return node.shape.device_alarms.includes(code);
    return this.#rules.some(rule => rule.id === rule_id && appliesTo(rule, this.#topology, node));
  }
}

function appliesTo(rule: ThresholdRule, topology: Topology, node: PackNode): boolean {
  return rule.chemistry === undefined || rule.chemistry === topology.batteries[node.battery].chemistry;
}
