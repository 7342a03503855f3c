/**
 * A SocketCAN interface of the Linux kernel, through the npm package `socketcan`, which is optional and
 * loaded only here. Kernel filters keep unwanted ids out of the process; the interface is watched in sysfs,
 * because the package keeps silent when it goes down; what breaks is opened again by itself.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, TimerHandle } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import {
  type CanBus,
  type CanBusListener,
  type CanBusState,
  type CanFrame,
  type CanId,
  EXACT_MASK,
} from './can-bus.ts';
import { type BusFault, faultIn } from './error-frames.ts';
import type { SentFrame } from './virtual-bus.ts';

/** The part of the package this file uses; its own types stand on files that are made at its build. */
export interface SocketCanPackage {
  createRawChannelWithOptions(
    name: string,
    options: { timestamps: boolean; non_block_send: boolean },
  ): RawChannel;
}

export interface RawChannel {
  addListener(event: 'onMessage', listener: (message: RawMessage) => void): void;
  addListener(event: 'onStopped', listener: () => void): void;
  setRxFilters(filters: { id: number; mask: number; invert?: boolean }[]): void;
  start(): void;
  stop(): void;
  /** Bytes taken, negative when not. */
  send(message: RawMessage): number;
}

export interface RawMessage {
  id: number;
  ext?: boolean;
  rtr?: boolean;
  err?: boolean;
  data: Buffer;
}

const EXTENDED_FLAG = 0x80000000;
const REMOTE_FLAG = 0x40000000;
/** The kernel refuses longer lists, and the package would not say so. */
const MAX_FILTERS = 512;
const IFF_UP = 1;
const WATCH_INTERVAL_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** Error frames older than this no longer count against the bus. */
const FAULT_LASTS_MS = 10_000;

export interface SocketCanOptions {
  /** Where the kernel lists interfaces; default /sys/class/net. */
  readonly sys_class_net?: string;
  readonly load?: () => Promise<SocketCanPackage>;
}

interface InterfaceStatus {
  readonly index: string;
  readonly up: boolean;
  /** Frames the interface received but could not keep, since it exists. */
  readonly lost: number;
}

export class SocketCanBus implements CanBus {
  readonly name: string;
  readonly #counts = {
    error_frames: 0,
    remote_frames: 0,
    controller_overflows: 0,
    bus_offs: 0,
    interface_drops: 0,
    reopenings: 0,
    send_refusals: 0,
  };
  readonly #clock: Clock;
  readonly #sysFolder: string;
  readonly #load: () => Promise<SocketCanPackage>;
  readonly #frame: CanFrame;
  #package: SocketCanPackage | undefined;
  #ids: readonly CanId[] = [];
  #listener: CanBusListener | undefined;
  #channel: RawChannel | undefined;
  #openedIndex = '';
  #lostBefore: InterfaceStatus | undefined;
  #everOpened = false;
  #interfaceUp = false;
  #failure: string | undefined;
  #fault: (BusFault & { until_mono_ms: number }) | undefined;
  #busOff = false;
  #retry_ms = WATCH_INTERVAL_MS;
  #next_try_mono_ms = 0;
  #timer: TimerHandle | undefined;
  #reported: { state: CanBusState; reason: string | undefined } | undefined;

  constructor(interface_name: string, clock: Clock, options: SocketCanOptions = {}) {
    this.name = interface_name;
    this.#clock = clock;
    this.#sysFolder = join(options.sys_class_net ?? '/sys/class/net', interface_name);
    this.#load = options.load ?? (() => loadSocketCan());
    this.#frame = { id: 0, extended: false, data: new Uint8Array(0), length: 0, fd: false, rx_mono_ms: 0 };
  }

  get counters(): Record<string, number> {
    return { ...this.#counts };
  }

  async open(ids: readonly CanId[], listener: CanBusListener): Promise<void> {
    await this.close();
    this.#listener = listener;
    this.#ids = ids;
    this.#reported = undefined;
    this.#everOpened = false;
    this.#retryNow();
    const loaded = await this.#load();
    if (this.#listener !== listener) return;
    this.#package = loaded;
    await this.#watch(listener);
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#closeChannel();
  }

  restart(): void {
    if (!this.#listener) return;
    this.#closeChannel();
    this.#retryNow();
  }

  send({ id, extended, data, length }: SentFrame): boolean {
    const message = { id, ext: extended, rtr: false, data: Buffer.from(data.subarray(0, length)) };
    let taken = false;
    try {
      taken = this.#channel !== undefined && this.#channel.send(message) > 0;
    } catch {
      // The interface went away between two checks; the next check reports so.
    }
    if (!taken) this.#counts.send_refusals++;
    return taken;
  }

  /** Checks the interface, opens or closes accordingly, and checks again later. */
  async #watch(listener: CanBusListener): Promise<void> {
    const status = await this.#interfaceStatus();
    if (this.#listener !== listener) return;
    this.#interfaceUp = status?.up ?? false;
    if (!status) {
      this.#closeChannel();
      this.#retryNow();
      this.#failure = `${this.name}: no such interface; plug the adapter in or create it (ip link show type can)`;
    } else {
      this.#countLost(status);
      if (this.#channel && status.index !== this.#openedIndex) this.#closeChannel();
      if (!this.#channel && this.#clock.monoMs() >= this.#next_try_mono_ms) this.#openChannel(status);
    }
    this.#report();
    this.#timer = this.#clock.setTimer(() => void this.#watch(listener), WATCH_INTERVAL_MS);
  }

  #countLost(status: InterfaceStatus): void {
    const before = this.#lostBefore;
    this.#lostBefore = status;
    if (before?.index === status.index)
      this.#counts.interface_drops += Math.max(0, status.lost - before.lost);
  }

  #openChannel(status: InterfaceStatus): void {
    try {
      const channel = this.#startChannel();
      this.#channel = channel;
      this.#openedIndex = status.index;
      this.#failure = undefined;
      this.#busOff = false;
      this.#fault = undefined;
      this.#retry_ms = WATCH_INTERVAL_MS;
      if (this.#everOpened) this.#counts.reopenings++;
      this.#everOpened = true;
    } catch (error) {
      this.#next_try_mono_ms = this.#clock.monoMs() + this.#retry_ms;
      this.#retry_ms = Math.min(MAX_RETRY_MS, this.#retry_ms * 2);
      this.#failure = `${this.name}: cannot be opened (${describeError(error)}); is it a CAN interface, and is the kernel module can_raw there?`;
    }
  }

  #startChannel(): RawChannel {
    if (!this.#package)
      throw new GatewayError('CAN_UNAVAILABLE', `${this.name}: package socketcan not loaded`);
    const options = { timestamps: false, non_block_send: true };
    const channel = this.#package.createRawChannelWithOptions(this.name, options);
    if (this.#ids.length > 0 && this.#ids.length <= MAX_FILTERS)
      channel.setRxFilters(this.#ids.map(filterFor));
    channel.addListener('onMessage', message => {
      if (this.#channel === channel) this.#onMessage(message);
    });
    // The package calls this when the interface is gone, and itself stops the channel afterwards.
    channel.addListener('onStopped', () => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#retryNow();
      this.#failure = `${this.name}: interface was removed`;
      this.#report();
    });
    channel.start();
    return channel;
  }

  #closeChannel(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    if (!channel) return;
    try {
      // The package closes its socket only when garbage is collected: until then it shall receive nothing.
      channel.setRxFilters([{ id: 0, mask: 0, invert: true }]);
      channel.stop();
    } catch (error) {
      this.#failure = `${this.name}: closing failed: ${describeError(error)}`;
    }
  }

  #onMessage(message: RawMessage): void {
    if (message.err) {
      this.#onErrorFrame(message);
      return;
    }
    if (message.rtr) {
      this.#counts.remote_frames++;
      return;
    }
    if (this.#busOff) {
      this.#busOff = false;
      this.#report();
    }
    const frame = this.#frame;
    frame.id = message.id;
    frame.extended = message.ext === true;
    frame.data = message.data;
    frame.length = message.data.length;
    frame.fd = message.data.length > 8;
    frame.rx_mono_ms = this.#clock.monoMs();
    this.#listener?.onFrame(frame);
  }

  #onErrorFrame({ id, data }: RawMessage): void {
    this.#counts.error_frames++;
    const fault = faultIn(id, data);
    if (fault.kind === 'overflow') this.#counts.controller_overflows++;
    if (fault.kind === 'bus-off' && !this.#busOff) this.#counts.bus_offs++;
    if (fault.kind === 'bus-off') this.#busOff = true;
    else if (fault.kind === 'recovered') {
      this.#busOff = false;
      this.#fault = undefined;
    } else this.#fault = { ...fault, until_mono_ms: this.#clock.monoMs() + FAULT_LASTS_MS };
    this.#report();
  }

  /** Reports to the listener how the bus fares, when that has changed. */
  #report(): void {
    if (this.#fault && this.#clock.monoMs() >= this.#fault.until_mono_ms) this.#fault = undefined;
    const [state, reason] = this.#judge();
    if (this.#reported?.state === state && this.#reported.reason === reason) return;
    this.#reported = { state, reason };
    this.#listener?.onState(state, reason);
  }

  #judge(): [CanBusState, string | undefined] {
    if (!this.#channel) return ['down', this.#failure ?? `${this.name}: being opened`];
    if (!this.#interfaceUp)
      return ['down', `${this.name}: interface is down; bring it up: ip link set ${this.name} up`];
    if (this.#busOff)
      return [
        'down',
        `${this.name}: bus-off; check wiring, termination and bit rate, and set restart-ms 100`,
      ];
    if (this.#fault) return ['degraded', `${this.name}: ${this.#fault.text}`];
    return ['up', undefined];
  }

  async #interfaceStatus(): Promise<InterfaceStatus | undefined> {
    try {
      const read = (name: string) => readFile(join(this.#sysFolder, name), 'latin1');
      const [index, flags, dropped, overruns] = await Promise.all([
        read('ifindex'),
        read('flags'),
        read('statistics/rx_dropped'),
        read('statistics/rx_over_errors'),
      ]);
      const up = (Number(flags.trim()) & IFF_UP) !== 0;
      return { index: index.trim(), up, lost: Number(dropped) + Number(overruns) };
    } catch {
      return undefined;
    }
  }

  #retryNow(): void {
    this.#retry_ms = WATCH_INTERVAL_MS;
    this.#next_try_mono_ms = Number.NEGATIVE_INFINITY;
  }
}

/** Matches data frames of this id: neither the other kind of id nor remote frames. */
function filterFor({ id, extended, mask = EXACT_MASK }: CanId): { id: number; mask: number } {
  const idMask = mask & (extended ? 0x1fffffff : 0x7ff);
  return {
    id: (extended ? id | EXTENDED_FLAG : id) >>> 0,
    mask: (idMask | EXTENDED_FLAG | REMOTE_FLAG) >>> 0,
  };
}

/**
 * By a name in a variable, so that the compiler does not ask for a package that may be absent.
 * @throws GatewayError CAN_UNAVAILABLE
 */
export async function loadSocketCan(name = 'socketcan'): Promise<SocketCanPackage> {
  try {
    const module = (await import(name)) as Partial<SocketCanPackage> & { default?: SocketCanPackage };
    const found = module.createRawChannelWithOptions ? (module as SocketCanPackage) : module.default;
    if (found) return found;
    throw new Error('it has no createRawChannelWithOptions');
  } catch (error) {
    throw new GatewayError(
      'CAN_UNAVAILABLE',
      `SocketCAN cannot be used: the optional package "socketcan" is not installed or not built here (${firstLine(describeError(error))}). ` +
        'It needs Linux with python3, make and g++ at installation: run "npm install socketcan". Without CAN hardware use a connection of type virtual-can or candump.',
    );
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}
