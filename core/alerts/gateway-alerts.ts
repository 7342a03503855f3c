/**
 * Alerts of the gateway itself: what gateway-rules.ts finds, raised and cleared when it has lasted. Pure: it holds
 * state, but no clock and no I/O.
 */

import type { Alert } from './alert.ts';
import { alertId } from './engine.ts';
import { type Finding, type GatewayParts, type GatewayRule, gatewayRules } from './gateway-rules.ts';

interface Watch {
  readonly rule: GatewayRule;
  active: Alert | undefined;
  /** The newest. */
  found: Finding | undefined;
  /** Which one `active` reports; undefined: it was raised before a restart. */
  stage: number | undefined;
  /** Monotonic time since which what is found and what is active differ; undefined while they agree. */
  differs_since_ms: number | undefined;
}

export class GatewayAlerts {
  readonly #watches: readonly Watch[];
  readonly #run: string | undefined;

  /** `run`: see EngineOptions. */
  constructor(rules: readonly GatewayRule[] = gatewayRules(), run?: string) {
    this.#run = run;
    this.#watches = rules.map(rule => ({
      ...{ rule, active: undefined, found: undefined, stage: undefined, differs_since_ms: undefined },
    }));
  }

  active(): Alert[] {
    return this.#watches.flatMap(({ active }) => active ?? []);
  }

  /** Takes over alerts that were active before a restart; those no rule answers for are returned cleared. */
  adopt(alerts: readonly Alert[], t_ms: number): Alert[] {
    const orphans: Alert[] = [];
    for (const alert of alerts) {
      const watch = this.#watches.find(({ rule, active }) => rule.id === alert.rule_id && !active);
      if (watch) watch.active = alert;
      else orphans.push({ ...alert, state: 'cleared', cleared_ms: t_ms });
    }
    return orphans;
  }

  /** One check; `emit` gets every alert that it raises, updates or clears. */
  evaluate(parts: GatewayParts, t_ms: number, mono_ms: number, emit: (alert: Alert) => void): void {
    for (const watch of this.#watches) {
      const { rule, active } = watch;
      const found = rule.find({ parts, t_ms, mono_ms, active });
      if (found) watch.found = found;
      if ((found === undefined) === (active === undefined)) {
        watch.differs_since_ms = undefined;
        if (found && active) update(watch, active, found, emit);
        continue;
      }
      watch.differs_since_ms ??= mono_ms;
      if (mono_ms - watch.differs_since_ms < (found ? rule.raise_after_ms : rule.clear_after_ms)) continue;
      watch.differs_since_ms = undefined;
      if (found) raise(watch, found, alertId(watch.rule.id, '', t_ms, this.#run), t_ms, emit);
      else if (active) clear(watch, active, t_ms, emit);
    }
  }
}

function raise(
  watch: Watch,
  found: Finding,
  alert_id: string,
  t_ms: number,
  emit: (alert: Alert) => void,
): void {
  const { id, severity } = watch.rule;
  watch.stage = found.stage;
  watch.active = {
    id: alert_id,
    rule_id: id,
    severity,
    ...{ battery_id: null, pack_id: null, cell_no: null },
    ...reported(found),
    state: 'active',
    raised_ms: t_ms,
    cleared_ms: null,
  };
  emit(watch.active);
}

function update(watch: Watch, active: Alert, found: Finding, emit: (alert: Alert) => void): void {
  const isNew =
    watch.stage === undefined
      ? found.stage !== undefined && found.message !== active.message
      : found.stage !== watch.stage;
  watch.stage = found.stage;
  if (!isNew) return;
  watch.active = { ...active, ...reported(found) };
  emit(watch.active);
}

/** With the newest of what was found: how many it were in the end. */
function clear(watch: Watch, active: Alert, t_ms: number, emit: (alert: Alert) => void): void {
  watch.active = undefined;
  emit({ ...active, ...(watch.found && reported(watch.found)), state: 'cleared', cleared_ms: t_ms });
  watch.found = undefined;
}

function reported({ message, value, threshold, unit }: Finding) {
  return { message, value: value ?? null, threshold: threshold ?? null, unit: unit ?? '' };
}
