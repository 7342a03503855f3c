/** For tests: the alerts of a gateway itself, checked every five seconds of a clock that tests move. */
import { ManualClock } from '../../clock/manual-clock.ts';
import type { Alert } from '../alert.ts';
import { GatewayAlerts } from '../gateway-alerts.ts';
import type { GatewayParts } from '../gateway-rules.ts';
import { WELL_FROM_MS, well } from './well-gateway.ts';

export const CHECK_MS = 5000;

export class GatewayBench {
  readonly clock = new ManualClock(WELL_FROM_MS);
  readonly emitted: Alert[] = [];
  parts = well();
  alerts = new GatewayAlerts();

  check(): void {
    this.clock.advance(CHECK_MS);
    this.alerts.evaluate(this.parts, this.clock.wallMs(), this.clock.monoMs(), alert =>
      this.emitted.push(alert),
    );
  }

  /** Checks for so long and returns what was emitted meanwhile. */
  pass(span_ms: number): Alert[] {
    const from = this.emitted.length;
    for (let past_ms = 0; past_ms < span_ms; past_ms += CHECK_MS) this.check();
    return this.emitted.slice(from);
  }

  store(change: Partial<GatewayParts['store']>): void {
    this.parts = { ...this.parts, store: { ...this.parts.store, ...change } };
  }

  upstream({ counters, ...change }: Partial<GatewayParts['upstream']>): void {
    const { upstream } = this.parts;
    const now = { ...upstream.counters, ...counters } as Record<string, number>;
    this.parts = { ...this.parts, upstream: { ...upstream, ...change, counters: now } };
  }

  active(): Alert[] {
    return this.alerts.book.all().filter(({ state }) => state === 'active');
  }

  restart(): Alert[] {
    const before = this.alerts.book.all();
    this.alerts = new GatewayAlerts();
    const changed: Alert[] = [];
    this.alerts.adopt(before, this.clock.wallMs(), alert => changed.push(alert));
    return changed;
  }
}
