/**
 * What an alert is. An alert is what *we* raise; a vendor's alarm, warning or protection bit is quoted as such.
 * First form: plain thresholds with hysteresis and an on-delay; raised and cleared.
 */
import type { CellMetricName, PackMetricName } from '../metrics.ts';
import type { Chemistry } from '../topology/topology.ts';

export type AlertSeverity = 'critical' | 'warning' | 'info';

/** A threshold on one quantity. `clear_at` lies on the safe side of `raise_at` (hysteresis). */
export interface ThresholdRule {
  readonly id: string;
  readonly label: string;
  readonly severity: AlertSeverity;
  /** Only for batteries of this chemistry; undefined: for all. */
  readonly chemistry?: Chemistry | undefined;
  readonly on:
    | { readonly scope: 'cell'; readonly metric: CellMetricName }
    /** `cell_voltage_spread_v`: highest minus lowest good cell voltage of the pack, in V. */
    | { readonly scope: 'pack'; readonly metric: PackMetricName | 'cell_voltage_spread_v' };
  readonly direction: 'above' | 'below';
  readonly raise_at: number;
  readonly clear_at: number;
  /** The value must stay beyond `raise_at` this long before the alert is raised. */
  readonly delay_ms: number;
}

/** Rule ids of alerts that are not thresholds. */
export const PACK_SILENT_RULE = 'pack_silent';
export const TWO_DEVICES_RULE = 'two_devices';
export const DEVICE_ALARM_RULE = 'device_alarm';

export interface Alert {
  /** Unique and stable: also the key at the centre. */
  readonly id: string;
  readonly rule_id: string;
  readonly severity: AlertSeverity;
  /** Null, as `pack_id` is: the alert is of the gateway itself. */
  readonly battery_id: string | null;
  readonly pack_id: string | null;
  /** Counting from 1; null when the alert concerns the whole pack, or none. */
  readonly cell_no: number | null;
  /** What a technician reads: "Cell 3 voltage 3.71 V is above 3.65 V". */
  readonly message: string;
  /** The value that raised it; null where there is none (a silent pack). */
  readonly value: number | null;
  readonly threshold: number | null;
  readonly unit: string;
  readonly state: 'active' | 'cleared';
  readonly raised_ms: number;
  readonly cleared_ms: number | null;
}
