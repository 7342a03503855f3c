/**
 * A CAN bus inside the process. The simulator attaches nodes, the driver opens the same bus; a frame sent
 * by one is delivered to all others at once, in order, without a copy.
 */
import type { Clock } from '../../core/clock/clock.ts';
import type { CanBus, CanBusListener, CanFrame, CanId } from './can-bus.ts';

/** Frames that may wait while a delivery is under way; beyond, new ones are dropped and counted. */
const MAX_WAITING_FRAMES = 4096;

export type SentFrame = Pick<CanFrame, 'id' | 'extended' | 'data' | 'length'>;

/** A node's place on the bus. */
export interface VirtualCanNode {
  /** Delivers to all others; false: dropped, the bus is down or flooded. */
  send(frame: SentFrame): boolean;
  detach(): void;
}

type Receiver = (frame: CanFrame) => void;

/** Buses by connection id; asking for a new id makes the bus. */
export class VirtualCanHub {
  readonly #buses = new Map<string, VirtualCanBus>();

  bus(connection_id: string): VirtualCanBus {
    let bus = this.#buses.get(connection_id);
    if (!bus) {
      bus = new VirtualCanBus(connection_id);
      this.#buses.set(connection_id, bus);
    }
    return bus;
  }
}

export class VirtualCanBus {
  readonly connection_id: string;
  /** Frames lost because the bus was down or flooded. */
  dropped = 0;
  #receivers: { readonly node: object; readonly receive: Receiver }[] = [];
  readonly #stateWatchers = new Set<(reason: string | undefined) => void>();
  #down_reason: string | undefined;
  #delivering = false;
  #waiting: { from: object; frame: CanFrame }[] = [];

  constructor(connection_id: string) {
    this.connection_id = connection_id;
  }

  /** Joins the bus. `receive` gets every frame of the others; leave it out to send only. */
  attach(receive?: Receiver): VirtualCanNode {
    const node: VirtualCanNode = {
      send: frame => this.#send(node, frame),
      detach: () => {
        this.#receivers = this.#receivers.filter(other => other.node !== node);
      },
    };
    if (receive) this.#receivers = [...this.#receivers, { node, receive }];
    return node;
  }

  /** Takes the bus down (a pulled cable, bus-off); undefined brings it up again. */
  setDown(reason: string | undefined): void {
    this.#down_reason = reason;
    for (const watcher of this.#stateWatchers) watcher(reason);
  }

  get down_reason(): string | undefined {
    return this.#down_reason;
  }

  /** Calls `watcher` on each `setDown`; returns how to stop that. */
  watchState(watcher: (reason: string | undefined) => void): () => void {
    this.#stateWatchers.add(watcher);
    return () => this.#stateWatchers.delete(watcher);
  }

  #send(from: object, { id, extended, data, length }: SentFrame): boolean {
    if (this.#down_reason !== undefined || this.#waiting.length >= MAX_WAITING_FRAMES) {
      this.dropped++;
      return false;
    }
    if (this.#delivering) {
      // The sender may reuse its buffer before this frame's turn.
      const frame = { id, extended, data: data.slice(0, length), length, fd: length > 8, rx_mono_ms: 0 };
      this.#waiting.push({ from, frame });
      return true;
    }
    this.#delivering = true;
    try {
      this.#deliver(from, { id, extended, data, length, fd: length > 8, rx_mono_ms: 0 });
      for (let i = 0; i < this.#waiting.length; i++)
        this.#deliver(this.#waiting[i].from, this.#waiting[i].frame);
    } finally {
      this.#waiting = [];
      this.#delivering = false;
    }
    return true;
  }

  #deliver(from: object, frame: CanFrame): void {
    for (const { node, receive } of this.#receivers) if (node !== from) receive(frame);
  }
}

/** A virtual bus as the driver opens it. */
export class VirtualBusPort implements CanBus {
  readonly name: string;
  readonly #bus: VirtualCanBus;
  readonly #clock: Clock;
  #node: VirtualCanNode | undefined;
  #unwatch: (() => void) | undefined;

  constructor(bus: VirtualCanBus, clock: Clock) {
    this.name = bus.connection_id;
    this.#bus = bus;
    this.#clock = clock;
  }

  get counters(): Record<string, number> {
    return { bus_drops: this.#bus.dropped };
  }

  async open(_ids: readonly CanId[], listener: CanBusListener): Promise<void> {
    await this.close();
    this.#node = this.#bus.attach(frame => {
      frame.rx_mono_ms = this.#clock.monoMs();
      listener.onFrame(frame);
    });
    const report = (reason: string | undefined) =>
      listener.onState(reason === undefined ? 'up' : 'down', reason);
    this.#unwatch = this.#bus.watchState(report);
    report(this.#bus.down_reason);
  }

  async close(): Promise<void> {
    this.#node?.detach();
    this.#unwatch?.();
    this.#node = undefined;
    this.#unwatch = undefined;
  }

  restart(): void {}

  send(frame: SentFrame): boolean {
    return this.#node?.send(frame) ?? false;
  }
}
