/** States and severities: icon, word and colour, always the three together. */
import type { ComponentStatus } from '../../../core/contract/http.ts';
import type {
  AlertCounts,
  AlertView,
  BatterySummary,
  HealthState,
  PackSummary,
} from '../../../core/contract/model.ts';
import { outOfLineCount } from '../format/health.ts';
import { totalAlerts } from '../format/rank.ts';
import { t } from '../texts/texts.ts';
import { Icon, type IconName } from './icons.tsx';

type AnyState = HealthState | ComponentStatus['state'];

const STATES: Readonly<Record<AnyState, { tone: string; icon: IconName }>> = {
  ok: { tone: 'ok', icon: 'check' },
  degraded: { tone: 'warning', icon: 'triangle' },
  offline: { tone: 'critical', icon: 'offline' },
  down: { tone: 'critical', icon: 'offline' },
  off: { tone: 'quiet', icon: 'off' },
};

/** Of the gateway and its parts. */
export function StateBadge({ state }: { state: AnyState }) {
  const { tone, icon } = STATES[state];
  return (
    <span class={`badge tone-${tone}`}>
      <Icon name={icon} size={16} />
      {t().states[state]}
    </span>
  );
}

export const SEVERITIES: Readonly<Record<AlertView['severity'], { tone: string; icon: IconName }>> = {
  critical: { tone: 'critical', icon: 'octagon' },
  warning: { tone: 'warning', icon: 'triangle' },
  info: { tone: 'info', icon: 'info' },
};

export function SeverityBadge({ severity }: { severity: AlertView['severity'] }) {
  const { tone, icon } = SEVERITIES[severity];
  return (
    <span class={`badge tone-${tone}`}>
      <Icon name={icon} size={16} />
      {t().severities[severity].word}
    </span>
  );
}

/** Of a battery or pack: what is wrong with its data, its alerts, its cells out of line; OK where nothing is. */
export function HealthBadges({ of }: { of: PackSummary | BatterySummary }) {
  const { state, alerts } = of;
  const out = outOfLineCount(of);
  const { tone, icon } = STATES[state];
  const isWell = totalAlerts(alerts) === 0 && out === 0;
  return (
    <>
      {(state !== 'ok' || isWell) && (
        <span class={`badge tone-${tone}`}>
          <Icon name={icon} size={16} />
          {t().dataStates[state]}
        </span>
      )}
      <AlertChips alerts={alerts} />
      {out > 0 && (
        <span class="chip tone-warning">
          <Icon name="triangle" size={14} />
          {t().health.out(out)}
        </span>
      )}
    </>
  );
}

/** The class that tints the edge of a battery's or pack's card. */
export function healthClass(of: PackSummary | BatterySummary): string {
  return faultClass(of.state, of.alerts) || (outOfLineCount(of) > 0 ? 'has-warning' : '');
}

/** The class that tints a card's edge. */
export function faultClass(state: AnyState, alerts?: AlertCounts): string {
  if (state === 'offline' || state === 'down' || (alerts?.critical ?? 0) > 0) return 'has-critical';
  return state === 'degraded' || (alerts?.warning ?? 0) > 0 ? 'has-warning' : '';
}

/** One chip per severity that has alerts; nothing without any. */
export function AlertChips({ alerts }: { alerts: AlertCounts }) {
  const severities = (['critical', 'warning', 'info'] as const).filter(severity => alerts[severity] > 0);
  if (severities.length === 0) return null;
  return (
    <span class="chips">
      {severities.map(severity => {
        const { tone, icon } = SEVERITIES[severity];
        const { word, inText } = t().severities[severity];
        return (
          <span
            key={severity}
            class={`chip tone-${tone}`}
            title={t().severities.alertsOf(word, alerts[severity])}
          >
            <Icon name={icon} size={14} />
            {alerts[severity]} <span class="chip-word">{inText}</span>
          </span>
        );
      })}
    </span>
  );
}
