/**
 * The live feed: one WebSocket, any number of rooms. Messages are conflated per room until the next frame,
 * rooms are subscribed again after a reconnect, and what was received before the connection was lost is
 * never passed on as fresh.
 */
import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Clock, TimerHandle } from '../../../core/clock/clock.ts';
import type { Problem } from '../../../core/contract/http.ts';
import type { ClientMessage, ServerMessage } from '../../../core/contract/live.ts';
import { StateDecoder, type StateMessage } from '../../../core/contract/live-binary.ts';

export type RoomKind = StateMessage['kind'];
export type RoomData<K extends RoomKind> = Extract<StateMessage, { kind: K }>['data'];

export interface RoomState<T> {
  readonly data: T | undefined;
  /** Gateway wall time of `data`. */
  readonly t_ms: number | undefined;
  /** Received over the connection that stands now. */
  readonly is_fresh: boolean;
  readonly problem: Problem | undefined;
}

export interface LinkState {
  /** connecting: never live so far. live: hello received. lost: was live, trying again. stopped: on purpose. */
  readonly phase: 'stopped' | 'connecting' | 'live' | 'lost';
  /** While lost: gateway wall time of the last message. */
  readonly last_message_ms: number | undefined;
}

export interface SocketEvents {
  /** Text is JSON, bytes are a state in its binary form. */
  onMessage(message: string | ArrayBuffer): void;
  /** `code` as in RFC 6455, section 7.4. */
  onClose(code: number): void;
}
export interface FeedSocket {
  send(text: string): void;
  /** After this no event is delivered any more. */
  close(): void;
}

export interface FeedOptions {
  readonly clock: Clock;
  /** Begins to connect at once; must not call back before it returns. */
  readonly open: (events: SocketEvents) => FeedSocket;
  /** Calls `fn` before the next frame is drawn. */
  readonly schedule: (fn: () => void) => void;
  /** 0..1, for the jitter of the back-off. */
  readonly random: () => number;
  /** The gateway would not have us, or no longer: perhaps the session has ended. */
  readonly onRefused: () => void;
}

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
const CHECK_EVERY_MS = 4_000;
/** Silent this long in spite of pings: the connection is dead though nobody closed it. */
const DEAD_AFTER_MS = 10_000;
/** A page left and entered again within this time is live at once. */
const LINGER_MS = 10_000;
/** The gateway's own close code (RFC 6455, section 7.4.2). */
const CLOSE_SESSION_ENDED = 4401;

interface Room {
  readonly state: Signal<RoomState<unknown>>;
  users: number;
  linger: TimerHandle | undefined;
}

const EMPTY_ROOM: RoomState<unknown> = {
  data: undefined,
  t_ms: undefined,
  is_fresh: false,
  problem: undefined,
};

export class LiveFeed {
  readonly link: Signal<LinkState> = signal<LinkState>({ phase: 'stopped', last_message_ms: undefined });
  /** Messages that were not of the contract. */
  malformed_count = 0;

  readonly #options: FeedOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #pending = new Map<string, StateMessage>();
  #isFlushScheduled = false;
  #socket: FeedSocket | undefined;
  #decoder = new StateDecoder();
  #hasHello = false;
  #last_message_mono_ms = 0;
  #last_message_ms: number | undefined;
  #attempt = 0;
  #timer: TimerHandle | undefined;
  #clock_offset_ms = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** The gateway's wall time now, as far as its messages show; this device's own before. */
  gatewayNow(): number {
    return this.#options.clock.wallMs() + this.#clock_offset_ms;
  }

  start(): void {
    if (this.link.value.phase !== 'stopped') return;
    this.#setPhase('connecting');
    this.#connect();
  }

  /** Forgets everything: the next user must not see what the last one saw. */
  stop(): void {
    this.#dropSocket();
    this.#options.clock.clearTimer(this.#timer);
    this.#pending.clear();
    this.#attempt = 0;
    batch(() => {
      this.link.value = { phase: 'stopped', last_message_ms: undefined };
      for (const room of this.#rooms.values()) room.state.value = EMPTY_ROOM;
    });
  }

  /** Tries at once instead of at the end of the back-off: the device came back on line, or was woken. */
  retryNow(): void {
    if (this.link.value.phase === 'stopped') return;
    if (this.#socket) {
      if (this.#silentMs() < DEAD_AFTER_MS) return;
      this.#lose();
    }
    this.#attempt = 0;
    this.#connect();
  }

  /** Each join needs its leave. The signal stays the same while anybody is in the room. */
  join<K extends RoomKind>(name: string): ReadonlySignal<RoomState<RoomData<K>>> {
    let room = this.#rooms.get(name);
    if (!room) {
      room = { state: signal(EMPTY_ROOM), users: 0, linger: undefined };
      this.#rooms.set(name, room);
      this.#send({ type: 'subscribe', room: name });
    }
    this.#options.clock.clearTimer(room.linger);
    room.users++;
    return room.state as ReadonlySignal<RoomState<RoomData<K>>>;
  }

  leave(name: string): void {
    const room = this.#rooms.get(name);
    if (!room || --room.users > 0) return;
    room.linger = this.#options.clock.setTimer(() => {
      this.#rooms.delete(name);
      this.#pending.delete(name);
      this.#decoder.forget(name);
      this.#send({ type: 'unsubscribe', room: name });
    }, LINGER_MS);
  }

  #connect(): void {
    const { clock } = this.#options;
    clock.clearTimer(this.#timer);
    this.#hasHello = false;
    this.#last_message_mono_ms = clock.monoMs();
    this.#decoder = new StateDecoder();
    this.#socket = this.#options.open({
      onMessage: received => this.#receive(received),
      onClose: code => this.#lose(code),
    });
    this.#timer = clock.setTimer(() => this.#check(), CHECK_EVERY_MS);
  }

  #check(): void {
    const silent_ms = this.#silentMs();
    if (silent_ms >= DEAD_AFTER_MS) {
      this.#lose();
      return;
    }
    if (silent_ms >= CHECK_EVERY_MS) this.#send({ type: 'ping' });
    this.#timer = this.#options.clock.setTimer(() => this.#check(), CHECK_EVERY_MS);
  }

  #silentMs(): number {
    return this.#options.clock.monoMs() - this.#last_message_mono_ms;
  }

  #lose(code?: number): void {
    const wasRefused = !this.#hasHello || code === CLOSE_SESSION_ENDED;
    this.#dropSocket();
    batch(() => {
      if (this.link.value.phase === 'live') this.#setPhase('lost');
      for (const room of this.#rooms.values()) {
        if (room.state.value.is_fresh) room.state.value = { ...room.state.value, is_fresh: false };
      }
    });
    const { clock, random } = this.#options;
    const longest_ms = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt++);
    clock.clearTimer(this.#timer);
    this.#timer = clock.setTimer(() => this.#connect(), longest_ms * (0.5 + random() / 2));
    if (wasRefused) this.#options.onRefused();
  }

  #dropSocket(): void {
    this.#flush();
    this.#socket?.close();
    this.#socket = undefined;
    this.#hasHello = false;
  }

  #receive(received: string | ArrayBuffer): void {
    const message =
      typeof received === 'string' ? parseMessage(received) : this.#decoder.decode(new Uint8Array(received));
    if (!message) {
      this.malformed_count++;
      return;
    }
    this.#last_message_mono_ms = this.#options.clock.monoMs();
    if ('t_ms' in message) this.#clock_offset_ms = message.t_ms - this.#options.clock.wallMs();
    this.#last_message_ms = this.gatewayNow();
    switch (message.type) {
      case 'hello':
        this.#hasHello = true;
        this.#attempt = 0;
        this.#setPhase('live');
        for (const name of this.#rooms.keys()) this.#send({ type: 'subscribe', room: name });
        return;
      case 'state':
        if (!this.#rooms.has(message.room)) return;
        this.#pending.set(message.room, message);
        this.#scheduleFlush();
        return;
      case 'error':
        if (message.problem.code === 'UNAUTHENTICATED') this.#options.onRefused();
        else this.#refuseRoom(message.room, message.problem);
        return;
      default:
        return;
    }
  }

  #refuseRoom(name: string | undefined, problem: Problem): void {
    const room = name === undefined ? undefined : this.#rooms.get(name);
    if (room) room.state.value = { ...EMPTY_ROOM, problem };
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.#options.schedule(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#pending.size === 0) return;
    batch(() => {
      for (const [name, { data, t_ms }] of this.#pending) {
        const room = this.#rooms.get(name);
        if (room) room.state.value = { data, t_ms, is_fresh: true, problem: undefined };
      }
    });
    this.#pending.clear();
  }

  #setPhase(phase: LinkState['phase']): void {
    this.link.value = { phase, last_message_ms: phase === 'lost' ? this.#last_message_ms : undefined };
  }

  #send(message: ClientMessage): void {
    if (this.#hasHello) this.#socket?.send(JSON.stringify(message));
  }
}

function parseMessage(text: string): ServerMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    const isMessage = typeof message === 'object' && message !== null && 'type' in message;
    return isMessage ? (message as ServerMessage) : undefined;
  } catch {
    return undefined;
  }
}
