/** One alert: what, where, since when, who has seen it, and what to do. */
import type { AlertView } from '../../../../core/contract/model.ts';
import { atLeast } from '../../api/session.ts';
import { formatAgo, formatFromTo, formatMoment, formatSpan } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { AlertActions } from './alert-actions.tsx';

const EDGES = { critical: 'has-critical', warning: 'has-warning', info: '' } as const;

export function AlertList({ alerts }: { alerts: readonly AlertView[] }) {
  return (
    <ul class="alert-list">
      {alerts.map(alert => (
        <li key={alert.id}>
          <AlertRow alert={alert} />
        </li>
      ))}
    </ul>
  );
}

function AlertRow({ alert }: { alert: AlertView }) {
  const isAsking = alert.lifecycle === 'active_unacknowledged' || alert.lifecycle === 'active_acknowledged';
  return (
    <article class={`card alert-row ${isAsking ? EDGES[alert.severity] : ''}`}>
      <SeverityBadge severity={alert.severity} />
      <div class="alert-text">
        <p class="alert-message">{alert.message}</p>
        <AlertPlace alert={alert} />
        <AlertStates alert={alert} />
        <AlertDetails alert={alert} />
      </div>
      <AlertTime alert={alert} />
      {alert.is_open && atLeast('moderator') && <AlertActions alert={alert} />}
    </article>
  );
}

function AlertPlace({ alert }: { alert: AlertView }) {
  const { pack_id, cell_no, connection_id } = alert;
  const { gateway, place, placeOfCell, connection } = t().alerts;
  if (pack_id === null) {
    const where = connection_id === null ? gateway : connection(connection_id);
    return <span class="alert-where">{where}</span>;
  }
  const [battery, pack] = [alert.battery_name ?? '', alert.pack_name ?? ''];
  return (
    <a class="alert-where" href={alert.page_path ?? '/alerts'}>
      {cell_no === null ? place(battery, pack) : placeOfCell(battery, pack, cell_no)}
      <Icon name="chevron" size={16} />
    </a>
  );
}

/** What is not plain from severity and message: each a line of its own. */
function AlertStates({ alert }: { alert: AlertView }) {
  const text = t().alerts.states;
  const now = now_ms.value;
  const lines: [IconName, string][] = [];
  const { acknowledged, shelved, unknown_since_ms, latched_since_ms, out_of_service } = alert;
  const count = alert.occurrences + alert.earlier_occurrences;
  if (unknown_since_ms !== null)
    lines.push(['question', text.unknownSince(formatMoment(unknown_since_ms, now))]);
  if (latched_since_ms !== null) lines.push(['check', text.latched(formatMoment(latched_since_ms, now))]);
  if (alert.lifecycle === 'returned_unacknowledged') lines.push(['check', text.returned]);
  if (alert.lifecycle === 'suppressed') lines.push(['info', text.suppressed]);
  if (out_of_service) lines.push(['off', outOfServiceText(out_of_service)]);
  if (alert.state === 'out_of_service') lines.push(['off', text.outOfService]);
  if (shelved)
    lines.push(['clock', text.shelved(shelved.by, formatMoment(shelved.until_ms, now), shelved.reason)]);
  if (acknowledged)
    lines.push(['person', text.acknowledged(acknowledged.by, formatMoment(acknowledged.at_ms, now))]);
  if (count > 1)
    lines.push([
      'retry',
      alert.occurrences > 1
        ? text.occurrences(alert.occurrences, formatMoment(alert.occurred_ms, now))
        : text.again(count, formatMoment(alert.earlier_ms ?? alert.raised_ms, now)),
    ]);
  if (alert.notified.length > 0) lines.push(['bell', text.notified(notifiedText(alert))]);
  if (lines.length === 0) return null;
  return (
    <ul class="alert-states">
      {lines.map(([icon, line]) => (
        <li key={line}>
          <Icon name={icon} size={14} /> {line}
        </li>
      ))}
    </ul>
  );
}

function outOfServiceText({ by, until_ms, reason }: NonNullable<AlertView['out_of_service']>): string {
  const { outOfServiceBy } = t().alerts.states;
  return outOfServiceBy(by, until_ms === null ? null : formatMoment(until_ms, now_ms.value), reason);
}

/** Of each receiver what it got last. */
function notifiedText({ notified }: AlertView): string {
  const { notifiedOf, notifiedEvents } = t().alerts.states;
  const last = new Map(notified.map(one => [one.receiver, one]));
  return [...last.values()]
    .map(({ receiver, event, at_ms }) =>
      notifiedOf(receiver, notifiedEvents[event], formatMoment(at_ms, now_ms.value)),
    )
    .join(', ');
}

/** Folded away: what to check next, and what people wrote. */
function AlertDetails({ alert }: { alert: AlertView }) {
  const text = t().alerts;
  const { notes } = alert;
  const next_check = text.nextChecks[alert.rule_id.split('/')[0]] ?? alert.next_check;
  if (next_check === null && notes.length === 0) return null;
  return (
    <details class="alert-details">
      <summary>{notes.length > 0 ? text.checkAndNotes(notes.length) : text.nextCheck}</summary>
      {next_check !== null && <p class="alert-check">{next_check}</p>}
      {notes.length > 0 && (
        <ul class="alert-notes">
          {notes.map(note => (
            <li key={`${note.at_ms} ${note.text}`}>
              <span class="quiet">{text.noteBy(note.by, formatMoment(note.at_ms, now_ms.value))}</span>
              <span>{note.text}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

function AlertTime({ alert }: { alert: AlertView }) {
  const now = now_ms.value;
  if (alert.cleared_ms === null) {
    return (
      <div class="alert-time">
        <span>{formatAgo(alert.occurred_ms, now)}</span>
        <time dateTime={new Date(alert.occurred_ms).toISOString()}>
          {formatMoment(alert.occurred_ms, now)}
        </time>
      </div>
    );
  }
  return (
    <div class="alert-time">
      <span>
        <Icon name="check" size={14} /> {t().alerts.lasted(formatSpan(alert.cleared_ms - alert.occurred_ms))}
      </span>
      <span>{formatFromTo(alert.occurred_ms, alert.cleared_ms, now)}</span>
    </div>
  );
}
