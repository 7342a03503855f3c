/** Who was notified of alerts, and a test of a receiver: for administrators. */
import {
  NotificationsReply,
  NotificationTest,
  NotificationTestReply,
} from '../../../core/contract/notifications.ts';
import type { App, ServerContext } from '../options.ts';
import { problems } from './replies.ts';

const config = { access: 'admin' } as const;

export function addNotificationRoutes(app: App, { services: { notifications } }: ServerContext): void {
  app.get(
    '/api/admin/notifications',
    {
      config,
      schema: {
        summary: 'Receivers, and what was notified to whom',
        response: { 200: NotificationsReply, ...problems(401, 403) },
      },
    },
    async () => notifications.view(),
  );

  app.post(
    '/api/admin/notifications/test',
    {
      config: { ...config, audit: 'notification.test' },
      schema: {
        summary: 'Sends a test message to a receiver now, and says what it answered',
        body: NotificationTest,
        response: { 200: NotificationTestReply, ...problems(400, 401, 403, 404, 429) },
      },
    },
    async request => {
      const { receiver } = request.body;
      const reply = await notifications.test(receiver);
      request.audited = { target: receiver, new: reply };
      return reply;
    },
  );
}
