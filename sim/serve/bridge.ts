/** A bridge carries what the virtual devices of one connection say to the world outside, and what is asked back. */

/** What every bridge can be asked. Bridges never throw at bytes from outside. */
export interface Bridge {
  /** Where others find the devices, for people: `tcp://127.0.0.1:1502`, `/dev/pts/4`. Known once `open` has returned. */
  readonly place: string;
  /** Monotonically growing: what passed, what was dropped, what was no request. */
  readonly counters: Readonly<Record<string, number>>;
  /** @throws GatewayError where it cannot be opened: port taken, no such interface, a missing program. */
  open(): Promise<void>;
  /** Safe at any moment, also twice. */
  close(): Promise<void>;
}

/** Answers a request; undefined is the silence of a dead unit, `absent` that there is no such unit. */
export type AnswerUnit = (unit: number, pdu: Uint8Array) => Uint8Array | undefined | 'absent';

/** Called once when a bridge can serve no longer (a port was unplugged). */
export type OnBridgeLost = (reason: string) => void;
