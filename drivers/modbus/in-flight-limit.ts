/**
 * How many requests may be in flight on a connection, and whether the other side bears it. Many devices can do
 * one only, and few say so: some answer "busy", some keep silent, some mix replies up or hang up. A unit that fails
 * beside other requests is asked again alone; one that answers then, time and again, ends all overlapping.
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 4.4.1 (NumberMaxOfClientTransaction, 1 to 16).
 */
import type { Exchange } from './in-flight.ts';
import type { FailureKind } from './reply.ts';

export interface InFlightCounters {
  requests_pipelined: number;
  /** A unit failed beside other requests and answered alone, or the other side hung up on several. */
  pipelining_failures: number;
  /** Connections that went back to one request in flight for good. */
  pipelining_given_up: number;
}

/** So many failures make it certain enough. */
const FAILURES = 3;
/** After so many good replies beside others an earlier failure was chance. */
const FORGIVEN_AFTER = 100;
const DOUBTFUL: readonly FailureKind[] = ['timeout', 'busy', 'bad_reply'];

export class InFlightLimit {
  readonly #counters: InFlightCounters;
  readonly #onGivenUp: (reason: string) => void;
  #limit: number;
  /** Units to be asked alone next, and the incident in which they failed. */
  readonly #suspects = new Map<number, number>();
  /** What fails together is one incident: a link that is silent for a moment fails everything in flight. */
  #incident = 0;
  #incident_since_ms = Number.NEGATIVE_INFINITY;
  #counted_incident = 0;
  #one_alone = false;
  #failures = 0;
  #good_replies = 0;

  constructor(limit: number, counters: InFlightCounters, onGivenUp: (reason: string) => void) {
    this.#limit = limit;
    this.#counters = counters;
    this.#onGivenUp = onGivenUp;
  }

  /** Requests that may be in flight now. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether a request to the unit may be sent beside so many others. */
  admits(unit: number, in_flight: number): boolean {
    if (in_flight === 0) return true;
    return in_flight < this.#limit && !this.#one_alone && !this.#suspects.has(unit);
  }

  /** Called with each request sent; true: nothing may be in flight beside it. */
  onSent(unit: number, in_flight: number): boolean {
    if (in_flight > 0) this.#counters.requests_pipelined++;
    this.#one_alone = this.#suspects.has(unit);
    return this.#one_alone;
  }

  /** `was_silent`: the unit did not answer the request before either, so that this silence says nothing new. */
  onSettled(exchange: Exchange, failure: FailureKind | undefined, was_silent: boolean, now_ms: number): void {
    const { is_alone, is_pipelined, request } = exchange;
    const { unit } = request;
    const is_doubtful = failure !== undefined && DOUBTFUL.includes(failure);
    if (is_alone) {
      const incident = this.#suspects.get(unit) ?? 0;
      this.#one_alone = false;
      this.#suspects.delete(unit);
      if (is_doubtful || failure === 'link' || incident === this.#counted_incident) return;
      this.#counted_incident = incident;
      this.#fail(`unit ${unit} answers when asked alone, and not beside other requests`);
      return;
    }
    if (!is_pipelined || this.#limit === 1 || failure === 'link') return;
    if (!is_doubtful) this.#good_replies++;
    else if (!was_silent) this.#suspect(unit, exchange.sent_ms, now_ms);
  }

  /** The other side closed the connection. */
  onLost(in_flight: number): void {
    if (in_flight > 1) this.#fail(`the connection ended with ${in_flight} requests in flight`);
  }

  #suspect(unit: number, sent_ms: number, now_ms: number): void {
    if (sent_ms >= this.#incident_since_ms) {
      this.#incident++;
      this.#incident_since_ms = now_ms;
    }
    this.#suspects.set(unit, this.#incident);
  }

  #fail(reason: string): void {
    if (this.#limit === 1) return;
    this.#counters.pipelining_failures++;
    this.#failures = this.#good_replies >= FORGIVEN_AFTER ? 1 : this.#failures + 1;
    this.#good_replies = 0;
    if (this.#failures < FAILURES) return;
    this.#limit = 1;
    this.#suspects.clear();
    this.#counters.pipelining_given_up++;
    this.#onGivenUp(reason);
  }
}
