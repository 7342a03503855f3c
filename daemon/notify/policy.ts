/** Who is notified of what, and when: the configuration with every default filled in. */
import type { Alert, AlertSeverity } from '../../core/alerts/alert.ts';
import type { ReceiverConfig } from './receivers.ts';
import type { Templates } from './template.ts';
import type { QuietHours } from './time-of-day.ts';

export interface Route {
  readonly to: readonly string[];
  readonly severities: readonly AlertSeverity[];
  /** Undefined: of all. */
  readonly batteries: readonly string[] | undefined;
  readonly about: readonly ('batteries' | 'gateway')[];
  /** Rule ids, or their part before the slash; undefined: all. */
  readonly rules: readonly string[] | undefined;
  /** `digest`: gathered until the time of the digest. */
  readonly when: 'at_once' | 'digest';
  /** While it is not acknowledged, those of `escalate_to` are notified after this time. */
  readonly escalate_after_ms: number | undefined;
  readonly escalate_to: readonly string[];
}

export interface NotifyPolicy {
  readonly receivers: readonly ReceiverConfig[];
  readonly routes: readonly Route[];
  readonly group_ms: number;
  readonly max_per_hour: number;
  /** Minutes since midnight. */
  readonly digest_at_min: number;
  readonly quiet_hours: (QuietHours & { readonly except: readonly AlertSeverity[] }) | undefined;
  readonly time_zone: string | undefined;
  readonly page_url: string | undefined;
  readonly templates: Templates;
}

/** Those of a connection with several batteries are shown as the gateway's are. */
export const isOfGateway = ({ battery_id }: Pick<Alert, 'battery_id'>) => battery_id === null;

export function isOn(route: Route, alert: Alert): boolean {
  const { battery_id, rule_id, severity } = alert;
  if (!route.severities.includes(severity)) return false;
  if (!route.about.includes(isOfGateway(alert) ? 'gateway' : 'batteries')) return false;
  if (battery_id !== null && route.batteries && !route.batteries.includes(battery_id)) return false;
  return !route.rules || route.rules.includes(rule_id) || route.rules.includes(rule_id.split('/', 1)[0]);
}
