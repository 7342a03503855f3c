/**
 * One WebSocket client: what it is subscribed to, what it has, and how far behind it is.
 * It never has a backlog: while its socket is full it is skipped, and gets the newest state when it has caught up.
 */
import type { WebSocket } from 'ws';
import type { Clock } from '../../../core/clock/clock.ts';
import type { ServerMessage } from '../../../core/contract/live.ts';
import { BINARY_PROTOCOL } from '../../../core/contract/live-binary.ts';
import type { Logger } from '../../../core/log.ts';
import type { Viewer } from '../auth/access.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServerCounters } from '../metrics.ts';
import type { GatewayServices } from '../services.ts';
import type { Channel, Subscriber } from './channel.ts';
import type { Rendered } from './rendered.ts';

/** Close codes of our own (RFC 6455, section 7.4.2). */
export const CLOSE_SESSION_ENDED = 4401;
export const CLOSE_STOPPING = 1001;
const CLOSE_POLICY = 1008;
export const CLOSE_TRY_AGAIN = 1013;
const OPEN = 1;

export class LiveClient implements Subscriber {
  viewer: Viewer;
  /** Where it comes from: an address, or a /64 of IPv6. */
  readonly network: string;
  /** Where it is, and what it was sent last there. */
  readonly channels = new Map<Channel, Rendered | undefined>();
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limits: ServerLimits;
  readonly #counters: ServerCounters;
  readonly #behind = new Set<Channel>();
  #behind_since_ms: number | undefined;
  #last_seen_ms: number;
  #pinged_ms: number;
  #allowance: number;
  #allowance_ms: number;
  #invalid = 0;
  #dropped = false;

  constructor(
    socket: WebSocket,
    viewer: Viewer,
    from: string,
    { clock, log }: Pick<GatewayServices, 'clock' | 'log'>,
    limits: ServerLimits,
    counters: ServerCounters,
  ) {
    this.#socket = socket;
    this.viewer = viewer;
    this.network = from;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#counters = counters;
    this.#allowance = limits.live_message_burst;
    this.#last_seen_ms = this.#pinged_ms = this.#allowance_ms = clock.monoMs();
  }

  /** Notes that it is alive. */
  noteReceived(): void {
    this.#last_seen_ms = this.#clock.monoMs();
  }

  /** Whether one more message is within its allowance; disconnects it when not. */
  mayTalk(): boolean {
    if (this.#dropped) return false;
    const now = this.#clock.monoMs();
    const { live_message_burst: burst, live_messages_per_second: rate } = this.#limits;
    this.#allowance = Math.min(burst, this.#allowance + ((now - this.#allowance_ms) / 1000) * rate);
    this.#allowance_ms = now;
    if (this.#allowance < 1) {
      this.drop(CLOSE_POLICY, `More than ${rate} messages a second`);
      return false;
    }
    this.#allowance -= 1;
    return true;
  }

  /** Says what was wrong; disconnects a client that only sends nonsense. */
  refuse(message: ServerMessage): void {
    this.send(message);
    if (++this.#invalid >= this.#limits.live_invalid_messages)
      this.drop(CLOSE_POLICY, 'Too many invalid messages');
  }

  /** An answer, small and in order; a client that asks and never reads is disconnected. */
  send(message: ServerMessage): void {
    if (this.#socket.readyState !== OPEN) return;
    if (this.#socket.bufferedAmount > this.#limits.live_buffer_hard_bytes) {
      this.#dropSlow();
      return;
    }
    this.#counters.live_messages_sent++;
    this.#socket.send(JSON.stringify(message));
  }

  /** A room's newest state; sent unless the client has it already or is behind. */
  offer(channel: Channel, rendered: Rendered): void {
    const before = this.channels.get(channel);
    if (this.#socket.readyState !== OPEN || before === rendered) return;
    if (this.#socket.bufferedAmount > this.#limits.live_buffer_soft_bytes) {
      this.#counters.live_states_skipped++;
      this.#behind.add(channel);
      this.#behind_since_ms ??= this.#clock.monoMs();
      return;
    }
    this.channels.set(channel, rendered);
    this.#behind.delete(channel);
    this.#counters.live_messages_sent++;
    const binary = this.#socket.protocol === BINARY_PROTOCOL;
    const frame = binary ? rendered.binary(before?.structure === rendered.structure) : rendered.json();
    this.#socket.send(frame, { binary }, error => {
      if (!error) this.#catchUp();
    });
  }

  leave(channel: Channel): boolean {
    this.#behind.delete(channel);
    return this.channels.delete(channel);
  }

  /** Regular check: pings, and ends clients that are silent, too far behind, or whose session is over. */
  check(): void {
    const now = this.#clock.monoMs();
    const { live_ping_ms, live_idle_ms, live_behind_ms } = this.#limits;
    if (this.#clock.wallMs() >= this.viewer.expires_wall_ms) this.endSession();
    else if (now - this.#last_seen_ms > live_idle_ms) this.drop(CLOSE_POLICY, 'No answer to pings');
    else if (this.#behind_since_ms !== undefined && now - this.#behind_since_ms > live_behind_ms)
      this.#dropSlow();
    else if (now - this.#pinged_ms >= live_ping_ms && this.#socket.readyState === OPEN) {
      this.#pinged_ms = now;
      this.#socket.ping();
    }
  }

  endSession(): void {
    this.drop(CLOSE_SESSION_ENDED, 'The session has ended; log in again');
  }

  /** Says why and closes at once: nobody waits for a client that may never answer. */
  drop(code: number, reason: string): void {
    if (this.#dropped) return;
    this.#dropped = true;
    if (code !== CLOSE_STOPPING) {
      this.#counters.live_clients_dropped++;
      const { bufferedAmount: unsent_bytes } = this.#socket;
      // Who reads nothing will not read the reason either: it stands here.
      this.#log.info(
        { user: this.viewer.user.username, code, reason, unsent_bytes },
        'Live client disconnected',
      );
    }
    this.#socket.close(code, reason);
    setImmediate(() => this.#socket.terminate());
  }

  #dropSlow(): void {
    this.drop(CLOSE_TRY_AGAIN, 'This connection is too slow for what it is subscribed to');
  }

  #catchUp(): void {
    if (this.#socket.bufferedAmount > this.#limits.live_buffer_soft_bytes / 2) return;
    const [channel] = this.#behind;
    if (!channel) {
      this.#behind_since_ms = undefined;
      return;
    }
    this.#behind.delete(channel);
    channel.sendTo(this);
  }
}
