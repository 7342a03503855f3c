/** The threshold form's fields as settings. */
import type { Settings } from '../../../core/contract/http.ts';

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
