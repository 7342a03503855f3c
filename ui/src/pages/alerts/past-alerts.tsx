/** Alerts whose condition has ended, page by page from the history. */
import { useEffect, useState } from 'preact/hooks';
import type { AlertsReply } from '../../../../core/contract/http.ts';
import type { AlertView } from '../../../../core/contract/model.ts';
import { ask } from '../../api/session.ts';
import { type AlertFilter, clearedPath } from '../../format/alert-filter.ts';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';
import { AlertList } from './alert-row.tsx';

interface ClearedAlertsProps {
  readonly about: AlertFilter['about'];
  readonly changed_ms: number | undefined;
}

/** Asked again when the live list changed, as alerts leave that list for this one. */
export function ClearedAlerts({ about, changed_ms }: ClearedAlertsProps) {
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
