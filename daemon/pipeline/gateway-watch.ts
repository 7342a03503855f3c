/** Checks the gateway itself every few seconds and lets its alerts be judged. */
import type { GatewayParts } from '../../core/alerts/gateway-rules.ts';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

const EVERY_MS = 5000;

export interface GatewayWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The same that the system status shows. */
  readonly parts: () => GatewayParts;
  readonly judge: (parts: GatewayParts, t_ms: number, mono_ms: number) => void;
}

export class GatewayWatch {
  readonly #options: GatewayWatchOptions;
  #timer: TimerHandle | undefined;

  constructor(options: GatewayWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= this.#arm();
  }

  stop(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #arm(): TimerHandle {
    return this.#options.clock.setTimer(() => this.#check(), EVERY_MS);
  }

  #check(): void {
    const { clock, log, parts, judge } = this.#options;
    this.#timer = this.#arm();
    try {
      judge(parts(), clock.wallMs(), clock.monoMs());
    } catch (error) {
      log.error({ component: 'gateway' }, `its own alerts could not be judged: ${describeError(error)}`);
    }
  }
}
