/** What the rooms of the live feed show, and to whom. */
import type { SystemStatus } from '../../../core/contract/http.ts';
import type { AlertsState } from '../../../core/contract/live.ts';
import type { BatteryDetail, FleetState, PackDetail } from '../../../core/contract/model.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Viewer } from '../auth/access.ts';
import { type VisibleTopology, visibleAlerts, visibleFleet, visibleService } from '../auth/visible.ts';
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

export type RoomState = FleetState | BatteryDetail | PackDetail | AlertsState | SystemStatus;

const all = () => '';
const batteriesSeen = (viewer: Viewer) => viewer.scope;
const gatewayAndBatteriesSeen = (viewer: Viewer) =>
  `${viewer.sees_gateway ? 'gateway, ' : ''}${viewer.scope}`;

/** The room of this name when the viewer may be in it; NOT_FOUND or BAD_REQUEST otherwise. */
export function enterRoom(name: string, viewer: Viewer, visible: VisibleTopology): Room {
  if (name === 'fleet') return { name, kind: name, index: -1, scopeOf: batteriesSeen };
  if (name === 'alerts') return { name, kind: name, index: -1, scopeOf: gatewayAndBatteriesSeen };
  if (name === 'system') return { name, kind: name, index: -1, scopeOf: gatewayAndBatteriesSeen };
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
export function roomState(
  room: Room,
  viewer: Viewer,
  services: GatewayServices,
  visible: VisibleTopology,
): RoomState {
  switch (room.kind) {
    case 'fleet':
      return visibleFleet(services.live.fleet(), viewer);
    case 'alerts':
      return {
        ...visibleAlerts(services.alerts.open(), viewer, services),
        out_of_service: visibleService(viewer, services),
      };
    case 'system':
      return visible.status(viewer, services.status());
    case 'battery':
      return present(services.live.battery(room.name.slice('battery:'.length)), room);
    case 'pack':
      return present(services.live.pack(room.name.slice('pack:'.length)), room);
  }
}

function present<T>(state: T | undefined, room: Room): T {
  if (state === undefined) throw new GatewayError('NOT_FOUND', `There is nothing to show for ${room.name}`);
  return state;
}
