/** Alerts: what is wrong now, and what was. */
import { useEffect, useState } from 'preact/hooks';
import type { AlertsReply } from '../../../core/contract/http.ts';
import type { AlertView } from '../../../core/contract/model.ts';
import { ask } from '../api/session.ts';
import { formatAgo, formatMoment, formatSpan } from '../format/time.ts';
import { now_ms, useRoom } from '../live/live.ts';
import { SeverityBadge } from '../parts/badges.tsx';
import { PageHead, Segments } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { Loading, Notice, RoomView } from '../parts/notice.tsx';
import { useTitle } from '../parts/title.ts';

type Tab = 'active' | 'cleared';
const EDGES = { critical: 'has-critical', warning: 'has-warning', info: '' } as const;
const SEVERITY_RANK = { critical: 0, warning: 1, info: 2 } as const;

export function AlertsPage() {
  useTitle('Alerts');
  const [tab, setTab] = useState<Tab>('active');
  const room = useRoom<'alerts'>('alerts');
  return (
    <>
      <PageHead title="Alerts" />
      <div class="toolbar">
        <Segments
          label="Which alerts"
          value={tab}
          onChange={setTab}
          options={[
            { value: 'active', text: 'Active' },
            { value: 'cleared', text: 'Cleared' },
          ]}
        />
      </div>
      {tab === 'active' ? (
        <RoomView room={room} what="alert list">
          {({ alerts }) => <ActiveAlerts alerts={alerts.filter(alert => alert.state === 'active')} />}
        </RoomView>
      ) : (
        <ClearedAlerts changed_ms={room.value.t_ms} />
      )}
    </>
  );
}

function ActiveAlerts({ alerts }: { alerts: readonly AlertView[] }) {
  if (alerts.length === 0) {
    return (
      <Notice icon="check" title="No active alerts" tone="ok">
        <p>Nothing is beyond its limits right now.</p>
      </Notice>
    );
  }
  const sorted = [...alerts].sort(
    (a, b) => SEVERITY_RANK[a.severity] - SEVERITY_RANK[b.severity] || b.raised_ms - a.raised_ms,
  );
  return <AlertList alerts={sorted} />;
}

const CLEARED_PATH = '/api/alerts?state=cleared&limit=100';

/** Asked again when the live list changed, as alerts leave that list for this one. */
function ClearedAlerts({ changed_ms }: { changed_ms: number | undefined }) {
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
    void load(CLEARED_PATH, stop.signal).then(next => {
      if (next !== undefined) setCursor(known => (known === undefined ? next : known));
    });
    return () => stop.abort();
  }, [changed_ms]);
  const loadOlder = async () => {
    const next = await load(`${CLEARED_PATH}&cursor=${encodeURIComponent(cursor ?? '')}`);
    if (next !== undefined) setCursor(next);
  };
  if (failure) {
    return (
      <Notice icon="triangle" title="Cleared alerts could not be loaded" tone="critical">
        <p>{failure}</p>
      </Notice>
    );
  }
  if (!alerts) return <Loading what="cleared alerts" />;
  if (alerts.length === 0) return <Notice icon="clock" title="No alert was cleared yet" />;
  return (
    <>
      <AlertList alerts={alerts} />
      {cursor && (
        <p class="more-below">
          <button type="button" class="button" onClick={() => void loadOlder()}>
            Show older alerts
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
  if (pack_id === null) return <span class="alert-where">Gateway</span>;
  return (
    <a class="alert-where" href={alertHref({ pack_id, cell_no })}>
      {alert.battery_name} › {alert.pack_name}
      {cell_no !== null && `, cell ${cell_no}`}
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
        <Icon name="check" size={14} /> lasted {formatSpan(alert.cleared_ms - alert.raised_ms)}
      </span>
      <span>
        {formatMoment(alert.raised_ms, now)} – {formatMoment(alert.cleared_ms, now)}
      </span>
    </div>
  );
}

export function alertHref(alert: { readonly pack_id: string; readonly cell_no: number | null }): string {
  const pack = `/pack/${encodeURIComponent(alert.pack_id)}`;
  return alert.cell_no === null ? pack : `${pack}?cell=${alert.cell_no}`;
}
