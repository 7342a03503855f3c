/** The whole site: totals, and one card per battery. */
import type { BatterySummary, FleetState } from '../../../core/contract/model.ts';
import { countOf, formatMillivolts, formatNumber } from '../format/numbers.ts';
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
  useTitle(room.value.data?.site.name ?? 'Fleet');
  return (
    <RoomView room={room} place={t().fleet.place}>
      {fleet => <Fleet fleet={fleet} />}
    </RoomView>
  );
}

function Fleet({ fleet }: { fleet: FleetState }) {
  const { site, batteries } = fleet;
  const totals = sumUp(batteries);
  const sorted = [...batteries].sort(sortOrder.value === 'worst' ? worstFirst : byName);
  return (
    <>
      <PageHead title={site.name}>
        {countOf(batteries.length, 'battery', 'batteries')} · {countOf(totals.packs, 'pack')}
        {totals.cells > 0 && ` · ${countOf(totals.cells, 'cell')}`}
      </PageHead>
      {batteries.length === 0 ? (
        <Notice icon="fleet" title="No battery to show">
          <p>None is assigned to your account, or the gateway’s configuration has none yet.</p>
        </Notice>
      ) : (
        <>
          <Totals totals={totals} />
          <FleetMap batteries={batteries} />
          <div class="toolbar">
            <h2>Batteries</h2>
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
  return (
    <Segments
      label="Order"
      value={sortOrder.value}
      onChange={order => {
        sortOrder.value = order;
      }}
      options={[
        { value: 'worst', text: 'Worst first' },
        { value: 'name', text: 'By name' },
      ]}
    />
  );
}

function Totals({ totals }: { totals: ReturnType<typeof sumUp> }) {
  const notOk = totals.packs - totals.packs_ok;
  const alertCount = totalAlerts(totals.alerts);
  return (
    <dl class="totals">
      <div class="total">
        <dt>Power</dt>
        <dd>
          <PowerText power_w={totals.power_w} />
        </dd>
      </div>
      <div class="total">
        <dt>Packs OK</dt>
        <dd>
          <span class="value">
            {totals.packs_ok}
            <span class="unit"> of {totals.packs}</span>
          </span>
          <span class={notOk > 0 ? 'total-note tone-warning' : 'total-note'}>
            {notOk > 0
              ? `${countOf(notOk, 'pack needs', 'packs need')} attention`
              : 'All answer, all values good'}
          </span>
        </dd>
      </div>
      <div class="total">
        <dt>Batteries OK</dt>
        <dd>
          <span class="value">
            {totals.batteries_ok}
            <span class="unit"> of {totals.batteries}</span>
          </span>
        </dd>
      </div>
      <div class="total">
        <dt>Active alerts</dt>
        <dd>
          <a class="total-link" href="/alerts">
            <span class="value">{alertCount}</span>
            {alertCount > 0 ? <AlertChips alerts={totals.alerts} /> : <span class="total-note">None</span>}
          </a>
        </dd>
      </div>
    </dl>
  );
}

function BatteryCard({ battery }: { battery: BatterySummary }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v } = battery;
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
      <ChargeBar soc_pct={battery.soc_pct} label={`State of charge of ${battery.name}`} />
      <dl class="facts facts-4">
        <Fact label="Lowest">
          <QuantityText number={formatNumber(min_v, 3)} unit={min_v === null ? '' : 'V'} />
        </Fact>
        <Fact label="Highest">
          <QuantityText number={formatNumber(max_v, 3)} unit={max_v === null ? '' : 'V'} />
        </Fact>
        <Fact label="Spread">
          <span class="value">{formatMillivolts(spread_v)}</span>
        </Fact>
        <Fact label="Hottest">
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
  return battery.reason ?? `All ${countOf(battery.pack_count, 'pack')} answer, all values good`;
}
