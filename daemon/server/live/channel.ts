/**
 * A room with its subscribers. A change goes out promptly after a quiet time, and at most once per interval
 * while changes go on; what goes out is always the newest state, made once for all who see the same.
 */
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import type { Viewer } from '../auth/access.ts';
import type { LiveClient, Rendered } from './client.ts';
import type { Room } from './rooms.ts';

export interface Pace {
  readonly interval_ms: number;
  readonly gather_ms: number;
}

export class Channel {
  readonly room: Room;
  readonly clients = new Set<LiveClient>();
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #state: (room: Room, viewer: Viewer) => object;
  readonly #failed: (channel: Channel, error: unknown) => void;
  readonly #rendered = new Map<string, Rendered>();
  #timer: TimerHandle | undefined;
  #sent_ms = Number.NEGATIVE_INFINITY;

  constructor(
    room: Room,
    clock: Clock,
    pace: Pace,
    state: (room: Room, viewer: Viewer) => object,
    failed: (channel: Channel, error: unknown) => void,
  ) {
    this.room = room;
    this.#clock = clock;
    this.#pace = pace;
    this.#state = state;
    this.#failed = failed;
  }

  /** The state may have changed. Cheap: called many times a second. */
  changed(): void {
    this.#rendered.clear();
    if (this.#timer) return;
    const wait_ms = this.#sent_ms + this.#pace.interval_ms - this.#clock.monoMs();
    this.#timer = this.#clock.setTimer(() => this.#sendAll(), Math.max(this.#pace.gather_ms, wait_ms));
  }

  /** Looks again when nothing was sent for so long. */
  refresh(after_ms: number): void {
    if (this.#clock.monoMs() - this.#sent_ms >= after_ms) this.changed();
  }

  /** The newest state for one client: at subscribing and after catching up. */
  sendTo(client: LiveClient): void {
    this.#guarded(() => client.offer(this, this.#render(client.viewer)));
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #sendAll(): void {
    this.#timer = undefined;
    this.#sent_ms = this.#clock.monoMs();
    this.#rendered.clear();
    this.#guarded(() => {
      for (const client of this.clients) client.offer(this, this.#render(client.viewer));
    });
  }

  #render(viewer: Viewer): Rendered {
    const scope = this.room.scoped ? viewer.scope : '';
    const known = this.#rendered.get(scope);
    if (known) return known;
    const { name, kind } = this.room;
    const body = JSON.stringify(this.#state(this.room, viewer));
    const head = JSON.stringify({ type: 'state', kind, room: name, t_ms: this.#clock.wallMs() });
    const rendered = { body, frame: Buffer.from(`${head.slice(0, -1)},"data":${body}}`) };
    this.#rendered.set(scope, rendered);
    return rendered;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(this, error);
    }
  }
}
