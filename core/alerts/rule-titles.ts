/** What rules are called where people read of them; thresholds have labels of their own. */
import {
  CELL_LEAK_RULE,
  CONNECTION_SILENT_RULE,
  DEVICE_ALARM_RULE,
  PACK_APART_RULE,
  PACK_SILENT_RULE,
  TWO_DEVICES_RULE,
  WEAK_CELL_RULE,
} from './alert.ts';
import type { ThresholdRule } from './rule.ts';

const TITLES: Readonly<Record<string, string>> = {
  [PACK_SILENT_RULE]: 'Pack is silent',
  [CONNECTION_SILENT_RULE]: 'Connection is silent',
  [TWO_DEVICES_RULE]: 'Two devices in one place',
  [WEAK_CELL_RULE]: 'Weak cell',
  [CELL_LEAK_RULE]: 'Cell loses charge',
  [PACK_APART_RULE]: 'Pack apart from its siblings',
  [DEVICE_ALARM_RULE]: 'Alarm of the device',
  upstream_identity_conflict: 'Another gateway with the same id',
  upstream_down: 'Central database not reached',
  storage_fault: 'Readings are not stored',
  storage_unreadable: 'Stored readings cannot be read',
  readings_lost: 'Readings lost',
  storage_nearly_full: 'Storage nearly full',
  storage_wal_held: 'Storage held by another process',
  time_uncertain: 'Time uncertain',
  certificate_expiring: 'Certificate expires soon',
  notify_failed: 'Notifications do not arrive',
};

/** "Cell temperatures apart", "Alarm of the device: temperature difference"; null: no rule of this name is known. */
export function ruleTitleOf(rule_id: string, rules: readonly ThresholdRule[]): string | null {
  const label = rules.find(({ id }) => id === rule_id)?.label;
  if (label !== undefined) return label;
  const [kind, code] = rule_id.split('/', 2);
  if (!Object.hasOwn(TITLES, kind)) return null;
  return code === undefined ? TITLES[kind] : `${TITLES[kind]}: ${code.replaceAll('_', ' ')}`;
}
