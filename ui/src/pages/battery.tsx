/** One battery: its packs side by side, every cell in a strip, so that the weak one stands out. */

import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { BatteryDetail, CellPlace, PackSummary } from '../../../core/contract/model.ts';
import { PACK_METRICS, PackMetric } from '../../../core/metrics.ts';
import { deviationScale, type ScaledMetric } from '../format/cells.ts';
import { bandOf, formatBand, isWorthShowing } from '../format/estimates.ts';
import { partText } from '../format/health.ts';
import { formatMillivolts, formatNumber, type Quantity } from '../format/numbers.ts';
import { byName, worstFirst } from '../format/rank.ts';
import { useRoom } from '../live/live.ts';
import { HealthBadges, healthClass } from '../parts/badges.tsx';
import { PageHead, Segments } from '../parts/controls.tsx';
import { HeatLegend, HeatStrip } from '../parts/heat-strip.tsx';
import { RoomView } from '../parts/notice.tsx';
import { PackServiceBadge } from '../parts/out-of-service.tsx';
import { sortOrder } from '../parts/preferences.ts';
import { useTitle } from '../parts/title.ts';
import { ChargeBar, EstimateNote, Fact, MetricValue, PowerText, QuantityText } from '../parts/value.tsx';
import { t } from '../texts/texts.ts';
import { BatteryHealth, PlaceLink, SortSwitch } from './fleet.tsx';

export function BatteryPage() {
  const { id } = useRoute().params;
  const room = useRoom<'battery'>(`battery:${id}`);
  useTitle(room.value.data?.battery.name ?? t().battery.title);
  return (
    <RoomView room={room} place={t().battery.place}>
      {detail => <Battery detail={detail} />}
    </RoomView>
  );
}

function Battery({ detail }: { detail: BatteryDetail }) {
  const { battery, packs } = detail;
  const text = t().battery;
  const [metric, setMetric] = useState<ScaledMetric>('voltage_v');
  const columns = packs.map(pack => pack.cells[metric]);
  const scale = deviationScale(metric, columns);
  const sorted = [...packs].sort(sortOrder.value === 'worst' ? worstFirst : byName);
  return (
    <>
      <PageHead
        title={battery.name}
        trail={[{ href: '/', text: t().fleet.title }]}
        badge={<HealthBadges of={battery} />}
      >
        <BatteryHealth battery={battery} />
      </PageHead>
      <BatteryFacts detail={detail} />
      <div class="toolbar">
        <h2>{text.packs}</h2>
        <div class="toolbar-group">
          {battery.cell_count > 0 && (
            <Segments
              label={text.coloursShow}
              value={metric}
              onChange={setMetric}
              options={[
                { value: 'voltage_v', text: t().cellViews.voltage },
                { value: 'temperature_c', text: t().cellViews.temperature },
              ]}
            />
          )}
          <SortSwitch />
        </div>
      </div>
      {battery.cell_count > 0 && <HeatLegend metric={metric} scale={scale} columns={columns} />}
      <ul class="pack-rows">
        {sorted.map(pack => (
          <li key={pack.id}>
            <PackRow pack={pack} metric={metric} scale={scale} />
          </li>
        ))}
      </ul>
    </>
  );
}

function BatteryFacts({ detail: { battery } }: { detail: BatteryDetail }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v, cell_temperature_max_c: max_c } = battery;
  const text = t().battery;
  const own = (value: number | null) => ({ value, quality: 'good' as const });
  const band = bandOf(own(battery.estimated_soc_pct), own(battery.estimated_soc_sd_pct));
  const extremes: [string, Quantity, CellPlace | null][] = [
    [
      text.lowestCell,
      { number: formatNumber(min_v, 3), unit: min_v === null ? '' : 'V' },
      battery.lowest_cell,
    ],
    [
      text.highestCell,
      { number: formatNumber(max_v, 3), unit: max_v === null ? '' : 'V' },
      battery.highest_cell,
    ],
    [
      text.largestSpread,
      { number: formatMillivolts(battery.cell_voltage_spread_v), unit: '' },
      battery.widest_spread,
    ],
    [
      text.hottestCell,
      { number: formatNumber(max_c, 1), unit: max_c === null ? '' : '°C' },
      battery.hottest_cell,
    ],
  ];
  return (
    <dl class="totals totals-6">
      <div class="total">
        <dt>{text.charge}</dt>
        <dd>
          <QuantityText
            number={formatNumber(battery.soc_pct, 1)}
            unit={battery.soc_pct === null ? '' : '%'}
          />
          <ChargeBar soc_pct={battery.soc_pct} label={text.charge} band={band} />
          <EstimateNote soc_pct={battery.estimated_soc_pct} sd_pct={battery.estimated_soc_sd_pct} />
        </dd>
      </div>
      <div class="total">
        <dt>{text.power}</dt>
        <dd>
          <PowerText power_w={battery.power_w} />
        </dd>
      </div>
      {extremes.map(([label, quantity, place]) => (
        <div class="total" key={label}>
          <dt>{label}</dt>
          <dd>
            <QuantityText {...quantity} />
            <PlaceLink battery={battery} place={place} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface PackRowProps {
  readonly pack: PackSummary;
  readonly metric: ScaledMetric;
  readonly scale: number;
}

function PackRow({ pack, metric, scale }: PackRowProps) {
  const max_c = pack.cell_temperature_max_c;
  const text = t().battery;
  return (
    <article class={`card pack-row ${healthClass(pack)}`}>
      <div class="pack-name">
        <h3>
          <a class="card-link" href={`/pack/${encodeURIComponent(pack.id)}`}>
            {pack.name}
          </a>
        </h3>
        <HealthBadges of={pack} />
        <PackServiceBadge pack_id={pack.id} />
        {pack.reason && <p class="card-reason">{pack.reason}</p>}
      </div>
      {pack.cells[metric].values.length > 0 ? (
        <HeatStrip column={pack.cells[metric]} metric={metric} scale={scale} />
      ) : (
        <ReportedExtremes pack={pack} />
      )}
      <dl class="facts pack-facts">
        <Fact label={text.soc}>
          <MetricValue metric={PACK_METRICS[PackMetric.soc_pct]} value={pack.soc_pct} decimals={1} />
          {pack.estimated_soc_pct.value !== null && (
            <span class="fact-note" title={text.estimate}>
              <span class="visually-hidden">{text.estimate} </span>
              {shortBand(pack)}
            </span>
          )}
        </Fact>
        <Fact label={text.voltage}>
          <MetricValue metric={PACK_METRICS[PackMetric.voltage_v]} value={pack.voltage_v} />
        </Fact>
        <Fact label={text.current}>
          <MetricValue metric={PACK_METRICS[PackMetric.current_a]} value={pack.current_a} />
        </Fact>
        <Fact label={text.spread} note={partText(pack.deviating_cell_no)}>
          <span class="value">{formatMillivolts(pack.cell_voltage_spread_v)}</span>
        </Fact>
        <Fact label={text.hottest} note={partText(pack.hottest_cell_no, pack.hottest_sensor_no)}>
          <QuantityText number={formatNumber(max_c, 1)} unit={max_c === null ? '' : '°C'} />
        </Fact>
      </dl>
    </article>
  );
}

function shortBand({
  estimated_soc_pct: { value },
  estimated_soc_sd_pct: { value: sd },
}: PackSummary): string {
  return isWorthShowing(value, sd) ? `${formatBand(value, sd)}\u00a0%` : t().estimates.learningShort;
}

/** In the strip's place, for a device that reports no single cell. */
function ReportedExtremes({ pack }: { pack: PackSummary }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v } = pack;
  const text = t().battery;
  return (
    <dl class="reported-extremes">
      <Fact label={text.lowestCell}>
        <QuantityText number={formatNumber(min_v, 3)} unit={min_v === null ? '' : 'V'} />
      </Fact>
      <Fact label={text.highestCell}>
        <QuantityText number={formatNumber(max_v, 3)} unit={max_v === null ? '' : 'V'} />
      </Fact>
    </dl>
  );
}
