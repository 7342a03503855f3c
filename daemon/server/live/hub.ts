/** All live clients and rooms: who is where, what changed, and a regular check of both. */
import type { WebSocket } from 'ws';
import type { TimerHandle } from '../../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { isLoopback, network } from '../addresses.ts';
import type { Viewer } from '../auth/access.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { VisibleTopology } from '../auth/visible.ts';
import type { ServerLimits } from '../limits.ts';
import type { ServerCounters } from '../metrics.ts';
import { problemOf } from '../problems.ts';
import type { GatewayServices } from '../services.ts';
import { Channel } from './channel.ts';
import { CLOSE_STOPPING, LiveClient } from './client.ts';
import { Renderer } from './rendered.ts';
import { enterRoom, type Room, roomState } from './rooms.ts';

const CHECK_MS = 1000;
const LOG_EVERY_MS = 60_000;

export class LiveHub {
  readonly #services: GatewayServices;
  readonly #limits: ServerLimits;
  readonly #visible: VisibleTopology;
  readonly #authenticator: Authenticator;
  readonly #counters: ServerCounters;
  readonly #clients = new Set<LiveClient>();
  readonly #channels = new Map<string, Channel>();
  /** The same channels by dense index, for the many calls when a pack changes. */
  readonly #by_pack = new Map<number, Channel>();
  readonly #by_battery = new Map<number, Channel>();
  readonly #renderer = new Renderer();
  readonly #endings: (() => void)[];
  #check_timer: TimerHandle | undefined;
  #closed = false;
  #unreviewed_logged_ms = Number.NEGATIVE_INFINITY;

  constructor(
    services: GatewayServices,
    limits: ServerLimits,
    visible: VisibleTopology,
    authenticator: Authenticator,
    counters: ServerCounters,
  ) {
    this.#services = services;
    this.#limits = limits;
    this.#visible = visible;
    this.#authenticator = authenticator;
    this.#counters = counters;
    const pack_of_id = new Map(services.topology.packs.map(({ id, pack }) => [id, pack]));
    this.#endings = [
      services.live.onPackChanged(pack => this.#packChanged(pack)),
      services.alerts.onChange(alert => {
        this.#channels.get('alerts')?.changed();
        const pack = alert.pack_id === null ? undefined : pack_of_id.get(alert.pack_id);
        if (pack !== undefined) this.#packChanged(pack);
      }),
      services.alerts.onServiceChange(() => this.#channels.get('alerts')?.changed()),
      services.notifications.onNotified(() => this.#channels.get('alerts')?.changed()),
      authenticator.onChange(() => {
        for (const client of this.#clients) void this.#reviewSession(client);
      }),
    ];
  }

  /** Throws when there is no place for this viewer from this address: STOPPED, or RATE_LIMITED for its share. */
  refuseIfFull(viewer: Viewer, address: string): void {
    const { live_clients, live_clients_per_user, live_clients_per_address } = this.#limits;
    const { username } = viewer.user;
    // One place more for administrators: the last ones are not for whoever opens most.
    const most = live_clients + (viewer.atLeast('admin') ? 1 : 0);
    if (this.#closed || this.#clients.size >= most)
      throw new GatewayError(
        'STOPPED',
        'As many live connections as there may be, or stopping; try again later',
      );
    let [by_user, by_address] = [0, 0];
    for (const client of this.#clients) {
      if (client.viewer.user.username === username) by_user++;
      if (client.network === network(address)) by_address++;
    }
    if (by_user >= live_clients_per_user)
      throw new GatewayError(
        'RATE_LIMITED',
        `${username} has ${by_user} live connections, the most one user may have`,
      );
    if (by_address >= live_clients_per_address && !isLoopback(address))
      throw new GatewayError(
        'RATE_LIMITED',
        `There are ${by_address} live connections from this address, the most there may be`,
      );
  }

  add(socket: WebSocket, viewer: Viewer, address: string): LiveClient {
    const from = network(address);
    const client = new LiveClient(socket, viewer, from, this.#services, this.#limits, this.#counters);
    this.#clients.add(client);
    this.#counters.live_clients = this.#clients.size;
    this.#check_timer ??= this.#services.clock.setTimer(() => this.#checkAll(), CHECK_MS);
    return client;
  }

  remove(client: LiveClient): void {
    for (const channel of [...client.channels.keys()]) this.#leave(client, channel);
    this.#clients.delete(client);
    this.#counters.live_clients = this.#clients.size;
  }

  /** Answers `subscribed` and the room's state; throws what `enterRoom` throws. */
  subscribe(client: LiveClient, name: string): void {
    const room = enterRoom(name, client.viewer, this.#visible);
    const channel = this.#channels.get(name) ?? this.#open(room);
    if (!client.channels.has(channel)) {
      if (client.channels.size >= this.#limits.live_rooms_per_client) {
        this.#closeIfEmpty(channel);
        throw new GatewayError(
          'RATE_LIMITED',
          `Subscribed to ${client.channels.size} rooms already, the most there may be; unsubscribe from one first`,
        );
      }
      channel.clients.add(client);
    }
    client.channels.set(channel, undefined);
    client.send({ type: 'subscribed', room: name });
    channel.sendTo(client);
  }

  unsubscribe(client: LiveClient, name: string): void {
    const channel = this.#channels.get(name);
    if (channel) this.#leave(client, channel);
    client.send({ type: 'unsubscribed', room: name });
  }

  /** Ends all connections and timers; safe at any moment, also twice. */
  close(): void {
    this.#closed = true;
    for (const end of this.#endings.splice(0)) end();
    this.#services.clock.clearTimer(this.#check_timer);
    this.#check_timer = undefined;
    for (const client of [...this.#clients]) {
      client.drop(CLOSE_STOPPING, 'The gateway stops');
      this.remove(client);
    }
  }

  #packChanged(pack: number): void {
    if (this.#channels.size === 0) return;
    this.#by_pack.get(pack)?.changed();
    this.#by_battery.get(this.#services.topology.packs[pack]?.battery ?? -1)?.changed();
    this.#channels.get('fleet')?.changed();
  }

  #open(room: Room): Channel {
    const { live_pack_interval_ms, live_summary_interval_ms, live_gather_ms } = this.#limits;
    const prompt = room.kind === 'pack' || room.kind === 'alerts';
    const interval_ms = prompt ? live_pack_interval_ms : live_summary_interval_ms;
    const channel = new Channel(room, {
      clock: this.#services.clock,
      pace: { interval_ms, gather_ms: live_gather_ms },
      renderer: this.#renderer,
      state: (of, viewer) => roomState(of, viewer, this.#services, this.#visible),
      failed: (of, error) => this.#failed(of, error),
    });
    this.#channels.set(room.name, channel);
    if (room.kind === 'pack') this.#by_pack.set(room.index, channel);
    if (room.kind === 'battery') this.#by_battery.set(room.index, channel);
    return channel;
  }

  #leave(client: LiveClient, channel: Channel): void {
    client.leave(channel);
    channel.clients.delete(client);
    this.#closeIfEmpty(channel);
  }

  #closeIfEmpty(channel: Channel): void {
    if (channel.clients.size > 0) return;
    channel.stop();
    const { name, kind, index } = channel.room;
    this.#channels.delete(name);
    if (kind === 'pack') this.#by_pack.delete(index);
    if (kind === 'battery') this.#by_battery.delete(index);
  }

  #checkAll(): void {
    this.#check_timer =
      this.#clients.size > 0 ? this.#services.clock.setTimer(() => this.#checkAll(), CHECK_MS) : undefined;
    for (const client of this.#clients) {
      client.check();
      void this.#reviewSession(client);
    }
    for (const channel of this.#channels.values())
      channel.refresh(
        channel.room.kind === 'system'
          ? this.#limits.live_summary_interval_ms * 2
          : this.#limits.live_refresh_ms,
      );
  }

  /** The user may be gone, the session ended or the key revoked; or they see other batteries now. */
  async #reviewSession(client: LiveClient): Promise<void> {
    const { viewer } = client;
    try {
      const now = await this.#authenticator.review(viewer);
      if (!now || now.must_change_password) return client.endSession();
      if (now.scope === viewer.scope && now.user.role === viewer.user.role) return;
      client.viewer = now;
      for (const channel of [...client.channels.keys()]) this.#reenter(client, channel);
    } catch (error) {
      // A store that is busy or down says nothing against the session: it is looked up again with the next check.
      this.#cannotReview(error);
    }
  }

  /** Logged at most once a minute: every client may be concerned, every second. */
  #cannotReview(error: unknown): void {
    const now_ms = this.#services.clock.monoMs();
    if (now_ms - this.#unreviewed_logged_ms < LOG_EVERY_MS) return;
    this.#unreviewed_logged_ms = now_ms;
    this.#services.log.warn(
      { reason: describeError(error) },
      'Could not look up users of live connections; they stay as they are until it can be done',
    );
  }

  #reenter(client: LiveClient, channel: Channel): void {
    const { name } = channel.room;
    try {
      enterRoom(name, client.viewer, this.#visible);
      channel.sendTo(client);
    } catch (error) {
      this.#leave(client, channel);
      client.send({ type: 'error', room: name, problem: problemOf(error) });
    }
  }

  #failed(channel: Channel, error: unknown): void {
    const room = channel.room.name;
    this.#services.log.error({ reason: describeError(error), room }, 'Could not make the state of a room');
    for (const client of channel.clients) client.send({ type: 'error', room, problem: problemOf(error) });
  }
}
