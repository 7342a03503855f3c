/** The line chart. Loaded on its own: only the pack page needs Chart.js. */
import {
  CategoryScale,
  Chart,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js';
import type { HistoryReply } from '../../../../core/contract/http.ts';
import { HISTORY_SERIES, type HistorySeries, isUncertain } from '../../format/history.ts';
import { formatNumber } from '../../format/numbers.ts';
import { formatClock, formatHourMinute, formatShortDay } from '../../format/time.ts';
import { currentPalette, hatch } from '../../parts/canvas.ts';
import { t } from '../../texts/texts.ts';

Chart.register(
  CategoryScale,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

type Point = { x: number; y: number | null };

export class HistoryChart {
  readonly #chart: Chart<'line', Point[]>;
  #uncertain: HistoryReply['uncertain'] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#chart = new Chart<'line', Point[]>(canvas, {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        interaction: { mode: 'index', intersect: false },
        elements: { point: { radius: 0, hitRadius: 12, hoverRadius: 4 }, line: { borderWidth: 2 } },
      },
      plugins: [{ id: 'uncertain', beforeDatasetsDraw: chart => drawUncertain(chart, this.#uncertain) }],
    });
  }

  show(reply: HistoryReply, series: HistorySeries, cell_no?: number): void {
    const { unit, decimals, lines } = HISTORY_SERIES[series];
    const palette = currentPalette();
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    const colours = {
      line: palette.accent,
      upper: palette.high,
      lower: palette.low,
      'band-upper': 'transparent',
      'band-lower': 'transparent',
    };
    const data = pointsOf(reply);
    this.#uncertain = reply.uncertain;
    this.#chart.data.datasets = lines(reply, cell_no).map(({ label, values, role }) => ({
      label,
      data: data(values),
      borderColor: colours[role],
      backgroundColor: role.endsWith('lower') ? `${palette.neutral}66` : colours[role],
      borderDash: role === 'lower' ? [6, 3] : [],
      fill: role.endsWith('lower') ? '-1' : false,
      spanGaps: false,
      order: role.startsWith('band') ? 1 : 0,
    }));
    const axis = { ticks: { color: palette.muted, maxRotation: 0 }, grid: { color: `${palette.line}55` } };
    Object.assign(this.#chart.options, {
      scales: {
        x: {
          type: 'linear',
          min: reply.from_ms,
          max: reply.to_ms,
          ...axis,
          ticks: {
            ...axis.ticks,
            autoSkip: true,
            maxTicksLimit: 7,
            stepSize: tickStep(reply.to_ms - reply.from_ms),
            callback: (value: number | string) =>
              reply.to_ms - reply.from_ms > DAYS_FROM_MS
                ? formatShortDay(Number(value))
                : formatHourMinute(Number(value)),
          },
        },
        y: {
          ...axis,
          grace: '8%',
          ticks: {
            ...axis.ticks,
            // No closer together than labels can show.
            precision: decimals,
            callback: (value: number | string) => `${formatNumber(Number(value), decimals)} ${unit}`,
          },
        },
      },
      plugins: {
        legend: {
          display: true,
          labels: {
            color: palette.text,
            boxHeight: 2,
            boxWidth: 24,
            // A band is recognized by its line.
            filter: (item: { strokeStyle?: unknown }) => item.strokeStyle !== 'transparent',
          },
        },
        tooltip: {
          callbacks: {
            title: (items: { parsed: { x: number | null } }[]) => momentTitle(reply, items[0]?.parsed.x ?? 0),
            label: (item: { dataset: { label?: string }; parsed: { y: number | null } }) =>
              t().history.value(item.dataset.label ?? '', `${formatNumber(item.parsed.y, decimals)} ${unit}`),
          },
        },
      },
    });
    this.#chart.update('none');
  }

  destroy(): void {
    this.#chart.destroy();
  }
}

/** A single reading is seen too. */
const NARROWEST_BAND_PX = 6;

/** Hatched from top to bottom, between dashed edges: seen without colour, and lines stay readable over it. */
function drawUncertain(
  { ctx, chartArea: { left, right, top, bottom }, scales }: Pick<Chart, 'ctx' | 'chartArea' | 'scales'>,
  spans: HistoryReply['uncertain'],
): void {
  const { line } = currentPalette();
  ctx.save();
  for (const [from_ms, to_ms] of spans) {
    const [from, to] = [from_ms, to_ms].map(t_ms => scales.x.getPixelForValue(t_ms));
    const more = Math.max(0, NARROWEST_BAND_PX - (to - from)) / 2;
    const [start, end] = [Math.max(left, from - more), Math.min(right, to + more)];
    ctx.globalAlpha = 0.35;
    hatch(ctx, start, top, end - start, bottom - top, line);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = line;
    ctx.lineWidth = 1;
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    for (const x of [start, end]) {
      ctx.moveTo(x, top);
      ctx.lineTo(x, bottom);
    }
    ctx.stroke();
  }
  ctx.restore();
}

/** Ticks further apart than some hours say the day. */
const DAYS_FROM_MS = 2 * 86_400_000;

/** Points of a line; where steps are missing in between, the line is broken. */
function pointsOf({ t_ms, resolution_ms }: HistoryReply): (values: readonly (number | null)[]) => Point[] {
  return values => {
    const points: Point[] = [];
    t_ms.forEach((x, at) => {
      const before = t_ms[at - 1];
      if (resolution_ms > 0 && before !== undefined && x - before > resolution_ms)
        points.push({ x: before + resolution_ms, y: null });
      points.push({ x, y: values[at] ?? null });
    });
    return points;
  };
}

/** A bucket is shown by its begin and end. */
function momentTitle(reply: HistoryReply, t_ms: number): string {
  const { resolution_ms } = reply;
  const { history, common, times } = t();
  const span = common.fromTo(formatHourMinute(t_ms), formatHourMinute(t_ms + resolution_ms));
  const moment = resolution_ms === 0 ? formatClock(t_ms) : times.dayAndTime(formatShortDay(t_ms), span);
  return isUncertain(reply, t_ms) ? history.uncertainMoment(moment) : moment;
}

/** Whole minutes, hours or days, about six to the span. */
function tickStep(span_ms: number): number {
  const steps_min = [1, 2, 3, 5, 10, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 7200];
  const wanted_min = span_ms / 60_000 / 6;
  return (steps_min.find(step => step >= wanted_min) ?? 10_080) * 60_000;
}
