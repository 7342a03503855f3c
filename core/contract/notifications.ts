/** Notifications over the API: what was notified to whom, and how the receivers are. */
import Type, { type Static } from 'typebox';
import { NOTIFIED_EVENTS } from '../alerts/notified.ts';
import { Nullable, Severity } from './model.ts';

export const NotificationView = Type.Object({
  id: Type.String({ description: 'notification_id: the same in every copy that a receiver may get of it' }),
  receiver: Type.String(),
  kind: Type.Enum(['alerts', 'digest', 'test']),
  made_ms: Type.Number(),
  sent_ms: Nullable(Type.Number({ description: 'When the receiver accepted it' })),
  outcome: Type.Enum(['waiting', 'sent', 'withdrawn', 'failed'], {
    description:
      'waiting: it is tried again; withdrawn: what it was about was over before it could be sent; failed: a test that was not accepted',
  }),
  attempts: Type.Integer(),
  may_have_arrived: Type.Boolean({
    description: 'An attempt ended without a reply: it goes out again with the same id',
  }),
  reply: Nullable(Type.String({ description: 'What the receiver answered, or why it did not' })),
  subject: Type.String(),
  alerts: Type.Array(
    Type.Object({
      alert_id: Type.String(),
      event: Type.Enum([...NOTIFIED_EVENTS]),
      severity: Severity,
      battery_id: Nullable(Type.String()),
      message: Type.String(),
    }),
  ),
});

export const ReceiverView = Type.Object({
  id: Type.String(),
  type: Type.String({ description: 'email or webhook' }),
  to: Type.String({ description: 'Addresses or host; never a secret' }),
  state: Type.Enum(['ok', 'down']),
  reason: Nullable(Type.String()),
  last_sent_ms: Nullable(Type.Number()),
  alerts_waiting: Type.Integer({ description: 'Changes of alerts that are still to be sent to it' }),
});

// GET /api/admin/notifications
export const NotificationsReply = Type.Object({
  receivers: Type.Array(ReceiverView),
  notifications: Type.Array(NotificationView, { description: 'Newest first; the newest 500 are kept' }),
});

// POST /api/admin/notifications/test
export const NotificationTest = Type.Object(
  { receiver: Type.String({ minLength: 1, maxLength: 63 }) },
  { additionalProperties: false },
);
export const NotificationTestReply = Type.Object({
  accepted: Type.Boolean(),
  reply: Type.String({ description: 'What the receiver answered, or why it did not' }),
});

export type NotificationView = Static<typeof NotificationView>;
export type ReceiverView = Static<typeof ReceiverView>;
export type NotificationsReply = Static<typeof NotificationsReply>;
export type NotificationTest = Static<typeof NotificationTest>;
export type NotificationTestReply = Static<typeof NotificationTestReply>;
