/** One battery: its packs side by side, every cell in a strip, so that the weak one stands out. */

import { useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import type { BatteryDetail, PackSummary } from '../../../core/contract/model.ts';
import { PACK_METRICS, PackMetric } from '../../../core/metrics.ts';
import { deviationScale, type ScaledMetric } from '../format/cells.ts';
import { countOf, formatMillivolts, formatNumber } from '../format/numbers.ts';
import { byName, worstFirst } from '../format/rank.ts';
import { useRoom } from '../live/live.ts';
import { AlertChips, faultClass, HeadBadge } from '../parts/badges.tsx';
import { PageHead, Segments } from '../parts/controls.tsx';
import { HeatLegend, HeatStrip } from '../parts/heat-strip.tsx';
import { RoomView } from '../parts/notice.tsx';
import { sortOrder } from '../parts/preferences.ts';
import { useTitle } from '../parts/title.ts';
import { ChargeBar, Fact, MetricValue, PowerText, QuantityText } from '../parts/value.tsx';
import { t } from '../texts/texts.ts';
import { describeBattery, SortSwitch } from './fleet.tsx';

export function BatteryPage() {
  const { id } = useRoute().params;
  const room = useRoom<'battery'>(`battery:${id}`);
  useTitle(room.value.data?.battery.name ?? 'Battery');
  return (
    <RoomView room={room} place={t().battery.place}>
      {detail => <Battery detail={detail} />}
    </RoomView>
  );
}

function Battery({ detail }: { detail: BatteryDetail }) {
  const { battery, packs } = detail;
  const [metric, setMetric] = useState<ScaledMetric>('voltage_v');
  const columns = packs.map(pack => pack.cells[metric]);
  const scale = deviationScale(metric, columns);
  const sorted = [...packs].sort(sortOrder.value === 'worst' ? worstFirst : byName);
  return (
    <>
      <PageHead
        title={battery.name}
        trail={[{ href: '/', text: 'Fleet' }]}
        badge={<HeadBadge state={battery.state} alerts={battery.alerts} />}
      >
        {describeBattery(battery)}
        {battery.cell_count > 0 && ` · ${countOf(battery.cell_count, 'cell')}`}
      </PageHead>
      <BatteryFacts detail={detail} />
      <div class="toolbar">
        <h2>Packs</h2>
        <div class="toolbar-group">
          {battery.cell_count > 0 && (
            <Segments
              label="Colours show"
              value={metric}
              onChange={setMetric}
              options={[
                { value: 'voltage_v', text: 'Voltage' },
                { value: 'temperature_c', text: 'Temperature' },
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
  return (
    <dl class="totals">
      <div class="total">
        <dt>State of charge</dt>
        <dd>
          <QuantityText
            number={formatNumber(battery.soc_pct, 1)}
            unit={battery.soc_pct === null ? '' : '%'}
          />
          <ChargeBar soc_pct={battery.soc_pct} label="State of charge" />
        </dd>
      </div>
      <div class="total">
        <dt>Power</dt>
        <dd>
          <PowerText power_w={battery.power_w} />
        </dd>
      </div>
      <div class="total">
        <dt>Cell voltages</dt>
        <dd>
          <span class="value">
            {formatMillivolts(min_v === null || max_v === null ? null : max_v - min_v)}
          </span>
          <span class="total-note">
            {formatNumber(min_v, 3)} to {formatNumber(max_v, 3)} V
          </span>
        </dd>
      </div>
      <div class="total">
        <dt>Hottest cell</dt>
        <dd>
          <QuantityText number={formatNumber(max_c, 1)} unit={max_c === null ? '' : '°C'} />
        </dd>
      </div>
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
  return (
    <article class={`card pack-row ${faultClass(pack.state, pack.alerts)}`}>
      <div class="pack-name">
        <h3>
          <a class="card-link" href={`/pack/${encodeURIComponent(pack.id)}`}>
            {pack.name}
          </a>
        </h3>
        <HeadBadge state={pack.state} alerts={pack.alerts} />
        {pack.state !== 'ok' && <AlertChips alerts={pack.alerts} />}
        {pack.reason && <p class="card-reason">{pack.reason}</p>}
      </div>
      {pack.cells[metric].values.length > 0 ? (
        <HeatStrip column={pack.cells[metric]} metric={metric} scale={scale} />
      ) : (
        <ReportedExtremes pack={pack} />
      )}
      <dl class="facts pack-facts">
        <Fact label="SoC">
          <MetricValue metric={PACK_METRICS[PackMetric.soc_pct]} value={pack.soc_pct} decimals={1} />
        </Fact>
        <Fact label="Voltage">
          <MetricValue metric={PACK_METRICS[PackMetric.voltage_v]} value={pack.voltage_v} />
        </Fact>
        <Fact label="Current">
          <MetricValue metric={PACK_METRICS[PackMetric.current_a]} value={pack.current_a} />
        </Fact>
        <Fact label="Spread">
          <span class="value">{formatMillivolts(pack.cell_voltage_spread_v)}</span>
        </Fact>
        <Fact label="Hottest">
          <QuantityText number={formatNumber(max_c, 1)} unit={max_c === null ? '' : '°C'} />
        </Fact>
      </dl>
    </article>
  );
}

/** In the strip's place, for a device that reports no single cell. */
function ReportedExtremes({ pack }: { pack: PackSummary }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v } = pack;
  return (
    <dl class="reported-extremes">
      <Fact label="Lowest cell">
        <QuantityText number={formatNumber(min_v, 3)} unit={min_v === null ? '' : 'V'} />
      </Fact>
      <Fact label="Highest cell">
        <QuantityText number={formatNumber(max_v, 3)} unit={max_v === null ? '' : 'V'} />
      </Fact>
    </dl>
  );
}
