/**
 * Reports to systemd how the daemon is: ready, one line of status, stopping, and the watchdog's beat.
 * Node has no unix datagram socket, so the message goes through `systemd-notify`, which is on every systemd
 * box and waits until systemd has read it; the unit therefore needs `NotifyAccess=all`.
 * Protocol: sd_notify(3), sd_watchdog_enabled(3). Without NOTIFY_SOCKET nothing is done.
 */
import { execFile } from 'node:child_process';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';

const SEND_TIMEOUT_MS = 10_000;
const STATUS_MAX_CHARS = 200;

export interface Notifier {
  /** Resolves once systemd has been notified, or could not be; never rejects. */
  ready(status: string): Promise<void>;
  /** What `systemctl status` shows. Of texts that come faster than they can be sent, the last is sent. */
  status(text: string): void;
  /** Resolves as `ready` does. */
  stopping(): Promise<void>;
  /** Beats at half the unit's WatchdogSec while `isHealthy()`; a beat withheld makes systemd restart the unit. */
  startWatchdog(isHealthy: () => boolean): void;
  /** Messages that systemd did not get. */
  readonly failures: number;
  /** Ends the watchdog and sends nothing more; safe twice. */
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function createNotifier(env: Environment, clock: Clock, log: Logger): Notifier {
  return env.NOTIFY_SOCKET ? new SystemdNotifier(env, clock, log) : NO_SYSTEMD;
}

const NO_SYSTEMD: Notifier = {
  ready: () => Promise.resolve(),
  status() {},
  stopping: () => Promise.resolve(),
  startWatchdog() {},
  failures: 0,
  close() {},
};

class SystemdNotifier implements Notifier {
  failures = 0;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #log: Logger;
  #closed = false;
  #sendingStatus = false;
  #nextStatus: string | undefined;
  #watching = false;
  #watchdog: TimerHandle | undefined;
  #healthy = true;

  constructor(env: Environment, clock: Clock, log: Logger) {
    this.#env = env;
    this.#clock = clock;
    this.#log = log;
  }

  ready(status: string): Promise<void> {
    return this.#send('READY=1', statusLine(status));
  }

  status(text: string): void {
    this.#nextStatus = text;
    if (!this.#sendingStatus) void this.#sendStatuses();
  }

  stopping(): Promise<void> {
    return this.#send('STOPPING=1');
  }

  startWatchdog(isHealthy: () => boolean): void {
    const watchdog_us = Number(this.#env.WATCHDOG_USEC);
    if (!(watchdog_us > 0) || this.#watching) return;
    this.#watching = true;
    const interval_ms = watchdog_us / 2000;
    const beat = async () => {
      if (this.#isHealthy(isHealthy)) await this.#send('WATCHDOG=1');
      if (!this.#closed) this.#watchdog = this.#clock.setTimer(() => void beat(), interval_ms);
    };
    void beat();
  }

  close(): void {
    this.#closed = true;
    this.#nextStatus = undefined;
    this.#clock.clearTimer(this.#watchdog);
    this.#watchdog = undefined;
  }

  #isHealthy(ask: () => boolean): boolean {
    const healthy = ask();
    if (healthy !== this.#healthy) {
      this.#healthy = healthy;
      if (healthy) this.#log.info({}, 'watchdog: healthy again');
      else this.#log.error({}, 'watchdog: not healthy, beat withheld; systemd will restart the daemon');
    }
    return healthy;
  }

  async #sendStatuses(): Promise<void> {
    this.#sendingStatus = true;
    while (this.#nextStatus !== undefined) {
      const text = this.#nextStatus;
      this.#nextStatus = undefined;
      await this.#send(statusLine(text));
    }
    this.#sendingStatus = false;
  }

  #send(...assignments: string[]): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const env = { PATH: this.#env.PATH ?? '/usr/bin:/bin', NOTIFY_SOCKET: this.#env.NOTIFY_SOCKET };
    const options = { env, timeout: SEND_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
    return new Promise(resolve => {
      execFile('systemd-notify', assignments, options, error => {
        if (error) this.#fail(error);
        resolve();
      });
    });
  }

  #fail(error: Error): void {
    this.failures++;
    if (this.failures === 1)
      this.#log.warn(
        { error: describeError(error) },
        'systemd was not notified: systemd-notify failed; the unit needs Type=notify and NotifyAccess=all',
      );
  }
}

function statusLine(text: string): string {
  return `STATUS=${text.replace(/\s+/g, ' ').slice(0, STATUS_MAX_CHARS)}`;
}
