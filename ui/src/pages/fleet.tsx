/** The whole site: totals, and one card per battery. */
import type { BatterySummary, FleetState } from '../../../core/contract/model.ts';
import { formatMillivolts, formatNumber } from '../format/numbers.ts';
import { byName, totalAlerts, worstFirst } from '../format/rank.ts';
import { sumUp } from '../format/totals.ts';
import { useRoom } from '../live/live.ts';
import { AlertChips, faultClass, HeadBadge } from '../parts/badges.tsx';
import { PageHead, Segments } from '../parts/controls.tsx';
import { Notice, RoomView } from '../parts/notice.tsx';
import { sortOrder } from '../parts/preferences.ts';
import { useTitle } from '../parts/title.ts';
import { ChargeBar, Fact, PowerText, QuantityText } from '../parts/value.tsx';
import { t } from '../texts/texts.ts';
import { FleetMap } from './fleet-map.tsx';

export function FleetPage() {
  const room = useRoom<'fleet'>('fleet');
  useTitle(room.value.data?.site.name ?? t().fleet.title);
  return (
    <RoomView room={room} place={t().fleet.place}>
      {fleet => <Fleet fleet={fleet} />}
    </RoomView>
  );
}

function Fleet({ fleet }: { fleet: FleetState }) {
  const { site, batteries } = fleet;
  const { fleet: text, counts } = t();
  const totals = sumUp(batteries);
  const sorted = [...batteries].sort(sortOrder.value === 'worst' ? worstFirst : byName);
  return (
    <>
      <PageHead title={site.name}>
        {counts.batteries(batteries.length)} · {counts.packs(totals.packs)}
        {totals.cells > 0 && ` · ${counts.cells(totals.cells)}`}
      </PageHead>
      {batteries.length === 0 ? (
        <Notice icon="fleet" title={text.none.title}>
          <p>{text.none.text}</p>
        </Notice>
      ) : (
        <>
          <Totals totals={totals} />
          <FleetMap batteries={batteries} />
          <div class="toolbar">
            <h2>{text.batteries}</h2>
            <SortSwitch />
          </div>
          <ul class="card-grid">
            {sorted.map(battery => (
              <li key={battery.id}>
                <BatteryCard battery={battery} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

export function SortSwitch() {
  const text = t().fleet;
  return (
    <Segments
      label={text.order}
      value={sortOrder.value}
      onChange={order => {
        sortOrder.value = order;
      }}
      options={[
        { value: 'worst', text: text.worstFirst },
        { value: 'name', text: text.byName },
      ]}
    />
  );
}

function Totals({ totals }: { totals: ReturnType<typeof sumUp> }) {
  const text = t().fleet;
  const notOk = totals.packs - totals.packs_ok;
  const alertCount = totalAlerts(totals.alerts);
  return (
    <dl class="totals">
      <div class="total">
        <dt>{text.power}</dt>
        <dd>
          <PowerText power_w={totals.power_w} />
        </dd>
      </div>
      <div class="total">
        <dt>{text.packsOk}</dt>
        <dd>
          <span class="value">
            {totals.packs_ok}
            <span class="unit"> {text.ofAll(totals.packs)}</span>
          </span>
          <span class={notOk > 0 ? 'total-note tone-warning' : 'total-note'}>
            {notOk > 0 ? text.needAttention(notOk) : text.allGood}
          </span>
        </dd>
      </div>
      <div class="total">
        <dt>{text.batteriesOk}</dt>
        <dd>
          <span class="value">
            {totals.batteries_ok}
            <span class="unit"> {text.ofAll(totals.batteries)}</span>
          </span>
        </dd>
      </div>
      <div class="total">
        <dt>{text.activeAlerts}</dt>
        <dd>
          <a class="total-link" href="/alerts">
            <span class="value">{alertCount}</span>
            {alertCount > 0 ? (
              <AlertChips alerts={totals.alerts} />
            ) : (
              <span class="total-note">{text.noAlerts}</span>
            )}
          </a>
        </dd>
      </div>
    </dl>
  );
}

function BatteryCard({ battery }: { battery: BatterySummary }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v } = battery;
  const text = t().fleet;
  const spread_v = min_v === null || max_v === null ? null : max_v - min_v;
  return (
    <article class={`card battery-card ${faultClass(battery.state, battery.alerts)}`}>
      <div class="card-head">
        <h3>
          <a class="card-link" href={`/battery/${encodeURIComponent(battery.id)}`}>
            {battery.name}
          </a>
        </h3>
        <HeadBadge state={battery.state} alerts={battery.alerts} />
      </div>
      <p class="card-reason">{describeBattery(battery)}</p>
      <div class="card-charge">
        <span class="value value-large">
          {formatNumber(battery.soc_pct, 0)}
          {battery.soc_pct !== null && <span class="unit"> %</span>}
        </span>
        <PowerText power_w={battery.power_w} />
      </div>
      <ChargeBar soc_pct={battery.soc_pct} label={text.chargeOf(battery.name)} />
      <dl class="facts facts-4">
        <Fact label={text.lowest}>
          <QuantityText number={formatNumber(min_v, 3)} unit={min_v === null ? '' : 'V'} />
        </Fact>
        <Fact label={text.highest}>
          <QuantityText number={formatNumber(max_v, 3)} unit={max_v === null ? '' : 'V'} />
        </Fact>
        <Fact label={text.spread}>
          <span class="value">{formatMillivolts(spread_v)}</span>
        </Fact>
        <Fact label={text.hottest}>
          <QuantityText
            number={formatNumber(battery.cell_temperature_max_c, 1)}
            unit={battery.cell_temperature_max_c === null ? '' : '°C'}
          />
        </Fact>
      </dl>
      {battery.state !== 'ok' && <AlertChips alerts={battery.alerts} />}
    </article>
  );
}

export function describeBattery(battery: BatterySummary): string {
  return battery.reason ?? t().fleet.packsAllGood(battery.pack_count);
}
