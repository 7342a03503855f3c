/** The whole site: totals, and one card per battery. */
import type { BatterySummary, CellPlace, FleetState } from '../../../core/contract/model.ts';
import { cellsText, dataText, placeHref, placeText } from '../format/health.ts';
import { formatMillivolts, formatNumber } from '../format/numbers.ts';
import { byName, totalAlerts, worstFirst } from '../format/rank.ts';
import { type FleetTotals, sumUp } from '../format/totals.ts';
import { useRoom } from '../live/live.ts';
import { AlertChips, HealthBadges, healthClass } from '../parts/badges.tsx';
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

function Totals({ totals }: { totals: FleetTotals }) {
  const text = t().fleet;
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
        <dt>{text.data}</dt>
        <dd>
          <span class="value">
            {totals.packs_answering}
            <span class="unit"> {text.ofAll(totals.packs)}</span>
          </span>
          <DataNote totals={totals} />
        </dd>
      </div>
      <div class="total">
        <dt>{text.outOfLine}</dt>
        <dd>
          <span class="value">{totals.cells_out_of_line}</span>
          {totals.worst ? (
            <PlaceLink battery={totals.worst} place={totals.worst.worst_cell} />
          ) : (
            <span class="total-note">{text.noneOut}</span>
          )}
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

/** What is wrong with the data of packs, the worse first. */
function DataNote({ totals }: { totals: FleetTotals }) {
  const text = t().fleet;
  const silent = totals.packs - totals.packs_answering;
  const notes = [
    silent > 0 ? text.silent(silent) : '',
    totals.packs_doubtful > 0 ? text.doubtful(totals.packs_doubtful) : '',
  ].filter(Boolean);
  const tone = silent > 0 ? 'tone-critical' : notes.length > 0 ? 'tone-warning' : '';
  return (
    <>
      {(notes.length > 0 ? notes : [text.allGood]).map(note => (
        <span key={note} class={`total-note ${tone}`}>
          {note}
        </span>
      ))}
    </>
  );
}

function BatteryCard({ battery }: { battery: BatterySummary }) {
  const { cell_voltage_min_v: min_v, cell_voltage_max_v: max_v } = battery;
  const text = t().fleet;
  const at = (place: CellPlace | null) => placeText(battery, place);
  return (
    <article class={`card battery-card ${healthClass(battery)}`}>
      <div class="card-head">
        <h3>
          <a class="card-link" href={`/battery/${encodeURIComponent(battery.id)}`}>
            {battery.name}
          </a>
        </h3>
        <HealthBadges of={battery} />
      </div>
      <BatteryHealth battery={battery} />
      <div class="card-charge">
        <span class="value value-large">
          {formatNumber(battery.soc_pct, 0)}
          {battery.soc_pct !== null && <span class="unit"> %</span>}
        </span>
        <PowerText power_w={battery.power_w} />
      </div>
      <ChargeBar soc_pct={battery.soc_pct} label={text.chargeOf(battery.name)} />
      <dl class="facts card-facts">
        <Fact label={text.lowest} note={at(battery.lowest_cell)}>
          <QuantityText number={formatNumber(min_v, 3)} unit={min_v === null ? '' : 'V'} />
        </Fact>
        <Fact label={text.highest} note={at(battery.highest_cell)}>
          <QuantityText number={formatNumber(max_v, 3)} unit={max_v === null ? '' : 'V'} />
        </Fact>
        <Fact label={text.spread} note={at(battery.widest_spread)}>
          <span class="value">{formatMillivolts(battery.cell_voltage_spread_v)}</span>
        </Fact>
        <Fact label={text.hottest} note={at(battery.hottest_cell)}>
          <QuantityText
            number={formatNumber(battery.cell_temperature_max_c, 1)}
            unit={battery.cell_temperature_max_c === null ? '' : '°C'}
          />
        </Fact>
      </dl>
    </article>
  );
}

/** Data and cells, each in a line of its own. */
export function BatteryHealth({ battery }: { battery: BatterySummary }) {
  return (
    <div class="card-health">
      <p class="card-reason">{dataText(battery)}</p>
      <p class={battery.cells_out_of_line > 0 ? 'tone-warning' : 'quiet'}>{cellsText(battery)}</p>
    </div>
  );
}

/** Leads to the cell; nothing where there is none. */
export function PlaceLink({ battery, place }: { battery: BatterySummary; place: CellPlace | null }) {
  const href = placeHref(battery, place);
  return href === undefined ? null : (
    <a class="total-note" href={href}>
      {placeText(battery, place)}
    </a>
  );
}
