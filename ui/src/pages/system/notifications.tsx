/** Who is notified of alerts: receivers, a test of each, and what was notified. */
import { useState } from 'preact/hooks';
import type {
  NotificationsReply,
  NotificationTestReply,
  NotificationView,
  ReceiverView,
} from '../../../../core/contract/notifications.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Failure, Success } from '../../parts/fields.tsx';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { Answered, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

const ICONS = { sent: 'check', waiting: 'clock', withdrawn: 'off', failed: 'triangle' } as const;

export function Notifications() {
  const asked = useAsk<NotificationsReply>('/api/admin/notifications');
  return (
    <Answered asked={asked} texts={t().notifications}>
      {data => <ReceiversAndLog data={data} reload={asked.reload} />}
    </Answered>
  );
}

interface ReceiversAndLogProps {
  readonly data: NotificationsReply;
  readonly reload: () => Promise<void>;
}

function ReceiversAndLog({ data, reload }: ReceiversAndLogProps) {
  const text = t().notifications;
  return (
    <>
      <Section title={text.receivers}>
        {data.receivers.length === 0 ? (
          <Notice icon="bell" title={text.noReceiver.title}>
            <p>{text.noReceiver.text(<code>notify</code>)}</p>
          </Notice>
        ) : (
          <ul class="user-list">
            {data.receivers.map(receiver => (
              <li key={receiver.id}>
                <ReceiverCard receiver={receiver} onTested={reload} />
              </li>
            ))}
          </ul>
        )}
      </Section>
      <Section
        title={text.log}
        aside={
          <button type="button" class="button" onClick={() => void reload()}>
            <Icon name="retry" size={16} /> {text.reload}
          </button>
        }
      >
        {data.notifications.length === 0 ? (
          <p class="quiet">{text.none}</p>
        ) : (
          <Log notifications={data.notifications} />
        )}
      </Section>
    </>
  );
}

function ReceiverCard({ receiver, onTested }: { receiver: ReceiverView; onTested: () => Promise<void> }) {
  const text = t().notifications;
  const [isTesting, setTesting] = useState(false);
  const [tested, setTested] = useState<NotificationTestReply>();
  const [failure, setFailure] = useState('');
  const { id, type, to, state, reason, last_sent_ms, alerts_waiting } = receiver;
  const isOk = state === 'ok';
  const test = async () => {
    setTesting(true);
    setTested(undefined);
    setFailure('');
    try {
      const body = { receiver: id };
      setTested(await ask<NotificationTestReply>('/api/admin/notifications/test', { method: 'POST', body }));
      await onTested();
    } catch (error) {
      setFailure(messageOf(error));
    }
    setTesting(false);
  };
  return (
    <article class="card user-card">
      <div class="card-head">
        <h3>{id}</h3>
        <span class="badges">
          <span class={isOk ? 'badge tone-ok' : 'badge tone-warning'}>
            <Icon name={isOk ? 'check' : 'triangle'} size={16} /> {isOk ? text.works : text.fails}
          </span>
          <span class="badge tone-quiet">{text.types[type] ?? type}</span>
        </span>
      </div>
      <p class="quiet">{text.to(to)}</p>
      {reason !== null && <p>{reason}</p>}
      <p class="quiet">
        {last_sent_ms === null ? text.neverSent : text.lastSent(formatMoment(last_sent_ms, now_ms.value))}
        {alerts_waiting > 0 && ` · ${text.waiting(alerts_waiting)}`}
      </p>
      {tested?.accepted && <Success>{text.accepted(tested.reply)}</Success>}
      <Failure text={tested && !tested.accepted ? text.refused(tested.reply) : failure} />
      <button type="button" class="button" disabled={isTesting} onClick={() => void test()}>
        {isTesting ? text.testing : text.test}
        <span class="visually-hidden"> {id}</span>
      </button>
    </article>
  );
}

function Log({ notifications }: { notifications: readonly NotificationView[] }) {
  return (
    <ul class="notification-list">
      {notifications.map(one => (
        <li key={one.id} class="card">
          <LogEntry notification={one} />
        </li>
      ))}
    </ul>
  );
}

function LogEntry({ notification }: { notification: NotificationView }) {
  const text = t().notifications;
  const { outcome, reply, attempts, may_have_arrived, sent_ms, made_ms, receiver, subject, kind } =
    notification;
  const icon: IconName = ICONS[outcome];
  return (
    <>
      <p class="notification-subject">
        {subject}
        {kind === 'digest' && <span class="badge tone-quiet">{text.digest}</span>}
      </p>
      <p class="quiet">
        <time dateTime={new Date(made_ms).toISOString()}>{formatMoment(made_ms, now_ms.value)}</time> ·{' '}
        {text.to(receiver)} · <Icon name={icon} size={14} /> {text.outcomes[outcome]}
        {sent_ms === null && `, ${text.attempts(attempts)}`}
      </p>
      {reply !== null && <p class="quiet">{text.answer(reply)}</p>}
      {may_have_arrived && outcome !== 'sent' && <p class="quiet">{text.mayHaveArrived}</p>}
    </>
  );
}
