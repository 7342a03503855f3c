/** A pack's past as lines: which quantity, how far back. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { systemClock } from '../../../../core/clock/system-clock.ts';
import type { HistoryReply } from '../../../../core/contract/http.ts';
import { ask } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { HISTORY_SERIES, type HistorySeries, type HistorySpan, uncertainText } from '../../format/history.ts';
import { formatNumber } from '../../format/numbers.ts';
import { formatFromTo, formatSpan } from '../../format/time.ts';
import { feed, now_ms } from '../../live/live.ts';
import { Segments } from '../../parts/controls.tsx';
import { theme } from '../../parts/preferences.ts';
import { t } from '../../texts/texts.ts';
import type { HistoryChart } from './history-chart.ts';

const RANGES = {
  m15: { span_ms: 15 * 60_000, every_ms: 10_000 },
  h1: { span_ms: 3_600_000, every_ms: 20_000 },
  h24: { span_ms: 24 * 3_600_000, every_ms: 60_000 },
  d7: { span_ms: 7 * 24 * 3_600_000, every_ms: 300_000 },
  d30: { span_ms: 30 * 24 * 3_600_000, every_ms: 600_000 },
} as const;
type Range = keyof typeof RANGES;
const SERIES_NAMES = Object.keys(HISTORY_SERIES) as HistorySeries[];
const MAX_POINTS = 600;
/** Bounds what a reply for a pack of many cells weighs. */
const MAX_CELL_POINTS = 60_000;

interface HistoryProps {
  readonly pack_id: string;
  readonly cell_count: number;
  /** Drawn beside the extremes. */
  readonly cell_no: number | undefined;
  /** Asked for by the address. */
  readonly span: HistorySpan | undefined;
}

export function History({ pack_id, cell_count, cell_no, span }: HistoryProps) {
  const card = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<Range | 'moment'>(span ? 'moment' : 'm15');
  useEffect(() => {
    setRange(span ? 'moment' : 'm15');
    if (span) card.current?.scrollIntoView({ block: 'center' });
  }, [pack_id, span?.from_ms, span?.to_ms]);
  const [series, setSeries] = useState<HistorySeries>(cell_count > 0 ? 'cells' : 'voltage');
  const asked = range === 'moment' ? span : undefined;
  const { history, failure } = useHistory(pack_id, cell_count, range === 'moment' ? 'm15' : range, asked);
  const doubt = history && uncertainText(history, history.to_ms);
  const text = t().history;
  return (
    <div class="card history" ref={card}>
      <div class="toolbar">
        <Segments
          label={text.quantity}
          value={series}
          onChange={setSeries}
          options={SERIES_NAMES.filter(name => name !== 'cells' || cell_count > 0).map(name => ({
            value: name,
            text: text.series[name].title,
          }))}
        />
        <Segments
          label={text.range}
          value={range}
          onChange={setRange}
          options={[
            ...(span ? [{ value: 'moment' as const, text: text.moment }] : []),
            ...(Object.keys(RANGES) as Range[]).map(name => ({ value: name, text: text.ranges[name] })),
          ]}
        />
      </div>
      {failure && (
        <p class="form-error" role="alert">
          {failure}
        </p>
      )}
      {asked && <p class="quiet">{formatFromTo(asked.from_ms, asked.to_ms, now_ms.value)}</p>}
      <Chart history={history} series={series} cell_no={cell_no} />
      {doubt && (
        <p class="chart-key">
          <span class="hatch-key" aria-hidden="true" />
          <span>{text.hatched(doubt)}</span>
        </p>
      )}
      <p class="quiet" role="status">
        {describeHistory(history)}
      </p>
    </div>
  );
}

function describeHistory(history: HistoryReply | undefined): string {
  const text = t().history;
  if (!history) return text.loading;
  if (history.reading_count === 0) return text.none;
  const count = formatNumber(history.reading_count, 0);
  if (history.resolution_ms > 0) return text.steps(count, formatSpan(history.resolution_ms));
  const repeated_count = history.is_repeated?.filter(Boolean).length ?? 0;
  const repeated = repeated_count > 0 ? text.repeated(formatNumber(repeated_count, 0)) : '';
  const thinned = history.t_ms.length < history.reading_count;
  const shown = thinned ? text.shown(formatNumber(history.t_ms.length, 0), count) : text.readings(count);
  return shown + repeated;
}

/** Of a span that is over once; else again and again. */
function useHistory(pack_id: string, cell_count: number, range: Range, span: HistorySpan | undefined) {
  const [history, setHistory] = useState<HistoryReply>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof systemClock.setTimer> | undefined;
    const { span_ms, every_ms } = RANGES[range];
    const max_points = Math.max(
      50,
      Math.min(MAX_POINTS, Math.floor(MAX_CELL_POINTS / Math.max(1, cell_count))),
    );
    const load = async () => {
      const now = Math.round(feed.gatewayNow());
      const { from_ms, to_ms } = span ?? { from_ms: now - span_ms, to_ms: now };
      const query = `from_ms=${from_ms}&to_ms=${to_ms}&max_points=${max_points}`;
      try {
        const reply = await ask<HistoryReply>(`/api/packs/${encodeURIComponent(pack_id)}/history?${query}`, {
          signal: stop.signal,
        });
        setHistory(reply);
        setFailure('');
      } catch (error) {
        if (stop.signal.aborted) return;
        setFailure(t().history.failed(messageOf(error)));
      }
      const isOver = span !== undefined && to_ms < now;
      if (!stop.signal.aborted && !isOver) timer = systemClock.setTimer(() => void load(), every_ms);
    };
    setHistory(undefined);
    void load();
    return () => {
      stop.abort();
      systemClock.clearTimer(timer);
    };
  }, [pack_id, cell_count, range, span?.from_ms, span?.to_ms]);
  return { history, failure };
}

interface ChartProps {
  readonly history: HistoryReply | undefined;
  readonly series: HistorySeries;
  readonly cell_no: number | undefined;
}

function Chart({ history, series, cell_no }: ChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const chart = useRef<HistoryChart | undefined>(undefined);
  const [isReady, setReady] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const shown = theme.value;
  useEffect(() => {
    let isGone = false;
    import('./history-chart.ts').then(
      ({ HistoryChart }) => {
        if (isGone || !canvas.current) return;
        chart.current = new HistoryChart(canvas.current);
        setReady(true);
      },
      () => setFailed(true),
    );
    return () => {
      isGone = true;
      chart.current?.destroy();
    };
  }, []);
  useEffect(() => {
    if (history) chart.current?.show(history, series, cell_no);
  }, [history, series, cell_no, isReady, shown]);
  const doubt = history && uncertainText(history, history.to_ms);
  const { title } = t().history.series[series];
  if (hasFailed) return <p class="form-error">{t().history.noChart}</p>;
  return (
    <div class="chart">
      <canvas
        ref={canvas}
        role="img"
        aria-label={doubt ? t().history.overTimeInDoubt(title, doubt) : t().history.overTime(title)}
      />
    </div>
  );
}
