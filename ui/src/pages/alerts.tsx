/** Alerts: what is wrong now, and what was. */
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { AlertsReply } from '../../../core/contract/http.ts';
import type { AlertView } from '../../../core/contract/model.ts';
import { ask, atLeast } from '../api/session.ts';
import { type AlertFilter, alertFilter, alertsHref, clearedPath, isAbout } from '../format/alert-filter.ts';
import { formatAgo, formatFromTo, formatMoment, formatSpan } from '../format/time.ts';
import { now_ms, useRoom } from '../live/live.ts';
import { SeverityBadge } from '../parts/badges.tsx';
import { PageHead, Segments } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { Loading, Notice, RoomView } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';
import { t } from '../texts/texts.ts';

const EDGES = { critical: 'has-critical', warning: 'has-warning', info: '' } as const;
const SEVERITY_RANK = { critical: 0, warning: 1, info: 2 } as const;

export function AlertsPage() {
  const text = t().alerts;
  useTitle(text.title);
  const { query, route } = useLocation();
  const filter = alertFilter(query);
  const room = useRoom<'alerts'>('alerts');
  const active = room.value.data?.alerts.filter(alert => alert.state === 'active');
  const show = (change: Partial<AlertFilter>) => route(alertsHref({ ...filter, ...change }), true);
  return (
    <>
      <PageHead title={text.title} />
      <div class="toolbar">
        <Segments
          label={text.which}
          value={filter.state}
          onChange={state => show({ state })}
          options={[
            { value: 'active', text: <Counted text={text.active} of={active} about={filter.about} /> },
            { value: 'cleared', text: text.cleared },
          ]}
        />
        {atLeast('moderator') && (
          <About filter={filter} active={active} onChange={about => show({ about })} />
        )}
      </div>
      {filter.about === 'gateway' && !atLeast('moderator') ? (
        <NotForYou />
      ) : filter.state === 'active' ? (
        <RoomView room={room} place={text.list}>
          {({ alerts }) => (
            <ActiveAlerts alerts={alerts.filter(alert => alert.state === 'active')} about={filter.about} />
          )}
        </RoomView>
      ) : (
        <ClearedAlerts key={filter.about} about={filter.about} changed_ms={room.value.t_ms} />
      )}
    </>
  );
}

interface AboutProps {
  readonly filter: AlertFilter;
  readonly active: readonly AlertView[] | undefined;
  readonly onChange: (about: AlertFilter['about']) => void;
}

/** How many there are is known of active ones only. */
function About({ filter, active, onChange }: AboutProps) {
  const text = t().alerts;
  const counted = filter.state === 'active' ? active : undefined;
  return (
    <Segments
      label={text.whose}
      value={filter.about}
      onChange={onChange}
      options={[
        { value: 'all', text: <Counted text={text.all} of={counted} about="all" /> },
        { value: 'gateway', text: <Counted text={text.gateway} of={counted} about="gateway" /> },
      ]}
    />
  );
}

interface CountedProps {
  readonly text: string;
  readonly of: readonly AlertView[] | undefined;
  readonly about: AlertFilter['about'];
}

function Counted({ text, of, about }: CountedProps) {
  return (
    <>
      {text}
      {of && <span class="segment-count">{of.filter(alert => isAbout(about, alert)).length}</span>}
    </>
  );
}

function NotForYou() {
  const { title, text, show } = t().alerts.forbidden;
  return (
    <Notice icon="octagon" title={title} tone="warning">
      <p>{text}</p>
      <p>
        <a class="button" href="/alerts">
          {show}
        </a>
      </p>
    </Notice>
  );
}

interface ActiveAlertsProps {
  readonly alerts: readonly AlertView[];
  readonly about: AlertFilter['about'];
}

function ActiveAlerts({ alerts, about }: ActiveAlertsProps) {
  const sorted = alerts
    .filter(alert => isAbout(about, alert))
    .sort((a, b) => SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] || b.raised_ms - a.raised_ms);
  if (sorted.length > 0) return <AlertList alerts={sorted} />;
  const { none, noneOfGateway } = t().alerts;
  if (about === 'all') {
    return (
      <Notice icon="check" title={none.title} tone="ok">
        <p>{none.text}</p>
      </Notice>
    );
  }
  return (
    <Notice icon="check" title={noneOfGateway.title} tone="ok">
      <p>{noneOfGateway.text}</p>
      {alerts.length > 0 && (
        <p>
          <a class="button" href="/alerts">
            {noneOfGateway.showOthers(alerts.length)}
          </a>
        </p>
      )}
    </Notice>
  );
}

interface ClearedAlertsProps {
  readonly about: AlertFilter['about'];
  readonly changed_ms: number | undefined;
}

/** Asked again when the live list changed, as alerts leave that list for this one. */
function ClearedAlerts({ about, changed_ms }: ClearedAlertsProps) {
  const [alerts, setAlerts] = useState<readonly AlertView[]>();
  /** Where the oldest page ended; undefined before the first one. */
  const [cursor, setCursor] = useState<string | null>();
  const [failure, setFailure] = useState('');
  const load = async (path: string, signal?: AbortSignal) => {
    try {
      const reply = await ask<AlertsReply>(path, signal ? { signal } : {});
      setAlerts(known => merged(known ?? [], reply.alerts));
      setFailure('');
      return reply.next;
    } catch (error) {
      if (!signal?.aborted) setFailure(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    void load(clearedPath(about), stop.signal).then(next => {
      if (next !== undefined) setCursor(known => (known === undefined ? next : known));
    });
    return () => stop.abort();
  }, [changed_ms]);
  const loadOlder = async () => {
    const next = await load(`${clearedPath(about)}&cursor=${encodeURIComponent(cursor ?? '')}`);
    if (next !== undefined) setCursor(next);
  };
  const text = t().alerts;
  if (failure) {
    return (
      <Notice icon="triangle" title={text.clearedFailed} tone="critical">
        <p>{failure}</p>
      </Notice>
    );
  }
  if (!alerts) return <Loading text={text.loadingCleared} />;
  if (alerts.length === 0) {
    const title = about === 'gateway' ? text.noneClearedOfGateway : text.noneCleared;
    return <Notice icon="clock" title={title} />;
  }
  return (
    <>
      <AlertList alerts={alerts} />
      {cursor && (
        <p class="more-below">
          <button type="button" class="button" onClick={() => void loadOlder()}>
            {text.older}
          </button>
        </p>
      )}
    </>
  );
}

/** Each once, newest first; what came later replaces what was known. */
function merged(known: readonly AlertView[], news: readonly AlertView[]): AlertView[] {
  const all = new Map([...known, ...news].map(alert => [alert.id, alert]));
  return [...all.values()].sort((a, b) => b.raised_ms - a.raised_ms || (a.id < b.id ? 1 : -1));
}

function AlertList({ alerts }: { alerts: readonly AlertView[] }) {
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
  const isActive = alert.state === 'active';
  return (
    <article class={`card alert-row ${isActive ? EDGES[alert.severity] : ''}`}>
      <SeverityBadge severity={alert.severity} />
      <div class="alert-text">
        <p class="alert-message">{alert.message}</p>
        <AlertPlace alert={alert} />
      </div>
      <AlertTime alert={alert} />
    </article>
  );
}

function AlertPlace({ alert }: { alert: AlertView }) {
  const { pack_id, cell_no } = alert;
  const { gateway, place, placeOfCell } = t().alerts;
  if (pack_id === null) return <span class="alert-where">{gateway}</span>;
  const [battery, pack] = [alert.battery_name ?? '', alert.pack_name ?? ''];
  return (
    <a class="alert-where" href={alertHref({ pack_id, cell_no })}>
      {cell_no === null ? place(battery, pack) : placeOfCell(battery, pack, cell_no)}
      <Icon name="chevron" size={16} />
    </a>
  );
}

function AlertTime({ alert }: { alert: AlertView }) {
  const now = now_ms.value;
  if (alert.cleared_ms === null) {
    return (
      <div class="alert-time">
        <span>{formatAgo(alert.raised_ms, now)}</span>
        <time dateTime={new Date(alert.raised_ms).toISOString()}>{formatMoment(alert.raised_ms, now)}</time>
      </div>
    );
  }
  return (
    <div class="alert-time">
      <span>
        <Icon name="check" size={14} /> {t().alerts.lasted(formatSpan(alert.cleared_ms - alert.raised_ms))}
      </span>
      <span>{formatFromTo(alert.raised_ms, alert.cleared_ms, now)}</span>
    </div>
  );
}

export function alertHref(alert: { readonly pack_id: string; readonly cell_no: number | null }): string {
  const pack = `/pack/${encodeURIComponent(alert.pack_id)}`;
  return alert.cell_no === null ? pack : `${pack}?cell=${alert.cell_no}`;
}
