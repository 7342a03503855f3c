/** What the server needs of the rest of the daemon; `inject` tests give it small real ones. */
import type { Alert } from '../../core/alerts/alert.ts';
import type { Act } from '../../core/alerts/lifecycle.ts';
import type { NotifiedEvent } from '../../core/alerts/notified.ts';
import type { OutOfService, ServiceScope } from '../../core/alerts/out-of-service.ts';
import type { Clock } from '../../core/clock/clock.ts';
import type { EstimatesReply } from '../../core/contract/estimates.ts';
import type {
  ComponentStatus,
  Settings,
  SettingsReply,
  Shelve,
  SystemStatus,
} from '../../core/contract/http.ts';
import type { LifetimeReply } from '../../core/contract/lifetime.ts';
import type { BatteryDetail, FleetState, PackDetail } from '../../core/contract/model.ts';
import type { NotificationsReply, NotificationTestReply } from '../../core/contract/notifications.ts';
import type { RuleImportBody, RuleImportReply } from '../../core/contract/rule-file.ts';
import type { RulePreviewReply } from '../../core/contract/rule-preview.ts';
import type { Logger } from '../../core/log.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { Store, TimeSpan } from '../store/store.ts';

/** The newest state of everything, made on demand. Undefined: no such battery or pack. */
export interface LiveView {
  fleet(): FleetState;
  battery(battery_id: string): BatteryDetail | undefined;
  pack(pack_id: string): PackDetail | undefined;
  /**
   * Calls back with the dense index of a pack whose state may have changed; many times a second.
   * Returns the function that ends it.
   */
  onPackChanged(listener: (pack: number) => void): () => void;
}

export interface Estimates {
  /** What is kept of a pack, by its dense index. */
  reply(pack: number): EstimatesReply;
  /** The account of the place, and of the pack that stands in it now. */
  lifetime(pack: number): Pick<LifetimeReply, 'place' | 'pack'>;
}

export interface Alerts {
  /** Not yet back to normal, newest first. */
  open(): readonly Alert[];
  /** Of these, what holds now, and is neither shelved, out of service nor suppressed. */
  active(): readonly Alert[];
  onChange(listener: (alert: Alert) => void): () => void;
  /** Undefined, here and below: no such alert is open. */
  acknowledge(id: string, act: Act, note: string | null): Alert | undefined;
  note(id: string, act: Act, text: string): Alert | undefined;
  shelve(id: string, act: Act, shelve: Shelve): Alert | undefined;
  unshelve(id: string, act: Act): Alert | undefined;
  /** What was taken out of service, newest first. */
  outOfService(): readonly OutOfService[];
  /** Calls back when that has changed. */
  onServiceChange(listener: () => void): () => void;
  /** Whether alerts of this rule can be raised of a pack, by its dense index. */
  hasRule(rule_id: string, pack: number): boolean;
  /** CONFLICT: there are too many. */
  takeOutOfService(
    scope: ServiceScope,
    what: Pick<OutOfService, 'by' | 'at_ms' | 'until_ms' | 'reason'>,
  ): Promise<OutOfService>;
  putInService(id: string, act: Act): Promise<void>;
  /** What people call it; null where no rule of this id is known. */
  ruleLabel(rule_id: string): string | null;
  /** What a technician checks first. */
  nextCheck(alert: Alert): string | null;
  settings(): SettingsReply;
  /** Changes the rules named; a GatewayError BAD_REQUEST names the place, what was found and what is expected. */
  changeSettings(settings: Settings, act: Act): Promise<SettingsReply>;
}

/** What changed rules would have raised, by what is stored. */
export interface RulePreviews {
  /** GatewayErrors as of `changeSettings`, and RATE_LIMITED while another one is made. `signal`: nobody waits any more. */
  of(settings: Settings, span: TimeSpan, signal: AbortSignal): Promise<RulePreviewReply>;
}

/** Alert rules as YAML in the shape of the configuration. */
export interface RuleFiles {
  text(): string;
  /** BAD_REQUEST with line and path of what is wrong; CONFLICT where others have changed the rules meanwhile. */
  take(body: RuleImportBody, act: Act): Promise<RuleImportReply>;
}

/** Who was notified of what. */
export interface Notifications {
  view(): NotificationsReply;
  /** GatewayErrors NOT_FOUND, RATE_LIMITED. */
  test(receiver: string): Promise<NotificationTestReply>;
  /** Calls back when something was notified. */
  onNotified(listener: () => void): () => void;
  /** Of an alert, the oldest first. */
  notifiedOf(
    alert_id: string,
  ): readonly { readonly receiver: string; readonly event: NotifiedEvent; readonly at_ms: number }[];
}

export interface TimeKeeper {
  /** A person whose clock shows `client_clock_ms` says that ours is right; a GatewayError CONFLICT where that is not believed. */
  confirm(client_clock_ms: number): ComponentStatus;
}

/** Present only while the simulator runs. */
export interface SimulationControl {
  faults(): readonly object[];
  /** A GatewayError BAD_REQUEST names what was found and expected. Returns the fault's id. */
  addFault(fault: unknown): string;
  removeFault(id: string): boolean;
}

export interface GatewayServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly interval_ms: number;
  readonly topology: Topology;
  readonly live: LiveView;
  readonly estimates: Estimates;
  readonly alerts: Alerts;
  readonly previews: RulePreviews;
  readonly rule_files: RuleFiles;
  readonly notifications: Notifications;
  readonly store: Pick<
    Store,
    'history' | 'alerts' | 'alertEvents' | 'documents' | 'audit' | 'completeness' | 'exportChunk' | 'flush'
  >;
  readonly audit: AuditLog;
  readonly time: TimeKeeper;
  readonly status: () => SystemStatus;
  readonly simulation?: SimulationControl | undefined;
}
