/** Alert rules in words, and the threshold form's fields as settings. */
import type { RuleView, Settings } from '../../../core/contract/http.ts';

/** Fields are named `<rule>/<quantity>`; rule ids hold no slash. */
export function readThresholds(fields: FormData, rule_ids: readonly string[]): Settings {
  const thresholds: Settings['thresholds'] = {};
  for (const id of rule_ids) {
    thresholds[id] = {
      raise_at: Number(fields.get(`${id}/raise_at`)),
      clear_at: Number(fields.get(`${id}/clear_at`)),
      delay_ms: Math.round(Number(fields.get(`${id}/delay_s`)) * 1000),
    };
  }
  return { thresholds };
}

const CHEMISTRY_WORDS = { lfp: 'LFP batteries', nmc: 'NMC batteries', other: 'batteries of other chemistry' };

/** "Each cell’s voltage, LFP batteries". */
export function describeRule(rule: Pick<RuleView, 'scope' | 'metric_label' | 'chemistry'>): string {
  const { scope, metric_label } = rule;
  const whose =
    scope === 'cell' ? `Each cell’s ${metric_label.replace(/^cell /, '')}` : `The pack’s ${metric_label}`;
  return `${whose}, ${rule.chemistry === null ? 'all batteries' : CHEMISTRY_WORDS[rule.chemistry]}`;
}
