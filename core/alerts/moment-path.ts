/** The address on the page of the moment of an alert: its pack's history then, with some time before and after. */
import type { Alert } from './alert.ts';

const MARGIN_MS = 10 * 60_000;
/** As far back as the page shows a history at once. */
const MAX_SPAN_MS = 30 * 86_400_000;

export type Moment = Pick<Alert, 'pack_id' | 'cell_no' | 'occurred_ms' | 'cleared_ms'>;

/** Null: the alert is of no pack. */
export function momentPath({ pack_id, cell_no, occurred_ms, cleared_ms }: Moment): string | null {
  if (pack_id === null) return null;
  const end_ms = cleared_ms !== null && cleared_ms > occurred_ms ? cleared_ms : occurred_ms;
  const margin_ms = Math.min(MAX_SPAN_MS / 4, Math.max(MARGIN_MS, Math.round((end_ms - occurred_ms) / 4)));
  const from_ms = Math.max(0, occurred_ms - margin_ms);
  const query = [
    ...(cell_no === null ? [] : [`cell=${cell_no}`]),
    // An alert of an earlier version does not say when it occurred.
    ...(occurred_ms > 0
      ? [`from=${from_ms}`, `to=${Math.min(end_ms + margin_ms, from_ms + MAX_SPAN_MS)}`]
      : []),
  ].join('&');
  return `/pack/${encodeURIComponent(pack_id)}${query && `?${query}`}`;
}
