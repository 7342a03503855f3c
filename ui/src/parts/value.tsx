/** Values with their unit and, when they cannot be trusted, their mark. */
import type { ComponentChildren } from 'preact';
import type { QualifiedValue } from '../../../core/contract/model.ts';
import type { Metric } from '../../../core/metrics.ts';
import type { QualityName } from '../../../core/reading/quality.ts';
import { type Band, formatBand, isWorthShowing } from '../format/estimates.ts';
import { flowOf, powerQuantity, type Quantity, quantityOf } from '../format/numbers.ts';
import { qualityMark, shownValue } from '../format/quality.ts';
import { t } from '../texts/texts.ts';
import { Icon, type IconName } from './icons.tsx';

const QUALITY_ICONS: Readonly<Record<Exclude<QualityName, 'good'>, IconName>> = {
  stale: 'clock',
  suspect: 'triangle',
  missing: 'question',
};

/** Nothing for good values. */
export function QualityTag({ quality }: { quality: QualityName }) {
  const mark = qualityMark(quality);
  if (!mark || quality === 'good') return null;
  return (
    <span class={`quality quality-${quality}`} title={mark.title}>
      <Icon name={QUALITY_ICONS[quality]} size={14} />
      {mark.word}
    </span>
  );
}

export function QuantityText({ number, unit }: Quantity) {
  return (
    <span class="value">
      {number}
      {unit && <span class="unit"> {unit}</span>}
    </span>
  );
}

interface MetricValueProps {
  readonly metric: Metric;
  readonly value: QualifiedValue;
  /** Fewer than the metric's resolution has. */
  readonly decimals?: number;
}

/** A value with its unit and its quality. */
export function MetricValue({ metric, value, decimals }: MetricValueProps) {
  return (
    <span class={`metric-value is-${value.quality}`}>
      <QuantityText {...quantityOf(metric, shownValue(value), decimals)} />
      <QualityTag quality={value.quality} />
    </span>
  );
}

const FLOW_ICONS = { charging: 'down', discharging: 'up', idle: 'idle', unknown: 'question' } as const;

/** Power with its direction in words: a sign alone is read wrong half of the time. */
export function PowerText({ power_w }: { power_w: number | null }) {
  const flow = flowOf(power_w);
  return (
    <span class={`power power-${flow}`}>
      <QuantityText {...powerQuantity(power_w)} />
      <span class="power-word">
        <Icon name={FLOW_ICONS[flow]} size={16} />
        {t().flows[flow]}
      </span>
    </span>
  );
}

interface FactProps {
  readonly label: ComponentChildren;
  readonly children: ComponentChildren;
  /** Below the value, small: where it was found. */
  readonly note?: string;
}

/** A labelled value in a strip or list: `<dl class="facts">` around it. */
export function Fact({ label, children, note }: FactProps) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd>
        {children}
        {note && <span class="fact-note">{note}</span>}
      </dd>
    </div>
  );
}

interface ChargeBarProps {
  readonly soc_pct: number | null;
  readonly label: string;
  /** Drawn without colour when it cannot be trusted. */
  readonly quality?: QualityName;
  /** Of the gateway's estimate, over it. */
  readonly band?: Band | undefined;
}

/** State of charge as a bar; the number stands beside it. */
export function ChargeBar({ soc_pct, label, quality = 'good', band }: ChargeBarProps) {
  if (soc_pct === null || quality === 'missing') {
    return (
      <div
        class="charge-bar is-missing"
        role="img"
        aria-label={t().common.labelled(label, t().qualities.missing.inText)}
      >
        {band && <ChargeBand band={band} />}
      </div>
    );
  }
  const width = `${Math.max(0, Math.min(100, soc_pct)).toFixed(1)}%`;
  return (
    <div
      class={`charge-bar is-${quality}`}
      role="img"
      aria-label={t().common.labelled(label, `${Math.round(soc_pct)} % ${qualityMark(quality)?.word ?? ''}`)}
    >
      <div class="charge-fill" style={{ width }} />
      {band && <ChargeBand band={band} />}
    </div>
  );
}

function ChargeBand({ band: { low_pct, high_pct } }: { band: Band }) {
  return (
    <div
      class="charge-band"
      style={{ left: `${low_pct.toFixed(1)}%`, width: `${Math.max(0.5, high_pct - low_pct).toFixed(1)}%` }}
    />
  );
}

/** The gateway's own figure, under that of the device. */
export function EstimateNote({ soc_pct, sd_pct }: { soc_pct: number | null; sd_pct: number | null }) {
  if (soc_pct === null || sd_pct === null) return null;
  if (!isWorthShowing(soc_pct, sd_pct)) return <span class="total-note">{t().estimates.learning}</span>;
  return <span class="total-note">{t().estimates.estimate(formatBand(soc_pct, sd_pct))}</span>;
}
