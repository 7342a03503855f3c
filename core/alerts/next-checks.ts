/** What a technician checks first, by rule; of thresholds the rules say it themselves. */
import {
  type Alert,
  CELL_LEAK_RULE,
  CONNECTION_SILENT_RULE,
  DEVICE_ALARM_RULE,
  PACK_APART_RULE,
  PACK_SILENT_RULE,
  TWO_DEVICES_RULE,
  WEAK_CELL_RULE,
} from './alert.ts';
import type { ThresholdRule } from './rule.ts';

const NEXT_CHECKS: Readonly<Record<string, string>> = {
  [PACK_SILENT_RULE]:
    'See whether the device has power and its display is on; then its cable, its address, and the termination of the bus',
  [CONNECTION_SILENT_RULE]:
    'All packs at once: look at what they share, the adapter, its cable, the termination, the network, the supply of the devices',
  [TWO_DEVICES_RULE]:
    'Look for two devices with the same address; give each its own, or on a CAN bus with fixed ids a bus of its own',
  [WEAK_CELL_RULE]:
    'At rest: let the pack balance near full charge, and see in a week whether the cell is apart again; then it discharges itself. Under load alone: check its connections for heat, then its capacity',
  [CELL_LEAK_RULE]:
    'Fully charged, left at rest for a week: whether its voltage falls while its siblings hold. Look for damp, dirt and traces of electrolyte at its terminals and sense wires; a leak that grows is a short within: take the pack out of use and replace the cell',
  [PACK_APART_RULE]:
    'Warmer: its airflow, its place, its connections. Charge apart: whether it carries its share of the current, and its gauge after a full charge. Resistance: its connections and their heat under load. Cells apart: let it balance near full charge, and see which cell it is',
  [DEVICE_ALARM_RULE]:
    'Look the alarm up in the manual of the device; compare with the cell voltages and temperatures of that moment',
  upstream_identity_conflict: 'Find the other box with this gateway_id: a copied card, or a name given twice',
  upstream_down:
    'Check the network and the address, password and rights in database_url; readings are kept meanwhile',
  storage_fault: 'Check whether the disk is full, read-only or worn out; replace a card that fails',
  storage_unreadable: 'Recover what can be recovered from the file in quarantine, then move it away',
  readings_lost: 'Give more room, or bring the central database back; the table `gaps` says which readings',
  storage_nearly_full: 'Bring the central database back, or give more room; see what else fills the disk',
  storage_wal_held: 'End the process that reads the database, or let it read a copy',
  time_uncertain: 'Give the box a time service that it can reach, or confirm its clock on the system page',
  notify_failed:
    'The reason says what the mail server or the webhook answered; send a test from the page System, Notifications',
  certificate_expiring: 'Renew the certificate; the gateway takes it without a restart',
};

export function nextCheckOf(
  { rule_id }: Pick<Alert, 'rule_id'>,
  rules: readonly ThresholdRule[],
): string | null {
  const of_rule = rules.find(({ id }) => id === rule_id);
  const [kind] = rule_id.split('/');
  return of_rule?.next_check ?? NEXT_CHECKS[kind] ?? null;
}
