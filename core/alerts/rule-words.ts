/** What built-in rules are called and what a technician checks first; of thresholds the rules say it themselves. */
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

interface RuleWords {
  readonly title: string;
  readonly next_check: string;
}

const RULE_WORDS: Readonly<Record<string, RuleWords>> = {
  [PACK_SILENT_RULE]: {
    title: 'Pack is silent',
    next_check:
      'See whether the device has power and its display is on; then its cable, its address, and the termination of the bus',
  },
  [CONNECTION_SILENT_RULE]: {
    title: 'Connection is silent',
    next_check:
      'All packs at once: look at what they share, the adapter, its cable, the termination, the network, the supply of the devices',
  },
  [TWO_DEVICES_RULE]: {
    title: 'Two devices in one place',
    next_check:
      'Look for two devices with the same address; give each its own, or on a CAN bus with fixed ids a bus of its own',
  },
  [WEAK_CELL_RULE]: {
    title: 'Weak cell',
    next_check:
      'At rest: let the pack balance near full charge, and see in a week whether the cell is apart again; then it discharges itself. Under load alone: check its connections for heat, then its capacity',
  },
  [CELL_LEAK_RULE]: {
    title: 'Cell loses charge',
    next_check:
      'Fully charged, left at rest for a week: whether its voltage falls while its siblings hold. Look for damp, dirt and traces of electrolyte at its terminals and sense wires; a leak that grows is a short within: take the pack out of use and replace the cell',
  },
  [PACK_APART_RULE]: {
    title: 'Pack apart from its siblings',
    next_check:
      'Warmer: its airflow, its place, its connections. Charge apart: whether it carries its share of the current, and its gauge after a full charge. Resistance: its connections and their heat under load. Cells apart: let it balance near full charge, and see which cell it is',
  },
  [DEVICE_ALARM_RULE]: {
    title: 'Alarm of the device',
    next_check:
      'Look the alarm up in the manual of the device; compare with the cell voltages and temperatures of that moment',
  },
  upstream_identity_conflict: {
    title: 'Another gateway with the same id',
    next_check: 'Find the other box with this gateway_id: a copied card, or a name given twice',
  },
  upstream_down: {
    title: 'Central database not reached',
    next_check:
      'Check the network and the address, password and rights in database_url; readings are kept meanwhile',
  },
  storage_fault: {
    title: 'Readings are not stored',
    next_check: 'Check whether the disk is full, read-only or worn out; replace a card that fails',
  },
  storage_unreadable: {
    title: 'Stored readings cannot be read',
    next_check: 'Recover what can be recovered from the file in quarantine, then move it away',
  },
  readings_lost: {
    title: 'Readings lost',
    next_check: 'Give more room, or bring the central database back; the table `gaps` says which readings',
  },
  storage_nearly_full: {
    title: 'Storage nearly full',
    next_check: 'Bring the central database back, or give more room; see what else fills the disk',
  },
  storage_wal_held: {
    title: 'Storage held by another process',
    next_check: 'End the process that reads the database, or let it read a copy',
  },
  time_uncertain: {
    title: 'Time uncertain',
    next_check: 'Give the box a time service that it can reach, or confirm its clock on the system page',
  },
  certificate_expiring: {
    title: 'Certificate expires soon',
    next_check: 'Renew the certificate; the gateway takes it without a restart',
  },
  notify_failed: {
    title: 'Notifications do not arrive',
    next_check:
      'The reason says what the mail server or the webhook answered; send a test from the page System, Notifications',
  },
};

/** Ids that no rule of a site may have: of packs, connections and the gateway itself. */
export const BUILT_IN_RULES: readonly string[] = Object.keys(RULE_WORDS);

/** "Cell temperatures apart", "Alarm of the device: temperature difference"; null: no rule of this name is known. */
export function ruleTitleOf(rule_id: string, rules: readonly ThresholdRule[]): string | null {
  const label = rules.find(({ id }) => id === rule_id)?.label;
  if (label !== undefined) return label;
  const [kind, code] = rule_id.split('/', 2);
  const title = wordsOf(kind)?.title;
  if (title === undefined) return null;
  return code === undefined ? title : `${title}: ${code.replaceAll('_', ' ')}`;
}

export function nextCheckOf(
  { rule_id }: Pick<Alert, 'rule_id'>,
  rules: readonly ThresholdRule[],
): string | null {
  const of_rule = rules.find(({ id }) => id === rule_id);
  const [kind] = rule_id.split('/');
  return of_rule?.next_check ?? wordsOf(kind)?.next_check ?? null;
}

function wordsOf(kind: string): RuleWords | undefined {
  return Object.hasOwn(RULE_WORDS, kind) ? RULE_WORDS[kind] : undefined;
}
