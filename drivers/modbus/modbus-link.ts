/**
 * ModbusLink: one connection or serial line with one request in flight. It connects, reconnects with back-off,
 * times requests, checks replies and counts everything; it retries nothing itself. Work on the link is
 * queued as jobs (a unit's whole round is one job, so that its registers are read close together).
 */
import type { Duplex } from 'node:stream';
import { type Clock, sleep, type TimerHandle } from '../../core/clock/clock.ts';
import { describeError } from '../../core/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Framing } from './framing.ts';
import { Patience } from './patience.ts';
import { pauseUntil } from './pause.ts';
import { type FailureKind, judgeReply, type ReadRequest } from './reply.ts';

/** Connected, or connecting and then telling so by an event `connect`. */
export interface WireStream extends Duplex {
  readonly connecting: boolean;
}

/** What a link talks over: a TCP peer, a serial line, or units inside the process. */
export interface Wire {
  /** For messages: "10.0.0.5:502", "/dev/ttyUSB0". */
  readonly name: string;
  /** A fresh stream, connected or connecting. */
  open(): WireStream;
  /** Requests and replies on the open stream. */
  frame(stream: WireStream): Framing;
  /** Counts of the framing, shown beside the link's own. */
  readonly counters: Readonly<Record<string, number>>;
  /** Least pause between a reply and the next request. */
  readonly silence_ms: number;
  /** Replies carry the number of their request. Without: a late one could be taken for the next one. */
  readonly has_transactions: boolean;
  /** Opening anew may help where nobody answers. */
  readonly reopens_when_silent: boolean;
}

export interface LinkOptions {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly timeout_ms: number;
  readonly gap_ms: number;
  /** Most jobs that may wait; further ones are refused and counted. */
  readonly max_jobs: number;
  /** `fresh`: the peer may be another device than before, or the same after a restart. */
  readonly onState: (state: 'up' | 'down', reason: string | undefined, fresh: boolean) => void;
}

export interface ReadFailure {
  readonly kind: FailureKind;
  /** One line: unit, registers, host and what went wrong. */
  readonly message: string;
  /** The exception code, where the unit refused. */
  readonly exception?: number | undefined;
  /** How long a late reply may still come, where it could be taken for that of another request. */
  readonly settles_in_ms?: number | undefined;
  /** Something else than a reply came. */
  readonly out_of_step?: boolean;
  /** Known to fail: not worth a repeat. */
  readonly is_known?: boolean;
}

const CONNECT_TIMEOUT_MS = 5000;
/** So many time-outs in a row without any reply, and the connection itself is in doubt. */
const SILENT_TIMEOUTS = 3;

interface Connection {
  readonly stream: WireStream;
  readonly framing: Framing;
  replied: boolean;
  /** Settles the request in flight when the socket closes. */
  onLost: ((reason: string) => void) | undefined;
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
  };
  readonly name: string;
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #jobs: (() => Promise<void>)[] = [];
  #draining: Promise<void> | undefined;
  #connecting: Promise<void> | undefined;
  #connection: Connection | undefined;
  /** Waiters for the outcome of the connection attempt under way. */
  #waiters: (() => void)[] = [];
  #state: 'starting' | 'up' | 'down' = 'starting';
  #reason: string | undefined;
  /** Set where we closed the connection ourselves, to open a fresh one at once. */
  #reopening = false;
  #attempting = true;
  #silent_timeouts = 0;
  #idle_since_ms = Number.NEGATIVE_INFINITY;
  readonly #patience = new Patience();
  /** When the reply to the request in flight is overdue, and what then; undefined: none is in flight. */
  #due_ms = 0;
  #onOverdue: (() => void) | undefined;
  #timer: TimerHandle | undefined;
  #timer_at_ms = 0;
  /** Until when a late reply of a unit may come, by unit. */
  readonly #settled_at_ms = new Map<number, number>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.name = options.wire.name;
  }

  start(): void {
    this.#connecting ??= this.#keepConnected();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#jobs.length = 0;
    this.#connection?.stream.destroy();
    this.#attempting = false;
    this.#wakeWaiters();
    await this.#connecting;
    await this.#draining;
    this.#options.clock.clearTimer(this.#timer);
  }

  /** Queues work that has the link to itself while it runs. False: the queue is full or the link stopped. */
  run(job: () => Promise<void>): boolean {
    if (this.#stop.signal.aborted) return false;
    if (this.#jobs.length >= this.#options.max_jobs) {
      this.counters.jobs_refused++;
      return false;
    }
    this.#jobs.push(job);
    this.#draining ??= this.#drain();
    return true;
  }

  /** Reads registers into `into` (from its start). Only within a job. Undefined: done. Never rejects. */
  read(request: ReadRequest, into: Uint16Array): Promise<ReadFailure | undefined> {
    const { clock, gap_ms, wire } = this.#options;
    const connecting = this.#reopening || this.#attempting;
    if (!this.#connection && connecting && !this.#stop.signal.aborted)
      return new Promise<void>(resolve => this.#waiters.push(resolve)).then(() => this.read(request, into));
    const pause_ms = Math.max(gap_ms, wire.silence_ms, request.gap_ms ?? 0);
    const settled_at_ms = this.#settled_at_ms.get(request.unit) ?? Number.NEGATIVE_INFINITY;
    const free_at_ms = Math.max(this.#idle_since_ms + pause_ms, settled_at_ms);
    if (free_at_ms > clock.monoMs())
      return pauseUntil(clock, free_at_ms, this.#stop.signal).then(() => this.#exchange(request, into));
    return this.#exchange(request, into);
  }

  #exchange(request: ReadRequest, into: Uint16Array): Promise<ReadFailure | undefined> {
    const connection = this.#connection;
    if (!connection || this.#stop.signal.aborted)
      return Promise.resolve({ kind: 'link', message: this.#reason ?? `${this.name}: not connected` });
    const { clock } = this.#options;
    const { unit } = request;
    const timeout_ms = this.#patience.timeoutMs(unit, request.timeout_ms ?? this.#options.timeout_ms);
    const sent_ms = clock.monoMs();
    this.counters.requests++;
    return new Promise(resolve => {
      const settle = (failure: ReadFailure | undefined) => {
        this.#onOverdue = undefined;
        connection.onLost = undefined;
        this.#idle_since_ms = clock.monoMs();
        if (failure?.settles_in_ms)
          this.#settled_at_ms.set(unit, this.#idle_since_ms + failure.settles_in_ms);
        else this.#settled_at_ms.delete(unit);
        if (failure?.kind === 'timeout') this.#patience.onSilence(unit);
        if (failure) this.#doubt(connection, failure);
        resolve(failure);
      };
      this.#expectBy(sent_ms + timeout_ms, () => settle(this.#overdue(connection, request, timeout_ms)));
      connection.onLost = reason => settle({ kind: 'link', message: reason });
      connection.framing.send(request, (error, reply) => {
        const verdict = judgeReply(request, error, reply, into);
        if (verdict?.kind === 'bad_reply') this.counters.bad_replies++;
        else {
          this.#onGoodReply(connection, verdict !== undefined);
          this.#patience.onReply(unit, clock.monoMs() - sent_ms);
        }
        settle(verdict && this.#failure(request, verdict.kind, verdict.text, verdict.exception));
      });
    });
  }

  /**
   * One timer serves all requests: it is not set and cleared with each, but looks when it fires whether the
   * request then in flight is overdue, and is set on for the rest where it is not.
   */
  #expectBy(due_ms: number, onOverdue: () => void): void {
    this.#due_ms = due_ms;
    this.#onOverdue = onOverdue;
    if (this.#timer && this.#timer_at_ms <= due_ms) return;
    this.#setTimer();
  }

  #setTimer(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    this.#timer_at_ms = this.#due_ms;
    const onTimer = () => {
      this.#timer = undefined;
      if (!this.#onOverdue) return;
      if (clock.monoMs() < this.#due_ms) this.#setTimer();
      else this.#onOverdue();
    };
    this.#timer = clock.setTimer(onTimer, Math.max(0, Math.ceil(this.#due_ms - clock.monoMs())));
  }

  #overdue({ framing }: Connection, request: ReadRequest, timeout_ms: number): ReadFailure {
    const { has_transactions } = this.#options.wire;
    const came = framing.giveUp();
    const out_of_step = came !== undefined;
    if (out_of_step && !has_transactions) this.counters.bad_replies++;
    else this.counters.timeouts++;
    const kind = out_of_step && !has_transactions ? 'bad_reply' : 'timeout';
    const text = `no reply within ${timeout_ms} ms${out_of_step ? `, but ${came},` : ''}`;
    const settles_in_ms = has_transactions ? undefined : timeout_ms;
    return { ...this.#failure(request, kind, text), settles_in_ms, out_of_step };
  }

  #failure(request: ReadRequest, kind: FailureKind, text: string, exception?: number): ReadFailure {
    const { unit, code, address, count } = request;
    const what = code <= 2 ? 'coils' : 'registers';
    const place = `${what} ${address} to ${address + count - 1} (FC0${code})`;
    return { kind, message: `unit ${unit} at ${this.name}: ${text} for ${place}`, exception };
  }

  #onGoodReply(connection: Connection, exception: boolean): void {
    this.counters.replies++;
    if (exception) this.counters.exceptions++;
    connection.replied = true;
    this.#silent_timeouts = 0;
  }

  /** Opens a new connection where the old one may be out of step with its replies, or dead. */
  #doubt(connection: Connection, failure: ReadFailure): void {
    const { has_transactions, reopens_when_silent } = this.#options.wire;
    if (failure.kind === 'timeout') this.#silent_timeouts++;
    const out_of_step = has_transactions && (failure.kind === 'bad_reply' || failure.out_of_step === true);
    const silent = reopens_when_silent && this.#silent_timeouts >= SILENT_TIMEOUTS;
    if (!out_of_step && !silent) return;
    this.#silent_timeouts = 0;
    if (this.#connection !== connection) return;
    this.#reopening = true;
    this.#connection = undefined;
    connection.stream.destroy();
  }

  async #drain(): Promise<void> {
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) await job();
    this.#draining = undefined;
  }

  async #keepConnected(): Promise<void> {
    const { clock } = this.#options;
    const signal = this.#stop.signal;
    let fruitless = 0;
    while (!signal.aborted) {
      const fresh = !this.#reopening;
      this.#reopening = false;
      this.#attempting = true;
      const { replied, reason } = await this.#connectOnce(fresh);
      if (signal.aborted) break;
      this.counters.reconnects++;
      fruitless = replied ? 0 : fruitless + 1;
      if (this.#reopening) continue;
      this.#attempting = false;
      this.#setState('down', reason, true);
      this.#wakeWaiters();
      await sleep(clock, backoffMs(fruitless), signal);
    }
    this.#wakeWaiters();
  }

  /** One connection from opening to close; tells why it ended and whether it ever carried a reply. */
  async #connectOnce(fresh: boolean): Promise<{ replied: boolean; reason: string }> {
    const { clock, wire } = this.#options;
    let reason: string | undefined;
    const socket = wire.open();
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()));
    socket.on('error', error => {
      reason ??= describeError(error);
    });
    const timer = clock.setTimer(() => {
      reason ??= `no connection within ${CONNECT_TIMEOUT_MS} ms`;
      socket.destroy();
    }, CONNECT_TIMEOUT_MS);
    const onStop = () => socket.destroy();
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    if (socket.connecting) {
      await Promise.race([closed, new Promise<void>(resolve => socket.once('connect', () => resolve()))]);
    }
    clock.clearTimer(timer);
    const connection = socket.destroyed ? undefined : this.#adopt(socket, fresh);
    if (!connection) socket.destroy();
    await closed;
    this.#stop.signal.removeEventListener('abort', onStop);
    if (this.#connection === connection) this.#connection = undefined;
    const text = connection
      ? `connection to ${this.name} lost: ${reason ?? 'closed by the other side'}`
      : `cannot connect to ${this.name}: ${reason ?? 'closed at once'}`;
    connection?.onLost?.(text);
    return { replied: connection?.replied ?? false, reason: text };
  }

  #adopt(stream: WireStream, fresh: boolean): Connection {
    const framing = this.#options.wire.frame(stream);
    const connection: Connection = { stream, framing, replied: false, onLost: undefined };
    this.#connection = connection;
    this.#silent_timeouts = 0;
    this.#attempting = false;
    this.#setState('up', undefined, fresh);
    this.#wakeWaiters();
    return connection;
  }

  #setState(state: 'up' | 'down', reason: string | undefined, fresh: boolean): void {
    if (this.#stop.signal.aborted || (this.#state === state && this.#reason === reason)) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.onState(state, reason, fresh);
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
