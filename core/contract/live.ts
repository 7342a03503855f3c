/**
 * The WebSocket feed at `/ws`: JSON messages in both directions. Rooms are authorised one by one.
 * A subscription is answered with a full snapshot; later messages of the room replace it whole
 * (conflated: a slow client gets the newest state, never a backlog).
 */
import Type, { type Static } from 'typebox';
import { UserView } from './access.ts';
import { Problem, SystemStatus } from './http.ts';
import { AlertView, BatteryDetail, FleetState, PackDetail } from './model.ts';
import { OutOfServiceReply } from './out-of-service.ts';

const closed = { additionalProperties: false } as const;

/** fleet | alerts | system | battery:<id> | pack:<id> */
export const Room = Type.String({ pattern: '^(fleet|alerts|system|battery:.+|pack:.+)$', maxLength: 128 });

export const ClientMessage = Type.Union([
  Type.Object({ type: Type.Literal('subscribe'), room: Room }, closed),
  Type.Object({ type: Type.Literal('unsubscribe'), room: Room }, closed),
  Type.Object({ type: Type.Literal('ping') }, closed),
]);

/** Open alerts, and what is out of service. */
export const AlertsState = Type.Object({
  alerts: Type.Array(AlertView),
  ...OutOfServiceReply.properties,
});
export type AlertsState = Static<typeof AlertsState>;

const roomState = <R extends string, T extends Type.TSchema>(kind: R, data: T) =>
  Type.Object({
    type: Type.Literal('state'),
    /** What `data` is; the room's name before the colon. */
    kind: Type.Literal(kind),
    room: Type.String(),
    seq: Type.Integer({
      description:
        'Rises by one with each new state of the room; a jump means that states were skipped for a slow client, a fall that the count started again',
    }),
    t_ms: Type.Number({ description: 'Wall time of the gateway when the message was made' }),
    data,
  });

export const ServerMessage = Type.Union([
  Type.Object({
    type: Type.Literal('hello'),
    user: UserView,
    t_ms: Type.Number(),
    interval_ms: Type.Number(),
  }),
  Type.Object({ type: Type.Literal('subscribed'), room: Type.String() }),
  Type.Object({ type: Type.Literal('unsubscribed'), room: Type.String() }),
  Type.Object({ type: Type.Literal('pong'), t_ms: Type.Number() }),
  Type.Object({ type: Type.Literal('error'), room: Type.Optional(Type.String()), problem: Problem }),
  roomState('fleet', FleetState),
  roomState('battery', BatteryDetail),
  roomState('pack', PackDetail),
  roomState('alerts', AlertsState),
  roomState('system', SystemStatus),
]);

export type ClientMessage = Static<typeof ClientMessage>;
export type ServerMessage = Static<typeof ServerMessage>;
