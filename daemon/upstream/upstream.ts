/**
 * Follows the log and sends it to the centre, batch by batch, exactly once and in order. Whatever fails is reported
 * in the status, logged once per change of reason, and tried again with back-off; local work never waits for it.
 */
import type { Clock } from '../../core/clock/clock.ts';
import { sleep } from '../../core/clock/clock.ts';
import { describeError, type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { POSTGRES_MIGRATIONS } from '../store/file/migration-files.ts';
import type { LogBatch, LogSource } from '../store/store.ts';
import { BatchSize } from './batch-size.ts';
import type { PulledUsers } from './central-users.ts';
import { endAtCorrection } from './clock.ts';
import { InFlightBatches } from './in-flight-batches.ts';
import { Session, type SessionOptions } from './session.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 60_000;
/** A person must act first: asked again only now and then. */
const FATAL_RETRY_MS = 60_000;
/** An idle connection is tried this often. */
const PROBE_MS = 30_000;
/** Bodies of one batch; the row limit is `batch_rows`. */
export const BATCH_BYTES = 4 << 20;
export const DEFAULT_BATCH_ROWS = 20_000;
const DEGRADED_ROWS = 10_000;
const STOP_TIMEOUT_MS = 5000;
const USERS_INTERVAL_MS = 15_000;

export interface UpstreamOptions {
  /** undefined: no centre; the state is then `off`. */
  readonly database_url: string | undefined;
  readonly gateway_id: string;
  readonly source: LogSource;
  readonly clock: Clock;
  readonly log: Logger;
  /** Most log rows in one transaction (default 20 000); fewer where that takes long. */
  readonly batch_rows?: number | undefined;
  readonly migrations?: string;
  /** Given the centre's users after connecting and then now and then. Returns how many of them were left out. */
  readonly onUsers?: (users: PulledUsers) => Promise<number | undefined>;
  /** Between two pulls of users (default 15 s). */
  readonly users_interval_ms?: number;
}

export interface UpstreamStatus {
  /**
   * degraded: connected, but more than 10 000 rows behind, or users cannot be pulled. down: nothing is sent, `reason`
   * says why; a failure is the reason until something has been sent again.
   */
  readonly state: 'off' | 'ok' | 'degraded' | 'down';
  readonly reason: string | undefined;
  /** Of the error that is the reason. */
  readonly code: ErrorCode | undefined;
  readonly counters: Readonly<Record<string, number>>;
}

export interface Upstream {
  /** Returns at once; after `stop` there is no second start. */
  start(): void;
  /** Safe at any moment, also twice. What was not confirmed is sent again after the next start. */
  stop(): Promise<void>;
  status(): UpstreamStatus;
}

export function createUpstream(options: UpstreamOptions): Upstream {
  return new LogUpstream(options);
}

class LogUpstream implements Upstream {
  readonly #options: UpstreamOptions;
  readonly #session_options: SessionOptions | undefined;
  readonly #batch: BatchSize;
  readonly #users_interval_ms: number;
  readonly #abort = new AbortController();
  #in_flight = new InFlightBatches();
  #running: Promise<void> | undefined;
  #connected = false;
  /** Why nothing is sent: kept over connections, until a batch has arrived or there is none to send. */
  #failure: { readonly reason: string; readonly code: ErrorCode | undefined } | undefined;
  #users_failure: string | undefined;
  #retry_ms = FIRST_RETRY_MS;
  readonly #counters = {
    last_seq: 0,
    batches: 0,
    rows: 0,
    readings: 0,
    alerts: 0,
    /** Rows the log no longer had when they were to be sent. */
    rows_missing: 0,
    rows_undecodable: 0,
    /** Of the centre, for this gateway. */
    users: 0,
    /** Rows of its table that could not be taken. */
    users_left_out: 0,
    user_pull_failures: 0,
    /** Of an hour, rolled up at the centre. */
    buckets_rolled_up: 0,
    rollup_failures: 0,
    connects: 0,
    retries: 0,
  };

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#batch = new BatchSize(options.batch_rows ?? DEFAULT_BATCH_ROWS);
    this.#users_interval_ms = options.users_interval_ms ?? USERS_INTERVAL_MS;
    const { database_url, gateway_id, source, clock, migrations = POSTGRES_MIGRATIONS } = options;
    if (database_url) this.#session_options = { database_url, gateway_id, source, clock, migrations };
  }

  start(): void {
    if (!this.#session_options || this.#abort.signal.aborted) return;
    this.#running ??= this.#run(this.#session_options);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    if (!this.#running) return;
    const { clock } = this.#options;
    const given_up = new AbortController();
    await Promise.race([this.#running, sleep(clock, STOP_TIMEOUT_MS, given_up.signal)]);
    given_up.abort();
  }

  status(): UpstreamStatus {
    const lag_rows = Math.max(0, this.#options.source.durableSeq() - this.#counters.last_seq);
    const counters = {
      ...this.#counters,
      lag_rows: this.#session_options ? lag_rows : 0,
      bytes_in_flight: this.#in_flight.bytes,
    };
    const as = (state: UpstreamStatus['state'], reason?: string, code?: ErrorCode): UpstreamStatus => {
      return { state, reason, code, counters };
    };
    if (!this.#session_options) return as('off');
    if (this.#failure) return as('down', this.#failure.reason, this.#failure.code);
    if (this.#abort.signal.aborted) return as('down', 'stopped');
    if (!this.#connected) return as('down', 'connecting');
    if (lag_rows > DEGRADED_ROWS) return as('degraded', `catching up: ${lag_rows} rows behind`);
    if (this.#users_failure) return as('degraded', this.#users_failure);
    return as('ok');
  }

  async #run(session_options: SessionOptions): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let session: Session | undefined;
      try {
        session = await Session.open(session_options, signal);
        this.#counters.connects++;
        await this.#follow(session);
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
      } finally {
        this.#connected = false;
        session?.close();
      }
      if (!signal.aborted) await sleep(this.#options.clock, this.#nextRetryMs(), signal);
    }
    this.#failure = undefined;
  }

  /** Sends what there is and waits for more, until something fails or the end. */
  async #follow(session: Session): Promise<void> {
    const { source, log } = this.#options;
    const { signal } = this.#abort;
    this.#counters.last_seq = session.last_seq;
    this.#connected = true;
    source.markSynced(session.last_seq);
    let is_well = false;
    const goesWell = () => {
      if (!is_well)
        log.info({ component: 'upstream', last_seq: session.last_seq }, `${session.place}: connected`);
      is_well = true;
      this.#failure = undefined;
    };
    const in_flight = new InFlightBatches();
    this.#in_flight = in_flight;
    const abort = () => session.close();
    signal.addEventListener('abort', abort, { once: true });
    try {
      let users_due_ms = 0;
      let ahead: Promise<LogBatch> | undefined;
      while (!signal.aborted) {
        if (this.#options.clock.monoMs() >= users_due_ms) {
          await this.#pullUsers(session);
          users_due_ms = this.#options.clock.monoMs() + this.#users_interval_ms;
        }
        const batch = await (ahead ?? this.#readAfter(session.last_seq, in_flight));
        ahead = undefined;
        if (batch.count > 0) {
          // The log is read for the next batch while the centre stores this one.
          const last_seq = batch.seq[batch.count - 1];
          if (source.durableSeq() > last_seq) ahead = this.#readAfter(last_seq, in_flight);
          ahead?.catch(() => {});
          await this.#send(session, batch);
          goesWell();
          in_flight.arrived(batch);
          continue;
        }
        goesWell();
        in_flight.arrived(batch);
        if (await this.#rollUp(session)) continue;
        if (!(await this.#waitForMore(session.last_seq))) await session.probe();
      }
    } finally {
      signal.removeEventListener('abort', abort);
      // What was on its way, and may still be read, is left to the collector.
      this.#in_flight = new InFlightBatches();
    }
  }

  /** What there is time for when all is sent. True: it did some, and readings may have come meanwhile. */
  async #rollUp(session: Session): Promise<boolean> {
    const { done, failed } = await session.rollUp();
    this.#counters.buckets_rolled_up += done;
    if (failed) {
      this.#counters.rollup_failures++;
      this.#options.log.warn({ component: 'upstream' }, `15-minute buckets wait to be rolled up: ${failed}`);
    }
    return done > 0;
  }

  async #readAfter(seq: number, in_flight: InFlightBatches): Promise<LogBatch> {
    const batch = endAtCorrection(await this.#options.source.readBatch(seq, this.#batch.rows, BATCH_BYTES));
    in_flight.add(batch);
    return batch;
  }

  /** What cannot be pulled, or not be stored here, is no reason to stop the sync. */
  async #pullUsers(session: Session): Promise<void> {
    const { onUsers, log } = this.#options;
    if (!onUsers) return;
    const found = await session.users();
    if ('failed' in found) {
      this.#counters.user_pull_failures++;
      const failure = `users of the centre cannot be pulled: ${found.failed}`;
      if (failure !== this.#users_failure) log.warn({ component: 'upstream' }, failure);
      this.#users_failure = failure;
      return;
    }
    this.#users_failure = undefined;
    try {
      const left_out = (await onUsers(found.pulled)) ?? 0;
      this.#counters.users_left_out = left_out;
      this.#counters.users = found.pulled.rows.length + found.pulled.beyond - left_out;
    } catch (error) {
      log.warn(
        { component: 'upstream', reason: describeError(error) },
        'users of the centre were not stored',
      );
    }
  }

  async #send(session: Session, batch: LogBatch): Promise<void> {
    const counters = this.#counters;
    const { log, source } = this.#options;
    const before_seq = session.last_seq;
    const begun_ms = this.#options.clock.monoMs();
    const sent = await session.send(batch);
    this.#batch.took(batch.count, this.#options.clock.monoMs() - begun_ms);
    // Numbers of a log before this one are reported by the gap that ended it.
    const first_seq = Math.max(before_seq + 1, source.numbers_from);
    const missing = Math.max(0, session.last_seq - first_seq + 1 - batch.count);
    counters.last_seq = session.last_seq;
    counters.batches++;
    counters.rows += batch.count;
    counters.readings += sent.readings;
    counters.alerts += sent.alerts;
    counters.rows_missing += missing;
    counters.rows_undecodable += sent.undecodable;
    this.#retry_ms = FIRST_RETRY_MS;
    source.markSynced(session.last_seq);
    const rows = `between ${before_seq} and ${session.last_seq}`;
    if (missing > 0)
      log.warn(
        { component: 'upstream' },
        `${missing} rows ${rows} were no longer in the log and are not at the centre`,
      );
    if (sent.undecodable > 0)
      log.error(
        { component: 'upstream' },
        `${sent.undecodable} rows ${rows} could not be understood; they are kept at the centre in undecodable_rows`,
      );
  }

  /** True when the log has rows after `last_seq`; false when it is time to probe the connection. */
  async #waitForMore(last_seq: number): Promise<boolean> {
    const { source, clock } = this.#options;
    const wake = new AbortController();
    const stop = () => wake.abort();
    const off = source.onDurable(stop);
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    if (source.durableSeq() > last_seq || this.#abort.signal.aborted) wake.abort();
    await sleep(clock, Math.min(PROBE_MS, this.#users_interval_ms), wake.signal);
    off();
    this.#abort.signal.removeEventListener('abort', stop);
    return wake.signal.aborted;
  }

  #failed(error: unknown): void {
    this.#counters.retries++;
    this.#batch.failed();
    const reason = describeError(error);
    if (error instanceof GatewayError && !error.retriable) this.#retry_ms = FATAL_RETRY_MS;
    if (reason === this.#failure?.reason) return;
    const code = error instanceof GatewayError ? error.code : undefined;
    this.#failure = { reason, code };
    this.#options.log.warn({ component: 'upstream', code }, `sync waits: ${reason}`);
  }

  /** Between half and the whole of the current delay, so that many gateways do not come back at once. */
  #nextRetryMs(): number {
    const delay_ms = this.#retry_ms * (0.5 + Math.random() / 2);
    this.#retry_ms = Math.min(2 * this.#retry_ms, LAST_RETRY_MS);
    return delay_ms;
  }
}
