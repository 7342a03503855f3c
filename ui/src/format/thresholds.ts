/** Alert rules in words, and the threshold form's fields as settings. */
import type { RuleView, Settings } from '../../../core/contract/http.ts';
import { t } from '../texts/texts.ts';

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

/** "Each cell’s voltage, LFP batteries". */
export function describeRule(
  rule: Pick<RuleView, 'scope' | 'metric' | 'metric_label' | 'chemistry'>,
): string {
  const { scope, chemistry } = rule;
  const { chemistries, allBatteries, metrics, ofCell, ofPack } = t().thresholds;
  const batteries = chemistry === null ? allBatteries : chemistries[chemistry];
  return (scope === 'cell' ? ofCell : ofPack)(
    metrics[`${scope}.${rule.metric}`] ?? rule.metric_label,
    batteries,
  );
}
