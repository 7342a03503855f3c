/** Thresholds as they were stored before rules had levels: one number to raise at and one to clear at, by rule and level. */

import Type from 'typebox';
import { Compile } from 'typebox/compile';
import type { AlertSeverity } from '../../core/alerts/alert.ts';
import type { RuleChange } from '../../core/contract/rules.ts';
import type { Chemistry } from '../../core/topology/topology.ts';

const FirstForm = Type.Object({
  thresholds: Type.Record(
    Type.String(),
    Type.Object({ raise_at: Type.Number(), clear_at: Type.Number(), delay_ms: Type.Number() }),
  ),
});
const isFirstForm = Compile(FirstForm);

interface Became {
  readonly rule: string;
  readonly level: AlertSeverity;
  readonly chemistry?: Chemistry;
}

/** The default rules of then; own rules kept their ids, with one level. */
const BECAME: Readonly<Record<string, Became>> = {
  cell_voltage_critical_high_lfp: { rule: 'cell_voltage_high', level: 'critical', chemistry: 'lfp' },
  cell_voltage_high_lfp: { rule: 'cell_voltage_high', level: 'warning', chemistry: 'lfp' },
  cell_voltage_low_lfp: { rule: 'cell_voltage_low', level: 'warning', chemistry: 'lfp' },
  cell_voltage_critical_low_lfp: { rule: 'cell_voltage_low', level: 'critical', chemistry: 'lfp' },
  cell_voltage_critical_high_nmc: { rule: 'cell_voltage_high', level: 'critical', chemistry: 'nmc' },
  cell_voltage_high_nmc: { rule: 'cell_voltage_high', level: 'warning', chemistry: 'nmc' },
  cell_voltage_low_nmc: { rule: 'cell_voltage_low', level: 'warning', chemistry: 'nmc' },
  cell_voltage_critical_low_nmc: { rule: 'cell_voltage_low', level: 'critical', chemistry: 'nmc' },
  cell_temperature_critical_high: { rule: 'cell_temperature_high', level: 'critical' },
  cell_temperature_high: { rule: 'cell_temperature_high', level: 'warning' },
  cell_temperature_low: { rule: 'cell_temperature_low', level: 'warning' },
  cell_voltage_spread_high: { rule: 'cell_voltage_spread_load', level: 'warning' },
  soc_low: { rule: 'soc_low', level: 'warning' },
};

/** Undefined: it is not of that form. */
export function changesOfFirstForm(body: unknown): Record<string, RuleChange> | undefined {
  if (!isFirstForm.Check(body)) return undefined;
  const changes: Record<string, RuleChange> = {};
  for (const [id, { raise_at, clear_at, delay_ms }] of Object.entries(body.thresholds)) {
    const { rule, level, chemistry } = BECAME[id] ?? { rule: id, level: 'warning' };
    const hysteresis = Number(Math.abs(raise_at - clear_at).toPrecision(6));
    const limits = { ...(chemistry && { chemistry }), [level]: raise_at, hysteresis };
    const before = changes[rule];
    const delay = level === 'critical' ? { critical_after_ms: delay_ms } : { raise_after_ms: delay_ms };
    changes[rule] = { ...before, ...delay, limits: [...(before?.limits ?? []), limits] };
  }
  return changes;
}
