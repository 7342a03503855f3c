/**
 * One CAN bus and all packs on it: routes each id to its pack, keeps the PackStates up to date and reports
 * how the bus and every single pack fare.
 */
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { Driver, DriverContext, DriverHealth, LinkState, PackBinding } from '../driver.ts';
import { type CanBus, type CanBusState, type CanFrame, formatCanId } from './can-bus.ts';
import { CanPoller } from './can-poller.ts';
import { CandumpReplay } from './candump-replay.ts';
import type { CanConnection } from './connections.ts';
import { EcuReaders } from './iso-tp/ecu-readers.ts';
import { type DecodeResult, PackDecoder } from './pack-decoder.ts';
import type { MappedMessage } from './pack-mapping.ts';
import { Routes } from './routes.ts';
import { SlcanBus } from './slcan-bus.ts';
import { SocketCanBus } from './socketcan-bus.ts';
import { VirtualBusPort, type VirtualCanHub } from './virtual-bus.ts';

const DEFAULT_SILENCE_MS = 10_000;
/** A pack counts as silent after three of its shortest periods, but not sooner. */
const MIN_PACK_SILENCE_MS = 3000;
/** It is asked only once nobody else has asked for a while. */
const MIN_ASKED_SILENCE_MS = 20_000;
const WATCH_INTERVAL_MS = 500;
const MAX_RESTART_WAIT_MS = 300_000;

/** @throws GatewayError PROFILE_INVALID, CONFIG_INVALID (two packs would share an id) */
export function createCanDriver(
  connection: CanConnection,
  bindings: readonly PackBinding[],
  context: DriverContext,
  hub: VirtualCanHub,
): Driver {
  return new CanDriver(connection, bindings, context, openableBus(connection, context.clock, hub));
}

export function openableBus(connection: CanConnection, clock: Clock, hub: VirtualCanHub): CanBus {
  switch (connection.type) {
    case 'socketcan':
      return new SocketCanBus(connection.interface, clock);
    case 'slcan':
      return new SlcanBus(connection, clock);
    case 'candump':
      return new CandumpReplay(connection, clock);
    case 'virtual-can':
      return new VirtualBusPort(hub.bus(connection.id), clock);
  }
}

/** One pack on the bus and how its own speaking fares. */
interface PackSlot {
  readonly decoder: PackDecoder;
  readonly silence_ms: number;
  readonly expected_ids: string;
  state: LinkState;
  reason: string | undefined;
}

class CanDriver implements Driver {
  readonly connection_id: string;
  readonly packs: readonly PackState[];
  readonly #context: DriverContext;
  readonly #bus: CanBus;
  readonly #slots: readonly PackSlot[];
  readonly #routes: Routes<PackSlot>;
  readonly #poller: CanPoller;
  readonly #ecus: EcuReaders<PackSlot>;
  readonly #silence_ms: number;
  readonly #counts = {
    frames: 0,
    unknown_ids: 0,
    truncated_frames: 0,
    checksum_errors: 0,
    no_readings: 0,
    decode_errors: 0,
    silent_restarts: 0,
  };
  #state: LinkState = 'stopped';
  #reason: string | undefined;
  #since_mono_ms: number;
  #busState: CanBusState = 'down';
  #busReason: string | undefined;
  #started_mono_ms = 0;
  #last_frame_mono_ms = Number.NEGATIVE_INFINITY;
  #last_restart_mono_ms = 0;
  #restart_wait_ms = 0;
  #watch: TimerHandle | undefined;
  #running = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    connection: CanConnection,
    bindings: readonly PackBinding[],
    context: DriverContext,
    bus: CanBus,
  ) {
    this.connection_id = connection.id;
    this.#context = context;
    this.#bus = bus;
    this.#silence_ms = ('silence_ms' in connection ? connection.silence_ms : undefined) ?? DEFAULT_SILENCE_MS;
    this.#slots = bindings.map(binding => slotOf(new PackDecoder(binding)));
    this.#routes = new Routes(connection.id, this.#slots);
    const mappings = this.#slots.map(slot => slot.decoder.mapping);
    this.#poller = new CanPoller(bus, context.clock, mappings);
    this.#ecus = new EcuReaders(connection.id, bus, context.clock, this.#slots, (slot, mapped, frame) =>
      this.#decode(slot, mapped, frame),
    );
    this.packs = this.#slots.map(slot => slot.decoder.state);
    this.#since_mono_ms = context.clock.monoMs();
  }

  start(): Promise<void> {
    return this.#inOrder(() => this.#start());
  }

  stop(): Promise<void> {
    return this.#inOrder(() => this.#stop());
  }

  /** One start or stop after the other, whatever became of the one before. */
  #inOrder(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#started_mono_ms = this.#context.clock.monoMs();
    this.#last_restart_mono_ms = this.#started_mono_ms;
    this.#restart_wait_ms = this.#silence_ms;
    this.#busState = 'down';
    this.#busReason = undefined;
    this.#last_frame_mono_ms = Number.NEGATIVE_INFINITY;
    this.#setState('starting', undefined);
    for (const slot of this.#slots) this.#setPack(slot, 'starting', undefined);
    const spoken = this.#slots.flatMap(({ decoder }) => decoder.mapping.messages);
    const ids = [...spoken.filter(({ reply_head }) => !reply_head), ...this.#ecus.ids()];
    try {
      await this.#bus.open(ids, {
        onFrame: frame => this.#onFrame(frame),
        onState: (state, reason) => this.#onBusState(state, reason),
      });
    } catch (error) {
      await this.#stop();
      throw error;
    }
    this.#scheduleWatch();
    const isUp = () => this.#busState !== 'down';
    this.#poller.start(isUp);
    this.#ecus.start(isUp);
  }

  async #stop(): Promise<void> {
    this.#running = false;
    this.#context.clock.clearTimer(this.#watch);
    this.#watch = undefined;
    this.#poller.stop();
    this.#ecus.stop();
    await this.#bus.close();
    for (const slot of this.#slots) this.#setPack(slot, 'stopped', undefined);
    this.#setState('stopped', undefined);
  }

  health(): DriverHealth {
    return {
      connection_id: this.connection_id,
      state: this.#state,
      reason: this.#reason,
      since_mono_ms: this.#since_mono_ms,
      packs: this.#slots.map(({ decoder, state, reason }) => ({ pack: decoder.binding.pack, state, reason })),
      counters: {
        ...this.#counts,
        ...this.#poller.counters,
        ...this.#ecus.counters(),
        ...this.#bus.counters,
      },
    };
  }

  #onFrame(frame: CanFrame): void {
    if (!this.#running) return;
    const route = this.#routes.find(frame.id, frame.extended);
    if (route) {
      this.#counts.frames++;
      this.#decode(route.slot, route.mapped, frame);
    } else if (this.#ecus.take(frame)) this.#counts.frames++;
    else this.#counts.unknown_ids++;
  }

  #decode(slot: PackSlot, mapped: MappedMessage, frame: CanFrame): void {
    this.#last_frame_mono_ms = frame.rx_mono_ms;
    let result: DecodeResult;
    try {
      result = slot.decoder.decode(mapped, frame);
    } catch (error) {
      // A bug, and one that may strike with every frame: reported once, counted always.
      if (this.#counts.decode_errors++ === 0)
        this.#context.log.error({ err: error, connection: this.connection_id }, 'frame could not be decoded');
      return;
    }
    if (result === 'wrong_checksum') {
      this.#counts.checksum_errors++;
      return;
    }
    if (result === 'truncated') this.#counts.truncated_frames++;
    if (result === 'no_reading') this.#counts.no_readings++;
    if (slot.state !== 'up') this.#setPack(slot, 'up', undefined);
    if (this.#state !== 'up') this.#settle();
    this.#context.onUpdate(slot.decoder.binding.pack);
  }

  #onBusState(state: CanBusState, reason: string | undefined): void {
    if (!this.#running) return;
    this.#busState = state;
    this.#busReason = reason;
    this.#settle();
  }

  #scheduleWatch(): void {
    this.#watch = this.#context.clock.setTimer(() => {
      this.#lookAround();
      if (this.#running) this.#scheduleWatch();
    }, WATCH_INTERVAL_MS);
  }

  #lookAround(): void {
    const now = this.#context.clock.monoMs();
    for (const slot of this.#slots) {
      if (slot.decoder.clearAbsentAlarms(now)) this.#context.onUpdate(slot.decoder.binding.pack);
      const since = Math.max(slot.decoder.last_frame_mono_ms, this.#started_mono_ms);
      if (now - since >= slot.silence_ms)
        this.#setPack(slot, 'down', this.#ecus.holdingBack(slot, now) ?? silentPack(slot));
    }
    this.#settle();
    if (!this.#isSilent(now)) this.#restart_wait_ms = this.#silence_ms;
    else if (now - this.#last_restart_mono_ms >= this.#restart_wait_ms) this.#restartBus(now);
  }

  /** A bus that merely seems silent may have stalled; on one that is silent for long this becomes rare. */
  #restartBus(now: number): void {
    this.#last_restart_mono_ms = now;
    this.#restart_wait_ms = Math.min(MAX_RESTART_WAIT_MS, this.#restart_wait_ms * 2);
    this.#counts.silent_restarts++;
    this.#bus.restart();
  }

  /** The connection's state follows from the bus's own word and from whether frames come. */
  #settle(): void {
    const now = this.#context.clock.monoMs();
    if (this.#busState === 'down') {
      if (this.#busReason !== undefined) this.#setState('down', this.#busReason);
    } else if (this.#isSilent(now)) {
      const seconds = this.#silence_ms / 1000;
      this.#setState(
        'down',
        `${this.#bus.name}: no frame for ${seconds} s from any configured pack; check wiring, bit rate and addresses`,
      );
    } else if (this.#last_frame_mono_ms === Number.NEGATIVE_INFINITY) this.#setState('starting', undefined);
    else this.#setState(this.#busState, this.#busReason);
  }

  #isSilent(now: number): boolean {
    if (this.#slots.length === 0) return false;
    return now - Math.max(this.#last_frame_mono_ms, this.#started_mono_ms) >= this.#silence_ms;
  }

  #setState(state: LinkState, reason: string | undefined): void {
    if (state === this.#state && reason === this.#reason) return;
    if (state !== this.#state) this.#since_mono_ms = this.#context.clock.monoMs();
    this.#state = state;
    this.#reason = reason;
    this.#context.onLink({ connection_id: this.connection_id, pack: undefined, state, reason });
  }

  #setPack(slot: PackSlot, state: LinkState, reason: string | undefined): void {
    if (state === slot.state && reason === slot.reason) return;
    slot.state = state;
    slot.reason = reason;
    const { pack } = slot.decoder.binding;
    this.#context.onLink({ connection_id: this.connection_id, pack, state, reason });
  }
}

function slotOf(decoder: PackDecoder): PackSlot {
  const { messages, iso_tp } = decoder.mapping;
  const cycles = messages.flatMap(({ message }) => message.cycle_ms ?? []);
  const spoken = messages.filter(({ reply_head }) => !reply_head);
  const replies = iso_tp.map(({ reply_id, extended }) => ({ id: reply_id, extended }));
  const ids = [...replies, ...spoken].map(({ id, extended }) => formatCanId(id, extended));
  const shown = ids.length > 4 ? [...ids.slice(0, 4), `and ${ids.length - 4} more`] : ids;
  return {
    decoder,
    silence_ms: Math.max(
      iso_tp.length > 0 ? MIN_ASKED_SILENCE_MS : MIN_PACK_SILENCE_MS,
      cycles.length > 0 ? 3 * Math.min(...cycles) : 0,
    ),
    expected_ids: shown.join(', '),
    state: 'stopped',
    reason: undefined,
  };
}

/** Names no pack: who shows it says which one is meant. */
function silentPack({ decoder, silence_ms, expected_ids }: PackSlot): string {
  const never = decoder.last_frame_mono_ms === Number.NEGATIVE_INFINITY;
  const seconds = silence_ms / 1000;
  const { polls, iso_tp } = decoder.mapping;
  const asked = polls.length > 0 || iso_tp.length > 0 ? ' though asked' : '';
  const since = never ? `no frame within ${seconds} s of the start` : `no frame for ${seconds} s`;
  return `${since}${asked} (expected ids ${expected_ids})`;
}
