/** States and severities: icon, word and colour, always the three together. */
import type { ComponentStatus } from '../../../core/contract/http.ts';
import type { AlertCounts, AlertView, HealthState } from '../../../core/contract/model.ts';
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

/** What to say first of a battery or pack: that it has alerts, unless its state is worse news. */
export function HeadBadge({ state, alerts }: { state: HealthState; alerts: AlertCounts }) {
  return state === 'ok' && totalAlerts(alerts) > 0 ? (
    <AlertChips alerts={alerts} />
  ) : (
    <StateBadge state={state} />
  );
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
