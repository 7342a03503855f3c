/**
 * ModbusLink: one connection or serial line, with one request in flight or as many as the other side is said to
 * bear. It times requests, checks replies and counts everything; it retries nothing itself. Work on the link is
 * queued as jobs (a unit's whole round is one job, so that its registers are read close together).
 */
import type { Clock } from '../../core/clock/clock.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';
import { type Connection, Connector } from './connector.ts';
import type { OnReply } from './framing.ts';
import { type Exchange, InFlight } from './in-flight.ts';
import { InFlightLimit } from './in-flight-limit.ts';
import { pauseUntil } from './pause.ts';
import { type FailureKind, judgeReply, type ReadRequest } from './reply.ts';
import type { Wire } from './wire.ts';

export interface LinkOptions {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly timeout_ms: number;
  readonly gap_ms: number;
  /** Most jobs that may wait; further ones are refused and counted. */
  readonly max_jobs: number;
  /** Most requests in flight at once, where replies carry their number and no pause is due between requests. */
  readonly max_in_flight?: number;
  /** `fresh`: the peer may be another device than before, or the same after a restart. */
  readonly onState: (state: 'up' | 'down', reason: string | undefined, fresh: boolean) => void;
  /** The other side does not bear several requests: from now on one is in flight. */
  readonly onInFlightGivenUp?: (reason: string) => void;
  /** A read has failed. */
  readonly onFailure?: (failure: ReadFailure) => void;
  /** Something about the other side that is borne, and worth a line once. */
  readonly onNotice?: (text: string) => void;
}

export interface ReadFailure {
  readonly kind: FailureKind;
  /** One line: unit, registers, host and what went wrong. */
  readonly message: string;
  /** What went wrong and for which registers, without the place, in words that stay the same while it does. */
  readonly complaint?: string;
  /** The exception code, where the unit refused. */
  readonly exception?: number | undefined;
  /** How long a late reply may still come, where it could be taken for that of another request. */
  readonly settles_in_ms?: number | undefined;
  /** Replies of the unit come, too late: said in the message. */
  readonly is_late?: boolean;
  /** Something else than a reply came. */
  readonly out_of_step?: boolean;
  /** Known to fail: not worth a repeat. */
  readonly is_known?: boolean;
}

/** So many time-outs in a row without any reply, and the connection itself is in doubt. */
const SILENT_TIMEOUTS = 3;

/** A request that was under way when its connection ended is sent again so often. */
const MAX_RESENT = 3;
/** So many closes of one kind are a habit. */
const HABIT = 3;

/** A read that waits until it may be sent. */
interface Turn {
  readonly unit: number;
  readonly begin: () => void;
}

export class ModbusLink {
  readonly counters = {
    requests: 0,
    replies: 0,
    timeouts: 0,
    exceptions: 0,
    bad_replies: 0,
    reconnects: 0,
    jobs_refused: 0,
    requests_pipelined: 0,
    pipelining_failures: 0,
    pipelining_given_up: 0,
    closed_by_peer: 0,
    requests_resent: 0,
  };
  readonly name: string;
  readonly #options: LinkOptions;
  readonly #connector: Connector;
  readonly #in_flight: InFlight;
  readonly #in_flight_limit: InFlightLimit;
  readonly #jobs: (() => Promise<void>)[] = [];
  readonly #workers = new Set<Promise<void>>();
  #working = 0;
  /** Reads of the jobs under way, in the order in which they came. */
  readonly #turns: Turn[] = [];
  #silent_timeouts = 0;
  #silent_since_ms = Number.NEGATIVE_INFINITY;
  #idle_since_ms = Number.NEGATIVE_INFINITY;
  readonly #adaptive_timeout = new AdaptiveTimeout();
  /** Connections in a row that ended after one reply, with the next request under way. */
  #ended_after_reply = 0;
  /** The other side closes after each reply: each request gets a connection of its own. */
  #is_one_each = false;
  #habit_logged = false;
  #trailing_logged = false;
  /** How long after its request the last late reply of a unit came. */
  readonly #late_ms = new Map<number, number>();
  /** Until when a late reply of a unit may come, by unit. */
  readonly #settled_at_ms = new Map<number, number>();

  constructor(options: LinkOptions) {
    const { wire, clock, gap_ms, max_in_flight = 1, onState } = options;
    this.#options = options;
    this.name = wire.name;
    this.#in_flight = new InFlight(clock);
    const limit = wire.has_transactions && gap_ms === 0 && wire.silence_ms === 0 ? max_in_flight : 1;
    this.#in_flight_limit = new InFlightLimit(limit, this.counters, reason =>
      options.onInFlightGivenUp?.(reason),
    );
    this.#connector = new Connector({
      wire,
      clock,
      counters: this.counters,
      onState,
      onOutcome: () => this.#beginTurns(),
      onLost: (connection, reason) => this.#onLost(connection, reason),
      onPeerClosed: () => this.#onPeerClosed(),
    });
  }

  /** Requests that may be in flight at once now. */
  get in_flight_limit(): number {
    return this.#in_flight_limit.limit;
  }

  start(): void {
    this.#connector.start();
  }

  async stop(): Promise<void> {
    this.#jobs.length = 0;
    await this.#connector.stop();
    await Promise.all(this.#workers);
    this.#in_flight.stop();
  }

  /**
   * Queues work that has its share of the link while it runs: all of it, or one of as many as requests may be in
   * flight. False: the queue is full or the link stopped.
   */
  run(job: () => Promise<void>): boolean {
    if (this.#connector.signal.aborted) return false;
    if (this.#jobs.length >= this.#options.max_jobs) {
      this.counters.jobs_refused++;
      return false;
    }
    this.#jobs.push(job);
    if (this.#working < this.#in_flight_limit.limit) {
      this.#working++;
      const worker: Promise<void> = this.#work().finally(() => this.#workers.delete(worker));
      this.#workers.add(worker);
    }
    return true;
  }

  /** Reads registers into `into` (from its start). Only within a job. Undefined: done. Never rejects. */
  read(request: ReadRequest, into: Uint16Array): Promise<ReadFailure | undefined> {
    const { unit } = request;
    if (this.#turns.length === 0 && this.#mayBegin(unit)) return this.#begin(request, into);
    return new Promise(resolve => {
      this.#turns.push({ unit, begin: () => resolve(this.#begin(request, into)) });
    });
  }

  async #work(): Promise<void> {
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      await job();
      if (this.#working > this.#in_flight_limit.limit) break;
    }
    this.#working--;
  }

  /** Also where the read can only fail. */
  #mayBegin(unit: number): boolean {
    const { connection, isConnecting } = this.#connector;
    if (!connection) {
      if (isConnecting) this.#connector.wake();
      return !isConnecting;
    }
    if (this.#is_one_each && this.#in_flight.size > 0) return false;
    return this.#in_flight_limit.admits(unit, this.#in_flight.size);
  }

  #beginTurns(): void {
    while (this.#turns.length > 0 && this.#mayBegin(this.#turns[0].unit)) this.#turns.shift()!.begin();
  }

  #begin(request: ReadRequest, into: Uint16Array, resent = 0): Promise<ReadFailure | undefined> {
    const { clock, gap_ms, wire } = this.#options;
    const pause_ms = Math.max(gap_ms, wire.silence_ms, request.gap_ms ?? 0);
    const settled_at_ms = this.#settled_at_ms.get(request.unit) ?? Number.NEGATIVE_INFINITY;
    const free_at_ms = Math.max(this.#idle_since_ms + pause_ms, settled_at_ms);
    if (free_at_ms <= clock.monoMs()) return this.#exchange(request, into, resent);
    return pauseUntil(clock, free_at_ms, this.#connector.signal).then(() =>
      this.#exchange(request, into, resent),
    );
  }

  #exchange(request: ReadRequest, into: Uint16Array, resent: number): Promise<ReadFailure | undefined> {
    const { connection, isConnecting, reason, signal } = this.#connector;
    if (!connection && isConnecting) {
      // It was closed in the pause before this request.
      return new Promise(resolve => {
        const begin = () => resolve(this.#begin(request, into, resent));
        this.#turns.unshift({ unit: request.unit, begin });
        this.#beginTurns();
      });
    }
    if (!connection || signal.aborted)
      return Promise.resolve({ kind: 'link', message: reason ?? `${this.name}: not connected` });
    const { unit } = request;
    const timeout_ms = this.#adaptive_timeout.timeoutMs(unit, request.timeout_ms ?? this.#options.timeout_ms);
    const sent_ms = this.#options.clock.monoMs();
    this.counters.requests++;
    return new Promise(resolve => {
      const settle = (failure: ReadFailure | undefined) => {
        this.#onSettled(connection, exchange, failure);
        resolve(failure);
      };
      let is_given_up = false;
      const onReply: OnReply = (error, reply) => {
        if (is_given_up) {
          this.#late_ms.set(unit, this.#options.clock.monoMs() - sent_ms);
          return;
        }
        const verdict = judgeReply(request, error, reply, into);
        if (verdict?.kind === 'bad_reply') this.counters.bad_replies++;
        else this.#onGoodReply(connection, verdict !== undefined);
        settle(verdict && this.#failure(request, verdict.kind, verdict.text, verdict.exception));
      };
      const exchange: Exchange = {
        request,
        sent_ms,
        due_ms: sent_ms + timeout_ms,
        is_pipelined: false,
        is_alone: this.#in_flight_limit.onSent(unit, this.#in_flight.size),
        onOverdue: () => {
          is_given_up = true;
          settle(this.#overdue(connection, request, timeout_ms, onReply));
        },
        onLost: text => {
          if (connection.replies > 0 && resent < MAX_RESENT && !signal.aborted) {
            const begin = () => resolve(this.#begin(request, into, resent + 1));
            this.#resend(exchange, begin);
            return false;
          }
          settle({ kind: 'link', message: text });
          return true;
        },
      };
      this.#in_flight.add(exchange);
      connection.framing.send(request, onReply);
    });
  }

  #onSettled(connection: Connection, exchange: Exchange, failure: ReadFailure | undefined): void {
    const { unit } = exchange.request;
    const now_ms = this.#options.clock.monoMs();
    this.#in_flight.remove(exchange);
    this.#idle_since_ms = now_ms;
    if (failure?.settles_in_ms) this.#settled_at_ms.set(unit, now_ms + failure.settles_in_ms);
    else this.#settled_at_ms.delete(unit);
    const was_silent = this.#adaptive_timeout.isSilent(unit);
    if (failure?.kind === 'timeout') this.#adaptive_timeout.onSilence(unit, exchange.sent_ms, now_ms);
    else if (failure?.kind !== 'link' && failure?.kind !== 'bad_reply') {
      this.#adaptive_timeout.onReply(unit, now_ms - exchange.sent_ms);
      this.#late_ms.delete(unit);
    }
    this.#in_flight_limit.onSettled(exchange, failure?.kind, was_silent, now_ms);
    if (failure) {
      this.#options.onFailure?.(failure);
      this.#doubt(connection, exchange, failure, now_ms);
    }
    if (!this.#trailing_logged && this.#options.wire.counters.trailing_bytes > 0) {
      this.#trailing_logged = true;
      this.#options.onNotice?.('bytes follow its replies that belong to none; they are left out and counted');
    }
    if (this.#is_one_each && connection.replies > 0) this.#connector.retire(connection, true);
    // What is in flight on a connection that is to be replaced still gets its time.
    if (this.#in_flight.size === 0 && this.#connector.connection !== connection) connection.stream.destroy();
    this.#beginTurns();
  }

  #overdue({ framing }: Connection, request: ReadRequest, timeout_ms: number, onReply: OnReply): ReadFailure {
    const { has_transactions } = this.#options.wire;
    const came = framing.giveUp(onReply);
    const out_of_step = came !== undefined;
    if (out_of_step && !has_transactions) this.counters.bad_replies++;
    else this.counters.timeouts++;
    const kind = out_of_step && !has_transactions ? 'bad_reply' : 'timeout';
    const late_ms = this.#late_ms.get(request.unit);
    const late = late_ms === undefined ? '' : `, replies come after ${Number(late_ms.toPrecision(2))} ms,`;
    const text = `no reply within ${timeout_ms} ms${out_of_step ? `, but ${came},` : late}`;
    const settles_in_ms = has_transactions ? undefined : timeout_ms;
    const is_late = late_ms !== undefined;
    return { ...this.#failure(request, kind, text), settles_in_ms, out_of_step, is_late };
  }

  #failure(request: ReadRequest, kind: FailureKind, text: string, exception?: number): ReadFailure {
    const { unit, code, address, count } = request;
    const what = code <= 2 ? 'coils' : 'registers';
    const place = `${what} ${address} to ${address + count - 1} (FC0${code})`;
    const complaint = `${kind === 'timeout' ? 'no reply' : text} for ${place}`;
    return { kind, message: `unit ${unit} at ${this.name}: ${text} for ${place}`, complaint, exception };
  }

  #onGoodReply(connection: Connection, exception: boolean): void {
    this.counters.replies++;
    if (exception) this.counters.exceptions++;
    connection.replies++;
    this.#silent_timeouts = 0;
  }

  /** Asks for a new connection where the old one may be out of step with its replies, or dead. */
  #doubt(connection: Connection, { sent_ms }: Exchange, failure: ReadFailure, now_ms: number): void {
    const { has_transactions, reopens_after_timeout, reopens_when_silent } = this.#options.wire;
    // Requests that were in flight together are silent together.
    if (failure.kind === 'timeout' && sent_ms >= this.#silent_since_ms) {
      this.#silent_timeouts++;
      this.#silent_since_ms = now_ms;
    }
    const out_of_step =
      (has_transactions && (failure.kind === 'bad_reply' || failure.out_of_step === true)) ||
      (reopens_after_timeout && failure.kind === 'timeout');
    const silent = reopens_when_silent && this.#silent_timeouts >= SILENT_TIMEOUTS;
    if (!out_of_step && !silent) return;
    this.#silent_timeouts = 0;
    this.#connector.retire(connection);
  }

  #onLost({ replies }: Connection, reason: string): boolean {
    const { size } = this.#in_flight;
    this.#silent_timeouts = 0;
    if (!this.#connector.signal.aborted) this.#in_flight_limit.onLost(size);
    if (size > 0) this.#ended_after_reply = replies === 1 ? this.#ended_after_reply + 1 : 0;
    return this.#in_flight.lose(reason);
  }

  /** Read requests change nothing: the connection had been of use, so the next one is worth a try. */
  #resend(exchange: Exchange, begin: () => void): void {
    const { unit } = exchange.request;
    const now_ms = this.#options.clock.monoMs();
    this.counters.requests_resent++;
    this.#in_flight.remove(exchange);
    this.#idle_since_ms = now_ms;
    this.#in_flight_limit.onSettled(exchange, 'link', false, now_ms);
    this.#turns.push({ unit, begin });
  }

  #onPeerClosed(): void {
    const { onNotice } = this.#options;
    this.counters.closed_by_peer++;
    if (this.#ended_after_reply >= HABIT) this.#is_one_each = true;
    if (this.counters.closed_by_peer >= HABIT && !this.#habit_logged) {
      this.#habit_logged = true;
      onNotice?.(
        this.#ended_after_reply > 0
          ? 'the other side closes it after each reply; it is opened for each request'
          : 'the other side closes it between requests; it is opened again when it is needed',
      );
    }
    this.#beginTurns();
  }
}
