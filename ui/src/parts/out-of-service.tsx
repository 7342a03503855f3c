/** What is out of service: the badge, each entry with the way back, and the form that takes something out. */
import { useState } from 'preact/hooks';
import type { OutOfServiceView, TakeOutOfService } from '../../../core/contract/out-of-service.ts';
import { ask, atLeast } from '../api/session.ts';
import { messageOf } from '../api/use-ask.ts';
import { formatMoment } from '../format/time.ts';
import { feed, now_ms, useRoom } from '../live/live.ts';
import { t } from '../texts/texts.ts';
import { Failure } from './fields.tsx';
import { Icon } from './icons.tsx';

const DAY_MS = 86_400_000;
/** 0: until a person puts it back. */
const DAYS = [0, 1, 7, 30] as const;

/** Of which something concerns a pack, as far as is known. */
export function useOutOfService(pack_id: string): readonly OutOfServiceView[] {
  const { data } = useRoom<'alerts'>('alerts').value;
  return data?.out_of_service.filter(entry => entry.pack_id === pack_id) ?? [];
}

/** Only where all of the pack is out of service. */
export function PackServiceBadge({ pack_id }: { pack_id: string }) {
  return useOutOfService(pack_id).some(({ rule_id }) => rule_id === null) ? <ServiceBadge /> : null;
}

export function ServiceBadge() {
  return (
    <span class="badge tone-quiet">
      <Icon name="off" size={16} /> {t().service.badge}
    </span>
  );
}

/** "Rack 1 › Pack 3: Cell voltage high". */
function titleOf({ battery_name, pack_name, pack_id, connection_id, rule_id, rule_label }: OutOfServiceView) {
  const { gateway, connection, place } = t().alerts;
  const text = t().service;
  const where =
    pack_id !== null
      ? place(battery_name ?? '', pack_name ?? '')
      : connection_id === null
        ? gateway
        : connection(connection_id);
  return text.of(where, rule_id === null ? text.allRules : (rule_label ?? rule_id));
}

export function ServiceEntry({ entry }: { entry: OutOfServiceView }) {
  const text = t().service;
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const { id, by, at_ms, until_ms, reason, pack_id } = entry;
  const now = now_ms.value;
  const putBack = async () => {
    setBusy(true);
    try {
      await ask(`/api/out-of-service/${encodeURIComponent(id)}`, { method: 'DELETE' });
    } catch (error) {
      setFailure(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <article class="card alert-row service-row">
      <ServiceBadge />
      <div class="alert-text">
        <p class="alert-message">
          {pack_id === null ? (
            titleOf(entry)
          ) : (
            <a href={`/pack/${encodeURIComponent(pack_id)}`}>{titleOf(entry)}</a>
          )}
        </p>
        <p>{reason}</p>
        <p class="quiet">
          {text.takenBy(by, formatMoment(at_ms, now))} ·{' '}
          {until_ms === null ? text.untilPutBack : text.until(formatMoment(until_ms, now))}
        </p>
        <Failure text={failure} />
      </div>
      {atLeast('moderator') && (
        <button type="button" class="button" disabled={isBusy} onClick={() => void putBack()}>
          {text.putBack}
          <span class="visually-hidden"> {titleOf(entry)}</span>
        </button>
      )}
    </article>
  );
}

type What = Pick<TakeOutOfService, 'alert_id' | 'pack_id'>;

interface ServiceFormProps {
  /** What may be taken out: the first one is chosen. */
  readonly choices: readonly { readonly what: What; readonly text: string }[];
  readonly onDone: () => void;
}

export function ServiceForm({ choices, onDone }: ServiceFormProps) {
  const text = t().service;
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const days = Number(fields.get('days'));
    const body: TakeOutOfService = {
      ...choices[Number(fields.get('what') ?? 0)]?.what,
      reason: String(fields.get('reason')).trim(),
      ...(days > 0 && { until_ms: Math.round(feed.gatewayNow() + days * DAY_MS) }),
    };
    setBusy(true);
    setFailure('');
    try {
      await ask<OutOfServiceView>('/api/out-of-service', { method: 'POST', body });
      onDone();
    } catch (error) {
      setFailure(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <form class="alert-form" onSubmit={event => void submit(event)}>
      {choices.length > 1 && (
        <label class="field">
          <span>{text.what}</span>
          <select name="what">
            {choices.map((choice, i) => (
              <option key={choice.text} value={String(i)}>
                {choice.text}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="field">
        <span>{text.reason}</span>
        <input name="reason" required pattern=".*\S.*" maxLength={500} autofocus />
      </label>
      <label class="field">
        <span>{text.howLong}</span>
        <select name="days">
          {DAYS.map(days => (
            <option key={days} value={String(days)}>
              {days === 0 ? text.untilPutBack : text.days(days)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button button-main" disabled={isBusy}>
        {text.take}
      </button>
      <p class="quiet">{text.help}</p>
      <Failure text={failure} />
    </form>
  );
}
