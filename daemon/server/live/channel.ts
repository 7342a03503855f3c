/**
 * A room with its subscribers. A change goes out promptly after a quiet time, and at most once per interval
 * while changes go on; what goes out is always the newest state, made once for all who see the same.
 */
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import type { ServerMessage } from '../../../core/contract/live.ts';
import type { Viewer } from '../auth/access.ts';
import type { Rendered, Renderer } from './rendered.ts';
import type { Room } from './rooms.ts';

export interface Pace {
  readonly interval_ms: number;
  readonly gather_ms: number;
}

export interface ChannelOptions {
  readonly clock: Clock;
  readonly pace: Pace;
  readonly renderer: Renderer;
  readonly state: (room: Room, viewer: Viewer) => object;
  readonly failed: (channel: Channel, error: unknown) => void;
}

/** Whoever is given the states of a room. */
export interface Subscriber {
  readonly viewer: Viewer;
  /** A room's newest state. */
  offer(channel: Channel, rendered: Rendered): void;
  send(message: ServerMessage): void;
}

export class Channel {
  readonly room: Room;
  readonly clients = new Set<Subscriber>();
  readonly #options: ChannelOptions;
  /** By the scope of those who see it; `revision` is that of `#revision` when it was made. */
  readonly #rendered = new Map<string, { rendered: Rendered; revision: number }>();
  #revision = 0;
  #timer: TimerHandle | undefined;
  #sent_ms = Number.NEGATIVE_INFINITY;

  constructor(room: Room, options: ChannelOptions) {
    this.room = room;
    this.#options = options;
  }

  /** The state may have changed. Cheap: called many times a second. */
  changed(): void {
    this.#revision++;
    if (this.#timer) return;
    const { clock, pace } = this.#options;
    const wait_ms = this.#sent_ms + pace.interval_ms - clock.monoMs();
    this.#timer = clock.setTimer(() => this.#sendAll(), Math.max(pace.gather_ms, wait_ms));
  }

  /** Renews the state when nothing was sent for so long. */
  refresh(after_ms: number): void {
    if (this.#options.clock.monoMs() - this.#sent_ms >= after_ms) this.changed();
  }

  /** The newest state for one client: at subscribing and after catching up. */
  sendTo(client: Subscriber): void {
    this.#guarded(() => client.offer(this, this.#render(client.viewer)));
  }

  stop(): void {
    this.#options.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #sendAll(): void {
    this.#timer = undefined;
    this.#sent_ms = this.#options.clock.monoMs();
    this.#revision++;
    this.#guarded(() => {
      for (const client of this.clients) client.offer(this, this.#render(client.viewer));
    });
    for (const [scope, { revision }] of this.#rendered)
      if (revision !== this.#revision) this.#rendered.delete(scope);
  }

  #render(viewer: Viewer): Rendered {
    const scope = this.room.scopeOf(viewer);
    const before = this.#rendered.get(scope);
    if (before?.revision === this.#revision) return before.rendered;
    const { renderer, state, clock } = this.#options;
    const data = state(this.room, viewer);
    const rendered = renderer.render(this.room, data, clock.wallMs(), before?.rendered);
    this.#rendered.set(scope, { rendered, revision: this.#revision });
    return rendered;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.failed(this, error);
    }
  }
}
