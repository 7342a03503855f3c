/** What the rooms of the live feed show, and to whom. */
import type { Alert } from '../../../core/alerts/alert.ts';
import type { SystemStatus } from '../../../core/contract/http.ts';
import type { AlertView, BatteryDetail, FleetState, PackDetail } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { Viewer, VisibleTopology } from '../auth/access.ts';
import type { GatewayServices } from '../services.ts';

export type RoomKind = 'fleet' | 'alerts' | 'system' | 'battery' | 'pack';

export interface Room {
  readonly name: string;
  readonly kind: RoomKind;
  /** Dense index of the battery or pack; -1 in other rooms. */
  readonly index: number;
  /** The same for all viewers who are shown the same here. */
  readonly scopeOf: (viewer: Viewer) => string;
}

export type RoomState = FleetState | BatteryDetail | PackDetail | { alerts: AlertView[] } | SystemStatus;

const all = () => '';
const batteriesSeen = (viewer: Viewer) => viewer.scope;
const alertsSeen = (viewer: Viewer) => `${viewer.sees_gateway ? 'gateway, ' : ''}${viewer.scope}`;

/** The room of this name when the viewer may be in it; NOT_FOUND or BAD_REQUEST otherwise. */
export function enterRoom(name: string, viewer: Viewer, visible: VisibleTopology): Room {
  if (name === 'fleet') return { name, kind: name, index: -1, scopeOf: batteriesSeen };
  if (name === 'alerts') return { name, kind: name, index: -1, scopeOf: alertsSeen };
  if (name === 'system') return { name, kind: name, index: -1, scopeOf: all };
  const colon = name.indexOf(':');
  const kind = name.slice(0, colon);
  const id = name.slice(colon + 1);
  if (kind === 'battery') return { name, kind, index: visible.battery(viewer, id), scopeOf: all };
  if (kind === 'pack') return { name, kind, index: visible.pack(viewer, id), scopeOf: all };
  throw new GatewayError(
    'BAD_REQUEST',
    `room: found '${name}', expected fleet, alerts, system, battery:<id> or pack:<id>`,
  );
}

/** The state of a room now, as this viewer may see it. */
export function roomState(room: Room, viewer: Viewer, services: GatewayServices): RoomState {
  switch (room.kind) {
    case 'fleet':
      return visibleFleet(services.live.fleet(), viewer);
    case 'alerts':
      return visibleAlerts(services.alerts.active(), viewer, services.topology);
    case 'system':
      return services.status();
    case 'battery':
      return present(services.live.battery(room.name.slice('battery:'.length)), room);
    case 'pack':
      return present(services.live.pack(room.name.slice('pack:'.length)), room);
  }
}

export function visibleFleet(fleet: FleetState, viewer: Viewer): FleetState {
  if (!viewer.batteries) return fleet;
  return { ...fleet, batteries: fleet.batteries.filter(battery => viewer.sees(battery.id)) };
}

/** Newest first, with the names that battery and pack have now. */
export function visibleAlerts(
  alerts: readonly Alert[],
  viewer: Viewer,
  topology: Topology,
): { alerts: AlertView[] } {
  const packNames = new Map(topology.packs.map(({ id, name }) => [id, name]));
  const batteryNames = new Map(topology.batteries.map(({ id, name }) => [id, name]));
  const seen = alerts
    .filter(alert => viewer.sees(alert.battery_id))
    .map(alert => ({
      ...alert,
      battery_name: nameOf(alert.battery_id, batteryNames),
      pack_name: nameOf(alert.pack_id, packNames),
    }));
  return { alerts: seen.sort((a, b) => b.raised_ms - a.raised_ms) };
}

const nameOf = (id: string | null, names: ReadonlyMap<string, string>) =>
  id === null ? null : (names.get(id) ?? id);

function present<T>(state: T | undefined, room: Room): T {
  if (state === undefined) throw new GatewayError('NOT_FOUND', `There is nothing to show for ${room.name}`);
  return state;
}
