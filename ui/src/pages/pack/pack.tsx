/** One pack: its values, every cell, its past, and what the device itself says. */
import { useLocation, useRoute } from 'preact-iso/router';
import type { PackDetail, PackSummary } from '../../../../core/contract/model.ts';
import { PACK_METRICS, PackMetric, type PackMetricName } from '../../../../core/metrics.ts';
import { bandOf } from '../../format/estimates.ts';
import { cellHref, partText } from '../../format/health.ts';
import { type HistorySpan, spanAsked } from '../../format/history.ts';
import { NO_VALUE, quantityOf } from '../../format/numbers.ts';
import { shownValue } from '../../format/quality.ts';
import { formatAgo } from '../../format/time.ts';
import { now_ms, useRoom } from '../../live/live.ts';
import { HealthBadges } from '../../parts/badges.tsx';
import { PageHead, Section } from '../../parts/controls.tsx';
import { RoomView } from '../../parts/notice.tsx';
import { PackServiceBadge } from '../../parts/out-of-service.tsx';
import { useTitle } from '../../parts/title.ts';
import {
  ChargeBar,
  EstimateNote,
  MetricValue,
  PowerText,
  QualityTag,
  QuantityText,
} from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';
import { Cells } from './cells.tsx';
import { DeviceAlarms, Identity, MoreValues, RaisedAlarms, Sensors } from './device.tsx';
import { Estimates } from './estimates.tsx';
import { History } from './history.tsx';
import { PackOutOfService, PackService } from './service.tsx';

export function PackPage() {
  const { id } = useRoute().params;
  const room = useRoom<'pack'>(`pack:${id}`);
  const { query } = useLocation();
  const cell_no = Number(query.cell) || undefined;
  useTitle(room.value.data?.name ?? t().pack.title);
  return (
    <RoomView room={room} place={t().pack.place}>
      {pack => <Pack pack={pack} cell_no={cell_no} span={spanAsked(query)} />}
    </RoomView>
  );
}

interface PackProps {
  readonly pack: PackDetail;
  readonly cell_no: number | undefined;
  readonly span: HistorySpan | undefined;
}

function Pack({ pack, cell_no, span }: PackProps) {
  const { summary } = pack;
  const text = t().pack;
  return (
    <>
      <PageHead
        title={pack.name}
        trail={[
          { href: '/', text: t().fleet.title },
          { href: `/battery/${encodeURIComponent(pack.battery_id)}`, text: pack.battery_name },
        ]}
        badge={
          <>
            <HealthBadges of={summary} />
            <PackServiceBadge pack_id={pack.id} />
          </>
        }
      >
        {summary.reason && <strong class="page-reason">{summary.reason}</strong>}
        <OutOfLine summary={summary} />
        <span class="quiet">{summary.t_ms === null ? text.never : <Newest t_ms={summary.t_ms} />}</span>
      </PageHead>
      <PackOutOfService pack={pack} />
      <RaisedAlarms pack={pack} />
      <PackTotals pack={pack} />
      <div class="pack-columns">
        <div class="pack-main">
          <Cells pack={pack} cell_no={cell_no} />
          {pack.cell_count > 0 && <Estimates key={pack.id} pack={pack} />}
          <Section title={t().history.title}>
            <History pack_id={pack.id} cell_count={pack.cell_count} cell_no={cell_no} span={span} />
          </Section>
        </div>
        <div class="pack-side">
          <DeviceAlarms pack={pack} />
          <MoreValues pack={pack} />
          <Sensors pack={pack} />
          <Identity pack={pack} />
          <PackService pack={pack} />
        </div>
      </div>
    </>
  );
}

/** Which cells, each leading to its tile. */
function OutOfLine({ summary: { id, cells_out_of_line } }: { summary: PackSummary }) {
  if (cells_out_of_line.length === 0) return null;
  return (
    <span class="out-of-line">
      {t().health.outOfLine}{' '}
      {cells_out_of_line.slice(0, MAX_NAMED_CELLS).map(no => (
        <a key={no} href={cellHref(id, no)}>
          {t().health.cell(no)}
        </a>
      ))}
      {cells_out_of_line.length > MAX_NAMED_CELLS && '…'}
    </span>
  );
}

function Newest({ t_ms }: { t_ms: number }) {
  return <>{t().pack.newest(formatAgo(t_ms, now_ms.value))}</>;
}

const HEAD_METRICS: readonly PackMetricName[] = ['voltage_v', 'current_a', 'soh_pct'];
const MAX_NAMED_CELLS = 6;

function PackTotals({ pack: { values, summary } }: { pack: PackDetail }) {
  const text = t().pack;
  return (
    <dl class="totals totals-6">
      <div class="total">
        <dt>{text.charge}</dt>
        <dd>
          <MetricValue metric={PACK_METRICS[PackMetric.soc_pct]} value={values.soc_pct} decimals={1} />
          <ChargeBar
            soc_pct={values.soc_pct.value}
            quality={values.soc_pct.quality}
            label={text.charge}
            band={bandOf(values.estimated_soc_pct, values.estimated_soc_sd_pct)}
          />
          <EstimateNote soc_pct={values.estimated_soc_pct.value} sd_pct={values.estimated_soc_sd_pct.value} />
        </dd>
      </div>
      <div class="total">
        <dt>{text.power}</dt>
        <dd>
          <PackPower values={values} />
        </dd>
      </div>
      <HottestTotal values={values} summary={summary} />
      {HEAD_METRICS.map(name => (
        <div class="total" key={name}>
          <dt>{t().quantities.pack[name]}</dt>
          <dd>
            <MetricValue metric={PACK_METRICS[PackMetric[name]]} value={values[name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The hottest cell and which it is; what the device says of the pack as a whole stands below it. */
function HottestTotal({ values, summary }: Pick<PackDetail, 'values' | 'summary'>) {
  const { cell_temperature_max_c: max_c, hottest_cell_no, hottest_sensor_no } = summary;
  const text = t().pack;
  const metric = PACK_METRICS[PackMetric.temperature_c];
  const { temperature_c } = values;
  if (max_c === null)
    return (
      <div class="total">
        <dt>{t().quantities.pack.temperature_c}</dt>
        <dd>
          <MetricValue metric={metric} value={temperature_c} />
        </dd>
      </div>
    );
  const mean = quantityOf(metric, shownValue(temperature_c));
  return (
    <div class="total">
      <dt>{hottest_sensor_no === null ? text.hottestCell : text.hottestSensor}</dt>
      <dd>
        <QuantityText {...quantityOf(metric, max_c)} />
        {hottest_cell_no !== null && (
          <a class="total-note" href={cellHref(summary.id, hottest_cell_no)}>
            {partText(hottest_cell_no)}
          </a>
        )}
        {hottest_sensor_no !== null && <span class="total-note">{partText(null, hottest_sensor_no)}</span>}
        {temperature_c.quality === 'good' && (
          <span class="total-note">{text.packTemperature(`${mean.number} ${mean.unit}`)}</span>
        )}
      </dd>
    </div>
  );
}

/** Voltage times current, only while both can be trusted. */
function PackPower({ values: { voltage_v, current_a } }: { values: PackDetail['values'] }) {
  const doubted = [voltage_v, current_a].find(({ quality }) => quality !== 'good');
  const power_w =
    doubted || voltage_v.value === null || current_a.value === null
      ? null
      : voltage_v.value * current_a.value;
  if (doubted)
    return (
      <span class={`metric-value is-${doubted.quality}`}>
        <span class="value">{NO_VALUE}</span>
        <QualityTag quality={doubted.quality} />
      </span>
    );
  return <PowerText power_w={power_w} />;
}
