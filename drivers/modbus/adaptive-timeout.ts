/**
 * How long to wait for a unit: one that has been silent for some requests is probed only as long as the units
 * that do answer ever took, with a margin, so that it costs them next to nothing. Now and then it gets the
 * whole time-out, as it may be slower than they are.
 */

/** Requests in a row without a reply after which a unit counts as silent. */
const SILENT_AFTER = 3;
const FULL_PROBE_EVERY = 5;
const MARGIN = 4;
const MIN_PROBE_MS = 100;
/** A reply that was slow once is forgotten in some hundred replies. */
const FADING = 0.99;

interface Silence {
  requests: number;
  since_ms: number;
}

export class AdaptiveTimeout {
  readonly #silences = new Map<number, Silence>();
  #slowest_ms = 0;

  /** `timeout_ms`: what the unit gets while it is not known to be silent. */
  timeoutMs(unit: number, timeout_ms: number): number {
    const silences = this.#silences.get(unit)?.requests ?? 0;
    if (silences < SILENT_AFTER || silences % FULL_PROBE_EVERY === 0 || this.#slowest_ms === 0)
      return timeout_ms;
    return Math.min(timeout_ms, Math.max(MIN_PROBE_MS, Math.ceil(MARGIN * this.#slowest_ms)));
  }

  /** The unit has not answered the request before either. */
  isSilent(unit: number): boolean {
    return this.#silences.has(unit);
  }

  /** Requests that were in flight together are silent together, and count as one. */
  onSilence(unit: number, sent_ms: number, now_ms: number): void {
    const silence = this.#silences.get(unit);
    if (!silence) this.#silences.set(unit, { requests: 1, since_ms: now_ms });
    else if (sent_ms >= silence.since_ms) {
      silence.requests++;
      silence.since_ms = now_ms;
    }
  }

  onReply(unit: number, took_ms: number): void {
    this.#silences.delete(unit);
    this.#slowest_ms = Math.max(took_ms, this.#slowest_ms * FADING);
  }
}
