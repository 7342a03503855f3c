/** What the device says of itself: its alarms in the vendor's words, limits, sensors, identity. */
import type { DeviceAlarmState, PackDetail } from '../../../../core/contract/model.ts';
import { PACK_METRICS, PackMetric, type PackMetricName, SENSOR_METRIC } from '../../../../core/metrics.ts';
import { cellQuality, cellValue } from '../../format/quality.ts';
import { formatAge } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { Fact, MetricValue, QualityTag } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';

const LEVELS: Readonly<Record<DeviceAlarmState['level'], { tone: string; icon: IconName }>> = {
  alarm: { tone: 'critical', icon: 'octagon' },
  warning: { tone: 'warning', icon: 'triangle' },
  unknown: { tone: 'quiet', icon: 'question' },
  none: { tone: 'ok', icon: 'check' },
};
const LEVEL_ORDER: readonly DeviceAlarmState['level'][] = ['alarm', 'warning', 'unknown'];

/** What the device raises itself, where nobody can miss it. */
export function RaisedAlarms({ pack }: { pack: PackDetail }) {
  const raised = raisedAlarms(pack);
  if (raised.length === 0) return null;
  const edge = raised.some(({ level }) => level === 'alarm') ? 'has-critical' : 'has-warning';
  return (
    <section class={`card raised ${edge}`} aria-label={t().device.reports}>
      <p class="quiet">{t().device.reports}</p>
      <AlarmList alarms={raised} />
    </section>
  );
}

function raisedAlarms(pack: PackDetail): DeviceAlarmState[] {
  return pack.device_alarms
    .filter(alarm => alarm.level === 'alarm' || alarm.level === 'warning')
    .sort((a, b) => LEVEL_ORDER.indexOf(a.level) - LEVEL_ORDER.indexOf(b.level));
}

export function DeviceAlarms({ pack }: { pack: PackDetail }) {
  const text = t().device;
  const raised = raisedAlarms(pack);
  const unknown = pack.device_alarms.filter(alarm => alarm.level === 'unknown');
  const clear = pack.device_alarms.filter(alarm => alarm.level === 'none');
  return (
    <Section title={text.alarms} class="card">
      {pack.device_alarms.length === 0 && <p class="quiet">{text.noAlarms}</p>}
      {pack.device_alarms.length > 0 && raised.length === 0 && unknown.length === 0 && (
        <p class="good-line">
          <Icon name="check" /> {text.noneRaised(clear.length)}
        </p>
      )}
      {raised.length > 0 && <p class="quiet">{text.raised(raised.length)}</p>}
      {unknown.length > 0 && (
        <details class="more">
          <summary>
            <Icon name="question" size={16} /> {text.unknown(unknown.length)}
          </summary>
          <AlarmList alarms={unknown} />
        </details>
      )}
      {clear.length > 0 && (
        <details class="more">
          <summary>{text.showRest}</summary>
          <AlarmList alarms={clear} />
        </details>
      )}
    </Section>
  );
}

function AlarmList({ alarms }: { alarms: readonly DeviceAlarmState[] }) {
  if (alarms.length === 0) return null;
  return (
    <ul class="alarm-list">
      {alarms.map(alarm => {
        const { tone, icon } = LEVELS[alarm.level];
        return (
          <li key={alarm.code}>
            <span class={`badge tone-${tone}`}>
              <Icon name={icon} size={16} />
              {t().device.levels[alarm.level]}
            </span>
            <span>{alarm.label}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Shown large at the top of the page, or derived from the cells below. */
const SHOWN_ABOVE: readonly PackMetricName[] = [
  'voltage_v',
  'current_a',
  'temperature_c',
  'soc_pct',
  'soh_pct',
  // The gateway's own.
  'estimated_soc_pct',
  'estimated_soc_sd_pct',
  'estimated_soh_pct',
  'estimated_soh_sd_pct',
];
/** Shown in the cells' place where the device reports no single cell. */
export const EXTREMES: readonly PackMetricName[] = [
  'cell_voltage_min_v',
  'cell_voltage_max_v',
  'cell_temperature_min_c',
  'cell_temperature_max_c',
];
const SWITCHES: readonly PackMetricName[] = ['charge_enabled', 'discharge_enabled'];

export function MoreValues({ pack }: { pack: PackDetail }) {
  const { device: text, quantities } = t();
  const reported = (Object.keys(PackMetric) as PackMetricName[]).filter(name => {
    const isAbove = SHOWN_ABOVE.includes(name) || (pack.cell_count === 0 && EXTREMES.includes(name));
    return !isAbove && pack.values[name].quality !== 'missing';
  });
  return (
    <Section title={text.values} class="card">
      {reported.length === 0 && <p class="quiet">{text.noValues}</p>}
      <dl class="list-facts">
        <Fact label={text.oldestGood}>
          {pack.oldest_good_ms === null ? text.noneGood : formatAge(now_ms.value - pack.oldest_good_ms)}
        </Fact>
        {reported.map(name => (
          <Fact key={name} label={quantities.pack[name]}>
            {SWITCHES.includes(name) ? (
              <SwitchValue value={pack.values[name]} />
            ) : (
              <MetricValue metric={PACK_METRICS[PackMetric[name]]} value={pack.values[name]} />
            )}
          </Fact>
        ))}
      </dl>
    </Section>
  );
}

function SwitchValue({ value }: { value: PackDetail['values'][PackMetricName] }) {
  return (
    <span class={`metric-value is-${value.quality}`}>
      <span class="value">{value.value === 1 ? t().common.yes : t().common.no}</span>
      <QualityTag quality={value.quality} />
    </span>
  );
}

export function Sensors({ pack: { sensors } }: { pack: PackDetail }) {
  if (sensors.values.length === 0) return null;
  return (
    <Section title={t().device.sensors} class="card">
      <dl class="list-facts">
        {sensors.values.map((_, sensor) => (
          <Fact key={sensor} label={t().device.sensor(sensor + 1)}>
            <MetricValue
              metric={SENSOR_METRIC}
              value={{ value: cellValue(sensors, sensor), quality: cellQuality(sensors, sensor) }}
            />
          </Fact>
        ))}
      </dl>
    </Section>
  );
}

export function Identity({ pack }: { pack: PackDetail }) {
  const text = t().device;
  return (
    <Section title={text.identity} class="card">
      <dl class="list-facts">
        <Fact label={text.pack}>{pack.id}</Fact>
        <Fact label={text.profile}>{pack.profile.title}</Fact>
        <Fact label={text.profileId}>{pack.profile.id}</Fact>
        <Fact label={text.grade}>{pack.profile.grade ? text.grades[pack.profile.grade] : text.noGrade}</Fact>
        <Fact label={text.connection}>{pack.connection.id}</Fact>
        <Fact label={text.address}>{pack.connection.address ?? text.noAddress}</Fact>
        {pack.cell_count > 0 && <Fact label={text.cellsInSeries}>{pack.cell_count}</Fact>}
      </dl>
    </Section>
  );
}
