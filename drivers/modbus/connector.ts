/** Keeps a link connected: opens its wire, opens it again with back-off when it closes, and reports how it stands. */
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { describeError } from '../../core/errors.ts';
import { backoffMs } from './backoff.ts';
import type { Framing } from './framing.ts';
import type { Wire, WireStream } from './wire.ts';

export interface Connection {
  readonly stream: WireStream;
  readonly framing: Framing;
  /** Replies it carried. */
  replies: number;
}

export interface ConnectorOptions {
  readonly wire: Wire;
  readonly clock: Clock;
  readonly counters: { reconnects: number };
  /** `fresh`: the peer may be another device than before, or the same after a restart. */
  readonly onState: (state: 'up' | 'down', reason: string | undefined, fresh: boolean) => void;
  /** `isConnecting` may have changed. */
  readonly onOutcome: () => void;
  /** A connection has ended. True: requests were in flight on it that cannot be sent again. */
  readonly onLost: (connection: Connection, reason: string) => boolean;
  /** The other side closed a connection that had been of use: normal. */
  readonly onPeerClosed: () => void;
}

const CONNECT_TIMEOUT_MS = 5000;

export class Connector {
  readonly #options: ConnectorOptions;
  readonly #stop = new AbortController();
  #connecting: Promise<void> | undefined;
  #connection: Connection | undefined;
  #state: 'starting' | 'up' | 'down' = 'starting';
  #reason: string | undefined;
  /** Another connection follows in which nothing is new: at once, or when it is needed. */
  #reopening = false;
  #when_needed = false;
  #needed = Promise.withResolvers<void>();
  #attempting = true;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Undefined: there is none, or it is to carry no further request. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** An attempt is under way whose outcome is worth waiting for. */
  get isConnecting(): boolean {
    return !this.#connection && (this.#reopening || this.#attempting) && !this.#stop.signal.aborted;
  }

  /** Why there is no connection. */
  get reason(): string | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  start(): void {
    this.#connecting ??= this.#keepConnected();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#needed.resolve();
    this.#connection?.stream.destroy();
    this.#attempting = false;
    this.#options.onOutcome();
    await this.#connecting;
  }

  /** A request waits for a connection. */
  wake(): void {
    this.#needed.resolve();
  }

  /**
   * The connection carries no further request; another follows once its stream is destroyed, or, with `when_needed`,
   * once a request waits for it.
   */
  retire(connection: Connection, when_needed = false): void {
    if (this.#connection !== connection) return;
    this.#reopening = true;
    this.#when_needed = when_needed;
    this.#connection = undefined;
  }

  async #keepConnected(): Promise<void> {
    const { clock, counters, onOutcome } = this.#options;
    const signal = this.#stop.signal;
    let fruitless = 0;
    while (!signal.aborted) {
      const fresh = !this.#reopening;
      if (this.#when_needed) await this.#needed.promise;
      if (signal.aborted) break;
      this.#reopening = false;
      this.#when_needed = false;
      this.#attempting = true;
      const { replied, reason } = await this.#connectOnce(fresh);
      if (signal.aborted) break;
      counters.reconnects++;
      fruitless = replied ? 0 : fruitless + 1;
      if (this.#reopening) continue;
      this.#attempting = false;
      this.#setState('down', reason, true);
      onOutcome();
      await sleep(clock, backoffMs(fruitless), signal);
    }
    onOutcome();
  }

  /** One connection from opening to close; reports why it ended and whether it ever carried a reply. */
  async #connectOnce(fresh: boolean): Promise<{ replied: boolean; reason: string }> {
    const { clock, wire, onLost, onPeerClosed } = this.#options;
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
      ? `connection to ${wire.name} lost: ${reason ?? 'closed by the other side'}`
      : `cannot connect to ${wire.name}: ${reason ?? 'closed at once'}`;
    // Who waited for a reply must learn of the loss also where the connection was to be replaced anyhow.
    const is_lost = connection !== undefined && onLost(connection, text);
    const replied = connection !== undefined && connection.replies > 0;
    if (is_lost) this.#reopening = false;
    else if (replied && wire.peer_may_close && !this.#reopening && !this.#stop.signal.aborted) {
      this.#reopening = true;
      this.#when_needed = true;
      onPeerClosed();
    }
    return { replied, reason: text };
  }

  #adopt(stream: WireStream, fresh: boolean): Connection {
    const { wire, onOutcome } = this.#options;
    const connection: Connection = { stream, framing: wire.frame(stream), replies: 0 };
    this.#connection = connection;
    this.#needed = Promise.withResolvers<void>();
    this.#attempting = false;
    this.#setState('up', undefined, fresh);
    onOutcome();
    return connection;
  }

  #setState(state: 'up' | 'down', reason: string | undefined, fresh: boolean): void {
    if (this.#stop.signal.aborted || (this.#state === state && this.#reason === reason)) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.onState(state, reason, fresh);
  }
}
