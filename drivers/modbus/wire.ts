/** What a link talks over. */
import type { Duplex } from 'node:stream';
import type { Framing } from './framing.ts';

/** Connected, or connecting and then saying so by an event `connect`. */
export interface WireStream extends Duplex {
  readonly connecting: boolean;
}

/** A TCP peer, a serial line, or units inside the process. */
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
  /**
   * Replies carry the number of their request. Without: a late one could be taken for the next one, and only one
   * request can be in flight.
   */
  readonly has_transactions: boolean;
  /** The other side may close the connection between two exchanges, and be there all the same. */
  readonly peer_may_close: boolean;
  /** A late reply could be taken for another one on the same connection: after a time-out it is opened again. */
  readonly reopens_after_timeout: boolean;
  /** Opening again may help where nobody answers. */
  readonly reopens_when_silent: boolean;
}
