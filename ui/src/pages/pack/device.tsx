/** What the device says of itself: its alarms in the vendor's words, limits, sensors, identity. */
import type { DeviceAlarmState, PackDetail } from '../../../../core/contract/model.ts';
import { PACK_METRICS, PackMetric, type PackMetricName, SENSOR_METRIC } from '../../../../core/metrics.ts';
import { countOf } from '../../format/numbers.ts';
import { cellQuality, cellValue } from '../../format/quality.ts';
import { formatAge } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section } from '../../parts/controls.tsx';
import { Icon, type IconName } from '../../parts/icons.tsx';
import { Fact, MetricValue, QualityTag } from '../../parts/value.tsx';

const LEVELS: Readonly<Record<DeviceAlarmState['level'], { tone: string; icon: IconName; word: string }>> = {
  alarm: { tone: 'critical', icon: 'octagon', word: 'Alarm' },
  warning: { tone: 'warning', icon: 'triangle', word: 'Warning' },
  unknown: { tone: 'quiet', icon: 'question', word: 'Unknown' },
  none: { tone: 'ok', icon: 'check', word: 'None' },
};
const LEVEL_ORDER: readonly DeviceAlarmState['level'][] = ['alarm', 'warning', 'unknown'];

/** What the device raises itself, where nobody can miss it. */
export function RaisedAlarms({ pack }: { pack: PackDetail }) {
  const raised = raisedAlarms(pack);
  if (raised.length === 0) return null;
  const edge = raised.some(({ level }) => level === 'alarm') ? 'has-critical' : 'has-warning';
  return (
    <section class={`card raised ${edge}`} aria-label="The device itself reports">
      <p class="quiet">The device itself reports</p>
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
  const raised = raisedAlarms(pack);
  const unknown = pack.device_alarms.filter(alarm => alarm.level === 'unknown');
  const clear = pack.device_alarms.filter(alarm => alarm.level === 'none');
  return (
    <Section title="Device’s own alarms" class="card">
      {pack.device_alarms.length === 0 && <p class="quiet">This device reports none to the gateway.</p>}
      {pack.device_alarms.length > 0 && raised.length === 0 && unknown.length === 0 && (
        <p class="good-line">
          <Icon name="check" /> None of {countOf(clear.length, 'alarm')} is raised.
        </p>
      )}
      {raised.length > 0 && <p class="quiet">{countOf(raised.length, 'alarm')} raised, shown at the top.</p>}
      {unknown.length > 0 && (
        <details class="more">
          <summary>
            <Icon name="question" size={16} /> {countOf(unknown.length, 'alarm')} of unknown state
          </summary>
          <AlarmList alarms={unknown} />
        </details>
      )}
      {clear.length > 0 && (
        <details class="more">
          <summary>Show what is not raised</summary>
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
        const { tone, icon, word } = LEVELS[alarm.level];
        return (
          <li key={alarm.code}>
            <span class={`badge tone-${tone}`}>
              <Icon name={icon} size={16} />
              {word}
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
  const reported = (Object.keys(PackMetric) as PackMetricName[]).filter(name => {
    const isAbove = SHOWN_ABOVE.includes(name) || (pack.cell_count === 0 && EXTREMES.includes(name));
    return !isAbove && pack.values[name].quality !== 'missing';
  });
  return (
    <Section title="Reported by the device" class="card">
      {reported.length === 0 && <p class="quiet">Nothing beyond the values above.</p>}
      <dl class="list-facts">
        <Fact label="Oldest good value">
          {pack.oldest_good_ms === null ? 'None is good' : formatAge(now_ms.value - pack.oldest_good_ms)}
        </Fact>
        {reported.map(name => (
          <Fact key={name} label={PACK_METRICS[PackMetric[name]].label}>
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
      <span class="value">{value.value === 1 ? 'Yes' : 'No'}</span>
      <QualityTag quality={value.quality} />
    </span>
  );
}

export function Sensors({ pack: { sensors } }: { pack: PackDetail }) {
  if (sensors.values.length === 0) return null;
  return (
    <Section title="Temperature sensors" class="card">
      <dl class="list-facts">
        {sensors.values.map((_, sensor) => (
          <Fact key={sensor} label={`Sensor ${sensor + 1}`}>
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
  return (
    <Section title="Identity" class="card">
      <dl class="list-facts">
        <Fact label="Pack">{pack.id}</Fact>
        <Fact label="Profile">{pack.profile.title}</Fact>
        <Fact label="Profile id">{pack.profile.id}</Fact>
        <Fact label="Connection">{pack.connection.id}</Fact>
        <Fact label="Address">{pack.connection.address ?? 'None'}</Fact>
        {pack.cell_count > 0 && <Fact label="Cells in series">{pack.cell_count}</Fact>}
      </dl>
    </Section>
  );
}
