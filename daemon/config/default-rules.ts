/**
 * Thresholds that hold where the configuration gives none: limits of lithium cells in general, kept a little
 * wider than what a healthy installation does in daily use. A cell's data sheet knows better; so does an administrator.
 */
import type { AlertSeverity, ThresholdRule } from '../../core/alerts/alert.ts';
import type { Chemistry } from '../../core/topology/topology.ts';

interface VoltageLimits {
  readonly chemistry: Chemistry;
  /** [raise, clear], V */
  readonly critical_high: readonly [number, number];
  readonly high: readonly [number, number];
  readonly low: readonly [number, number];
  readonly critical_low: readonly [number, number];
}

/** End-of-charge voltage is 3.65 V for LFP and 4.20 V for NMC; end of discharge 2.5 V and 3.0 V. */
const VOLTAGE_LIMITS: readonly VoltageLimits[] = [
  {
    chemistry: 'lfp',
    critical_high: [3.75, 3.65],
    high: [3.65, 3.55],
    low: [2.8, 2.9],
    critical_low: [2.5, 2.7],
  },
  {
    chemistry: 'nmc',
    critical_high: [4.25, 4.2],
    high: [4.22, 4.18],
    low: [3.2, 3.3],
    critical_low: [3.0, 3.1],
  },
];

type Threshold = Pick<ThresholdRule, 'direction' | 'raise_at' | 'clear_at' | 'delay_ms'>;
const above = (raise_at: number, clear_at: number, delay_ms: number): Threshold => ({
  direction: 'above',
  raise_at,
  clear_at,
  delay_ms,
});
const below = (raise_at: number, clear_at: number, delay_ms: number): Threshold => ({
  ...above(raise_at, clear_at, delay_ms),
  direction: 'below',
});

function rule(
  id: string,
  label: string,
  severity: AlertSeverity,
  on: ThresholdRule['on'],
  threshold: Threshold,
  chemistry?: Chemistry,
): ThresholdRule {
  return { id, label, severity, on, ...threshold, ...(chemistry && { chemistry }) };
}

const VOLTAGE = { scope: 'cell', metric: 'voltage_v' } as const;
const TEMPERATURE = { scope: 'cell', metric: 'temperature_c' } as const;
const HOTTEST = { scope: 'pack', metric: 'cell_temperature_max_c' } as const;
const SPREAD = { scope: 'pack', metric: 'cell_voltage_spread_v' } as const;
const CHARGE = { scope: 'pack', metric: 'soc_pct' } as const;

function voltageRules({ chemistry, critical_high, high, low, critical_low }: VoltageLimits): ThresholdRule[] {
  return [
    rule(
      `cell_voltage_critical_high_${chemistry}`,
      'Cell over-voltage',
      'critical',
      VOLTAGE,
      above(...critical_high, 4000),
      chemistry,
    ),
    rule(
      `cell_voltage_high_${chemistry}`,
      'Cell voltage high',
      'warning',
      VOLTAGE,
      above(...high, 10_000),
      chemistry,
    ),
    rule(
      `cell_voltage_low_${chemistry}`,
      'Cell voltage low',
      'warning',
      VOLTAGE,
      below(...low, 10_000),
      chemistry,
    ),
    rule(
      `cell_voltage_critical_low_${chemistry}`,
      'Cell under-voltage',
      'critical',
      VOLTAGE,
      below(...critical_low, 4000),
      chemistry,
    ),
  ];
}

export const DEFAULT_RULES: readonly ThresholdRule[] = [
  ...VOLTAGE_LIMITS.flatMap(voltageRules),
  rule(
    'cell_temperature_critical_high',
    'Cell over-temperature',
    'critical',
    TEMPERATURE,
    above(60, 55, 4000),
  ),
  rule('cell_temperature_high', 'Cell temperature high', 'warning', TEMPERATURE, above(55, 50, 10_000)),
  rule('cell_temperature_low', 'Cell temperature low', 'warning', TEMPERATURE, below(0, 3, 10_000)),
  // For packs that report their highest temperature but not where it is.
  rule('pack_temperature_critical_high', 'Pack over-temperature', 'critical', HOTTEST, above(60, 55, 4000)),
  rule('cell_voltage_spread_high', 'Cell voltage spread high', 'warning', SPREAD, above(0.15, 0.1, 10_000)),
  rule('soc_low', 'State of charge low', 'warning', CHARGE, below(10, 15, 30_000)),
];
