/** For tests: a rule about cell voltages above 3.65 V that acts at once, but for what is given. */
import type { ThresholdRule } from '../rule.ts';

export function makeRule(given: Partial<ThresholdRule> = {}): ThresholdRule {
  return {
    id: 'cell_voltage_high',
    label: 'Cell voltage high',
    on: { scope: 'cell', metric: 'voltage_v' },
    direction: 'above',
    limits: [{ critical: 3.65, hysteresis: 0.05, from: 'default' }],
    raise_after_ms: 0,
    critical_after_ms: 0,
    clear_after_ms: 0,
    inhibit_ms: 0,
    latch: false,
    ...given,
  };
}
