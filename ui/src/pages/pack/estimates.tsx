/** What the gateway estimates itself, beside the device's figures: charge and health with their bands, and what that rests on. */
import type { ComponentChildren } from 'preact';
import type { EstimatesReply, OdometerView } from '../../../../core/contract/estimates.ts';
import type { PackDetail, QualifiedValue } from '../../../../core/contract/model.ts';
import type { HealthReach } from '../../../../core/estimate/health/trend.ts';
import { SOC_BANDS_PCT, TEMPERATURE_BANDS_C } from '../../../../core/estimate/running/odometer.ts';
import { PACK_METRICS, PackMetric } from '../../../../core/metrics.ts';
import { useAsk } from '../../api/use-ask.ts';
import { bandOf, formatBand, isWorthShowing, reachOf } from '../../format/estimates.ts';
import { formatNumber, formatSigned, NO_VALUE } from '../../format/numbers.ts';
import { shownValue } from '../../format/quality.ts';
import { formatDay } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { ChargeBar, Fact, MetricValue, QuantityText } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';

type Leak = NonNullable<EstimatesReply['leaks']>[number];

export function Estimates({ pack }: { pack: PackDetail }) {
  const text = t().estimates;
  const { reason } = pack.estimate;
  const { data, error } = useAsk<EstimatesReply>(`/api/packs/${encodeURIComponent(pack.id)}/estimates`);
  return (
    <Section
      title={text.title}
      class="card"
      aside={reason === null && <span class="quiet">{text.explained}</span>}
    >
      {reason !== null && (
        <div class="estimates-none">
          <p class="quiet">{text.none}</p>
          <p class="card-reason">{reason}</p>
        </div>
      )}
      <div class="estimates-grid">
        <Charge pack={pack} leaks={data?.leaks ?? []} />
        <Health pack={pack} reply={data} />
      </div>
      <details class="more">
        <summary>{text.basis}</summary>
        <Basis pack={pack} />
        {error && <p class="form-error">{error.message}</p>}
        {data && <Odometers reply={data} />}
      </details>
    </Section>
  );
}

function Charge({ pack: { values }, leaks }: { pack: PackDetail; leaks: readonly Leak[] }) {
  const text = t().estimates;
  const { soc_pct, estimated_soc_pct, estimated_soc_sd_pct } = values;
  const band = formatBand(shownValue(estimated_soc_pct), shownValue(estimated_soc_sd_pct));
  const isKnown = isWorthShowing(shownValue(estimated_soc_pct), shownValue(estimated_soc_sd_pct));
  return (
    <div>
      <h3>{text.charge}</h3>
      <dl class="facts facts-2">
        <Fact label={text.gateway}>
          <EstimateText value={estimated_soc_pct} sd={estimated_soc_sd_pct} />
        </Fact>
        <Fact label={text.device}>
          <MetricValue metric={PACK_METRICS[PackMetric.soc_pct]} value={soc_pct} decimals={1} />
        </Fact>
      </dl>
      <ChargeBar
        soc_pct={soc_pct.value}
        quality={soc_pct.quality}
        label={text.picture(isKnown ? `${band} %` : text.learningAlone, formatNumber(soc_pct.value, 1))}
        band={bandOf(estimated_soc_pct, estimated_soc_sd_pct)}
      />
      {leaks.length > 0 && (
        <dl class="list-facts">
          {leaks.map(({ cell_no, lost_pct_per_day, leak_ma }) => (
            <Fact key={cell_no} label={text.leaks(cell_no)}>
              {text.leak(formatNumber(lost_pct_per_day, 2), formatNumber(leak_ma, leak_ma < 9.95 ? 1 : 0))}
            </Fact>
          ))}
        </dl>
      )}
    </div>
  );
}

/** With its band; until that says something, that the gateway is still learning. */
function EstimateText({ value, sd }: { value: QualifiedValue; sd: QualifiedValue }) {
  const [shown, shownSd] = [shownValue(value), shownValue(sd)];
  if (shown !== null && !isWorthShowing(shown, shownSd))
    return <span class="quiet">{t().estimates.learningAlone}</span>;
  return <QuantityText number={formatBand(shown, shownSd)} unit={shown === null ? '' : '%'} />;
}

function Health({
  pack: { values, estimate },
  reply,
}: {
  pack: PackDetail;
  reply: EstimatesReply | undefined;
}) {
  const text = t().estimates;
  const { soh_pct, estimated_soh_pct, estimated_soh_sd_pct } = values;
  const isKnown = estimated_soh_pct.value !== null;
  const trend = reply?.health.trend;
  return (
    <div>
      <h3>{text.health}</h3>
      <dl class="facts facts-2">
        <Fact label={text.gateway}>
          {isKnown ? (
            <EstimateText value={estimated_soh_pct} sd={estimated_soh_sd_pct} />
          ) : (
            <span class="quiet">{estimate.reason === null ? text.healthLater : NO_VALUE}</span>
          )}
        </Fact>
        <Fact label={text.device}>
          <MetricValue metric={PACK_METRICS[PackMetric.soh_pct]} value={soh_pct} decimals={1} />
        </Fact>
      </dl>
      {(isKnown || trend) && (
        <dl class="list-facts">
          {trend ? (
            <>
              <Fact label={text.perYear}>
                <QuantityText number={formatSigned(trend.per_year_pct, 1)} unit="%" />
              </Fact>
              {trend.reaches.map(reach => (
                <Fact key={reach.soh_pct} label={text.reaches(reach.soh_pct)}>
                  {reachText(reach)}
                </Fact>
              ))}
            </>
          ) : (
            <Fact label={text.reaches(80)}>{text.trendLater}</Fact>
          )}
        </dl>
      )}
    </div>
  );
}

function reachText(reach: HealthReach): string {
  const text = t().estimates;
  const { from_ms, to_ms } = reach;
  const kind = reachOf(reach, now_ms.value);
  if (kind === 'reached') return text.reached;
  if (kind === 'far' || from_ms === null) return text.far;
  if (kind === 'after' || to_ms === null) return text.after(formatDay(from_ms));
  return text.between(formatDay(from_ms), formatDay(to_ms));
}

function Basis({ pack: { estimate } }: { pack: PackDetail }) {
  const text = t().estimates;
  const { model, is_own_model, nominal_ah, nominal_from } = estimate;
  return (
    <dl class="list-facts">
      {model !== null && (
        <>
          <Fact label={text.model}>
            <span class="estimate-model">{model}</span>
          </Fact>
          <Fact label={text.kind}>{is_own_model ? text.ownModel : text.chemistryModel}</Fact>
        </>
      )}
      {nominal_ah !== null && nominal_from !== null && (
        <Fact label={text.capacity}>
          <QuantityText number={formatNumber(nominal_ah, 1)} unit={text.ampereHours} />
          <span class="quiet"> {text.capacityFrom[nominal_from]}</span>
        </Fact>
      )}
    </dl>
  );
}

function Odometers({ reply: { odometers } }: { reply: EstimatesReply }) {
  const text = t().estimates;
  const both = [odometers.pack, odometers.place];
  const rows: [string, (one: OdometerView) => ComponentChildren][] = [
    [text.since, one => (one.since_ms === null ? NO_VALUE : <time>{formatDay(one.since_ms)}</time>)],
    [text.charged, one => text.passed(formatNumber(one.kwh_in, 1), formatNumber(one.ah_in, 0))],
    [text.discharged, one => text.passed(formatNumber(one.kwh_out, 1), formatNumber(one.ah_out, 0))],
    [text.cycles, one => formatNumber(one.equivalent_full_cycles, 1)],
    [text.hours, one => text.hoursOf(Math.round(one.hours))],
  ];
  return (
    <>
      <div class="table-scroll">
        <table class="odometers">
          <thead>
            <tr>
              <th scope="col">{text.odometer}</th>
              <th scope="col">{text.ofPack}</th>
              <th scope="col">{text.ofPlace}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, shownOf]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {both.map((one, i) => (
                  <td key={i}>{shownOf(one)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <HourBands odometer={odometers.pack} />
    </>
  );
}

/** Only rows in which it ever was. */
function HourBands({ odometer: { band_hours } }: { odometer: OdometerView }) {
  const text = t().estimates;
  const columns = SOC_BANDS_PCT.length + 1;
  const rows = Array.from({ length: TEMPERATURE_BANDS_C.length + 1 }, (_, row) => ({
    name: bandName(TEMPERATURE_BANDS_C, row, '°C'),
    hours: band_hours.slice(row * columns, (row + 1) * columns),
  })).filter(({ hours }) => hours.some(one => one > 0));
  if (rows.length === 0) return null;
  return (
    <div class="table-scroll">
      <table class="hour-bands">
        <caption class="visually-hidden">{text.bands}</caption>
        <thead>
          <tr>
            <th scope="col">{text.bands}</th>
            {Array.from({ length: columns }, (_, column) => (
              <th key={column} scope="col">
                {bandName(SOC_BANDS_PCT, column, '%')}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, hours }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {hours.map((one, column) => (
                <td key={column}>{formatNumber(one, one > 0 && one < 10 ? 1 : 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function bandName(ends: readonly number[], index: number, unit: string): string {
  const text = t().estimates;
  if (index === 0) return text.below(ends[0], unit);
  if (index === ends.length) return text.above(ends[index - 1], unit);
  return text.fromTo(ends[index - 1], ends[index], unit);
}
