/** What an alert is. An alert is what *we* raise; a vendor's alarm, warning or protection bit is quoted as such. */
export type AlertSeverity = 'critical' | 'warning' | 'info';

/** From the most urgent on. */
export const SEVERITIES: readonly AlertSeverity[] = ['critical', 'warning', 'info'];

/** Rule ids of alerts that are not thresholds. */
export const PACK_SILENT_RULE = 'pack_silent';
export const CONNECTION_SILENT_RULE = 'connection_silent';
export const TWO_DEVICES_RULE = 'two_devices';
export const WEAK_CELL_RULE = 'weak_cell';
export const CELL_LEAK_RULE = 'cell_leak';
export const PACK_APART_RULE = 'pack_apart';
export const DEVICE_ALARM_RULE = 'device_alarm';

/** What a change of an alert was: what its newest record says, and its row in `alert_events` at the centre. */
export type AlertChange =
  | 'raised'
  /** Raised again before it was back to normal. */
  | 'recurred'
  /** Another severity, value or message of what is active. */
  | 'updated'
  /** The condition ended. */
  | 'cleared'
  /** Nobody can say whether the condition still holds. */
  | 'unknown'
  /** The condition is judged again, and holds. */
  | 'known'
  | 'suppressed'
  | 'unsuppressed'
  | 'acknowledged'
  | 'shelved'
  | 'unshelved'
  | 'noted'
  /** A person has taken its rule or pack out of service; a person, or the end of the time, has put it back. */
  | 'out_of_service'
  | 'in_service';

export interface Acknowledgement {
  readonly by: string;
  readonly at_ms: number;
  readonly note: string | null;
}

export interface Shelving {
  readonly by: string;
  readonly at_ms: number;
  /** Ends by itself then. */
  readonly until_ms: number;
  readonly reason: string;
}

/** Of its rule, or of its whole pack; see out-of-service.ts. */
export interface TakenOut {
  readonly by: string;
  readonly at_ms: number;
  /** Null: until somebody puts it back. */
  readonly until_ms: number | null;
  readonly reason: string;
}

export interface AlertNote {
  readonly by: string;
  readonly at_ms: number;
  readonly text: string;
}

/**
 * One alert, from when it is raised until it is back to normal: its condition has ended and somebody has acknowledged
 * it. What is raised again before that is another occurrence of it.
 */
export interface Alert {
  /** Unique and stable: also the key at the centre. */
  readonly id: string;
  readonly rule_id: string;
  readonly severity: AlertSeverity;
  /** Null, as `pack_id` is: the alert is of the gateway itself, or of a connection. */
  readonly battery_id: string | null;
  readonly pack_id: string | null;
  /** Set, where the alert is of a connection: all packs on it are silent. */
  readonly connection_id: string | null;
  /** Counting from 1; null when the alert concerns the whole pack, or none. */
  readonly cell_no: number | null;
  /** What a technician reads: "Cell 3: cell voltage 3.71 V is above 3.65 V". */
  readonly message: string;
  /** The value that raised it; null where there is none (a silent pack). */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly unit: string;
  /** Of the condition. `out_of_service`: its rule or pack is no longer configured, and somebody has acknowledged that. */
  readonly state: 'active' | 'cleared' | 'out_of_service';
  readonly raised_ms: number;
  /** When the condition ended last; null while it holds. */
  readonly cleared_ms: number | null;
  /** Not yet back to normal. */
  readonly is_open: boolean;
  /** How many times the condition began since `raised_ms`, that one included; and when it did last. */
  readonly occurrences: number;
  readonly occurred_ms: number;
  /** Of the same rule and subject before this alert: how many occurrences, and when the last one began. */
  readonly earlier_occurrences: number;
  readonly earlier_ms: number | null;
  readonly acknowledged: Acknowledgement | null;
  readonly shelved: Shelving | null;
  readonly out_of_service: TakenOut | null;
  /** Since when nobody can say whether the condition holds: no value to judge it by, or no rule or pack any more. */
  readonly unknown_since_ms: number | null;
  /** When the condition ended of an alert whose rule keeps it active until it is acknowledged. */
  readonly latched_since_ms: number | null;
  /** Id of the alert that says the cause of this one. */
  readonly suppressed_by: string | null;
  /** The newest last; at most MAX_NOTES. */
  readonly notes: readonly AlertNote[];
  /** The newest change, when it was, and who made it: null, where the gateway did. */
  readonly change: AlertChange;
  readonly changed_ms: number;
  readonly changed_by: string | null;
}

/** Older notes go; the log and the centre keep them. */
export const MAX_NOTES = 20;

/** As alerts were stored before they had a lifecycle: what was cleared had nobody to acknowledge it. */
type FirstForm = Pick<
  Alert,
  'id' | 'rule_id' | 'severity' | 'battery_id' | 'pack_id' | 'cell_no' | 'message'
> &
  Pick<Alert, 'value' | 'threshold' | 'unit' | 'state' | 'raised_ms' | 'cleared_ms'>;

/** An alert as it was stored, by this version or an earlier one. */
export function storedAlert(stored: FirstForm & Partial<Alert>): Alert {
  const { state, raised_ms, cleared_ms } = stored;
  return {
    connection_id: null,
    is_open: state === 'active',
    occurrences: 1,
    occurred_ms: raised_ms,
    earlier_occurrences: 0,
    earlier_ms: null,
    acknowledged: null,
    shelved: null,
    out_of_service: null,
    unknown_since_ms: null,
    latched_since_ms: null,
    suppressed_by: null,
    notes: [],
    change: state === 'active' ? 'raised' : 'cleared',
    changed_ms: cleared_ms ?? raised_ms,
    changed_by: null,
    ...stored,
  };
}
