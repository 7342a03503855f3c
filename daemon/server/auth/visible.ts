/**
 * What a viewer may see, in the one place that says so: batteries and packs, alerts, connections, and what is shown of
 * the gateway itself. Routes, rooms and metrics ask here.
 */
import type { Alert } from '../../../core/alerts/alert.ts';
import { lifecycleOf } from '../../../core/alerts/lifecycle.ts';
import { momentPath } from '../../../core/alerts/moment-path.ts';
import type { ComponentStatus, SystemStatus } from '../../../core/contract/http.ts';
import type { AlertView, FleetState } from '../../../core/contract/model.ts';
import type { OutOfServiceView } from '../../../core/contract/out-of-service.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { GatewayServices } from '../services.ts';
import type { Viewer } from './access.ts';

const CONNECTION = 'connection:';
/** In place of a reason that is not for everybody. */
const REASON_HIDDEN = 'moderators and administrators see why';
const NOT_ALL_YOURS = 'it also serves batteries that are not yours: those who see all of them see why';

/** Finds batteries and packs for a viewer; what it may not see does not exist for it: NOT_FOUND. */
export class VisibleTopology {
  readonly #batteries: ReadonlyMap<string, number>;
  readonly #packs: ReadonlyMap<string, { readonly pack: number; readonly battery_id: string }>;
  /** By id of the connection: the batteries whose packs are on it. */
  readonly #on_connection = new Map<string, Set<string>>();

  constructor(topology: Topology) {
    this.#batteries = new Map(topology.batteries.map(node => [node.id, node.battery]));
    this.#packs = new Map(topology.packs.map(({ id, pack, battery_id }) => [id, { pack, battery_id }]));
    for (const { connection_id, battery_id } of topology.packs) {
      const known = this.#on_connection.get(connection_id) ?? new Set();
      this.#on_connection.set(connection_id, known.add(battery_id));
    }
  }

  hasBattery(battery_id: string): boolean {
    return this.#batteries.has(battery_id);
  }

  /** The dense index of a battery. */
  battery(viewer: Viewer, battery_id: string): number {
    const battery = this.#batteries.get(battery_id);
    if (battery === undefined || !viewer.sees(battery_id))
      throw new GatewayError('NOT_FOUND', `There is no battery '${shortened(battery_id)}'`);
    return battery;
  }

  /** The dense index of a pack. */
  pack(viewer: Viewer, pack_id: string): number {
    const node = this.#packs.get(pack_id);
    if (!node || !viewer.sees(node.battery_id))
      throw new GatewayError('NOT_FOUND', `There is no pack '${shortened(pack_id)}'`);
    return node.pack;
  }

  /**
   * The gateway's status for a viewer: connections of batteries it sees alone, with reasons where it sees all that is
   * on them, for reasons name packs and addresses; of the gateway's own parts, below moderator, the bare state.
   */
  status(viewer: Viewer, status: SystemStatus): SystemStatus {
    if (viewer.batteries === undefined) return status;
    const components = status.components.flatMap(component => this.#component(viewer, component) ?? []);
    return { ...status, components };
  }

  #component(viewer: Viewer, component: ComponentStatus): ComponentStatus | undefined {
    if (!component.name.startsWith(CONNECTION))
      return viewer.sees_gateway ? component : bare(component, REASON_HIDDEN);
    const batteries = [...(this.#on_connection.get(component.name.slice(CONNECTION.length)) ?? [])];
    if (!batteries.some(id => viewer.sees(id))) return undefined;
    return batteries.every(id => viewer.sees(id)) ? component : bare(component, NOT_ALL_YOURS);
  }
}

const bare = ({ name, state, reason }: ComponentStatus, instead: string): ComponentStatus => ({
  name,
  state,
  reason: reason === null ? null : instead,
  counters: {},
});

export function visibleFleet(fleet: FleetState, viewer: Viewer): FleetState {
  if (!viewer.batteries) return fleet;
  return { ...fleet, batteries: fleet.batteries.filter(battery => viewer.sees(battery.id)) };
}

/** Newest first, with the names that battery and pack have now, and for moderators who was notified. */
export function visibleAlerts(
  alerts: readonly Alert[],
  viewer: Viewer,
  services: Pick<GatewayServices, 'topology' | 'alerts' | 'notifications'>,
): { alerts: AlertView[] } {
  const { topology, notifications } = services;
  const packNames = new Map(topology.packs.map(({ id, name }) => [id, name]));
  const batteryNames = new Map(topology.batteries.map(({ id, name }) => [id, name]));
  const seen = alerts
    .filter(alert => viewer.sees(alert.battery_id))
    .map(alert => ({
      ...alert,
      notes: [...alert.notes],
      lifecycle: lifecycleOf(alert),
      page_path: momentPath(alert),
      next_check: services.alerts.nextCheck(alert),
      notified: viewer.sees_gateway ? [...notifications.notifiedOf(alert.id)] : [],
      battery_name: nameOf(alert.battery_id, batteryNames),
      pack_name: nameOf(alert.pack_id, packNames),
    }));
  return { alerts: seen.sort((a, b) => b.raised_ms - a.raised_ms) };
}

/** What is out of service, of what the viewer sees. */
export function visibleService(
  viewer: Viewer,
  { topology, alerts }: Pick<GatewayServices, 'topology' | 'alerts'>,
): OutOfServiceView[] {
  const packNames = new Map(topology.packs.map(({ id, name }) => [id, name]));
  const batteryNames = new Map(topology.batteries.map(({ id, name }) => [id, name]));
  return alerts
    .outOfService()
    .filter(({ battery_id }) => viewer.sees(battery_id))
    .map(entry => ({
      ...entry,
      rule_label: entry.rule_id === null ? null : alerts.ruleLabel(entry.rule_id),
      battery_name: nameOf(entry.battery_id, batteryNames),
      pack_name: nameOf(entry.pack_id, packNames),
    }));
}

const nameOf = (id: string | null, names: ReadonlyMap<string, string>) =>
  id === null ? null : (names.get(id) ?? id);

const shortened = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);
