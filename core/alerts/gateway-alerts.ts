/**
 * Alerts of the gateway itself: what gateway-rules.ts finds, raised and cleared when it has lasted. Pure: it holds
 * state, but no clock and no I/O.
 */

import type { Alert } from './alert.ts';
import { AlertBook, type Emit, type Subject } from './alert-book.ts';
import { type Finding, type GatewayParts, type GatewayRule, gatewayRules } from './gateway-rules.ts';
import type { ServiceOf } from './out-of-service.ts';

const GATEWAY: Subject = { index: 0, battery_id: null, pack_id: null, connection_id: null };

interface Watch {
  readonly rule: GatewayRule;
  /** The newest. */
  found: Finding | undefined;
  /** Which one the active alert reports; undefined: it was raised before a restart. */
  stage: number | undefined;
  /** Monotonic time since which what is found and what is active differ; undefined while they agree. */
  differs_since_ms: number | undefined;
}

export class GatewayAlerts {
  readonly book: AlertBook;
  readonly #watches: readonly Watch[];

  /** `run`: see AlertBook. */
  constructor(rules: readonly GatewayRule[] = gatewayRules(), run?: string, serviceOf?: ServiceOf) {
    this.book = new AlertBook(run, serviceOf);
    this.#watches = rules.map(rule => ({
      rule,
      found: undefined,
      stage: undefined,
      differs_since_ms: undefined,
    }));
  }

  /** Takes over open alerts from before a restart. */
  adopt(alerts: readonly Alert[], t_ms: number, emit: Emit): void {
    for (const alert of alerts) {
      const isKnown = this.#watches.some(({ rule }) => rule.id === alert.rule_id);
      this.book.adopt(alert, isKnown ? GATEWAY : undefined, t_ms, emit);
    }
  }

  /** One check; `emit` gets every alert that it raises, updates or clears. */
  evaluate(parts: GatewayParts, t_ms: number, mono_ms: number, emit: Emit): void {
    for (const watch of this.#watches) {
      const { rule } = watch;
      const active = this.book.find(rule.id, GATEWAY);
      const found = rule.find({ parts, t_ms, mono_ms, active });
      if (found) watch.found = found;
      if ((found === undefined) === (active === undefined)) {
        watch.differs_since_ms = undefined;
        if (found && active) this.#update(watch, active, found, t_ms, emit);
        continue;
      }
      watch.differs_since_ms ??= mono_ms;
      if (mono_ms - watch.differs_since_ms < (found ? rule.raise_after_ms : rule.clear_after_ms)) continue;
      watch.differs_since_ms = undefined;
      if (found) {
        watch.stage = found.stage;
        this.book.raise(rule, GATEWAY, reported(found), t_ms, emit);
      } else {
        // With the newest of what was found: how many it were in the end.
        this.book.clear(rule, GATEWAY, t_ms, emit, watch.found && reported(watch.found));
        watch.found = undefined;
      }
    }
    this.book.endShelving(t_ms, emit);
  }

  #update(watch: Watch, active: Alert, found: Finding, t_ms: number, emit: Emit): void {
    const isNew =
      watch.stage === undefined
        ? found.stage !== undefined && found.message !== active.message
        : found.stage !== watch.stage;
    watch.stage = found.stage;
    if (isNew) this.book.update(watch.rule.id, GATEWAY, reported(found), t_ms, emit);
  }
}

function reported({ message, value, threshold, unit }: Finding) {
  return { message, value: value ?? null, threshold: threshold ?? null, unit: unit ?? '' };
}
