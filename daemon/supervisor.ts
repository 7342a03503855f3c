/**
 * The supervisor: makes one driver per connection, starts and stops them, and knows how each fares.
 * A connection that cannot work (a broken profile, a missing package) stays down and says why;
 * the others go on.
 */
import { describeError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { PackState } from '../core/reading/pack-state.ts';
import type { Driver, DriverContext, DriverHealth, LinkEvent, PackBinding } from '../drivers/driver.ts';
import type { ConnectionConfig } from '../drivers/transports.ts';
import { createDriver, type VirtualWires } from '../drivers/transports.ts';
import { PackLog } from './pack-log.ts';

export interface BoundConnection {
  readonly connection: ConnectionConfig;
  readonly bindings: readonly PackBinding[];
}

/** Stopping a driver must not hang the daemon. */
const STOP_TIMEOUT_MS = 3000;

interface Supervised {
  readonly bound: BoundConnection;
  /** Those the driver serves, in its order; the others have a profile that cannot be used, and stay down. */
  readonly served: readonly PackBinding[];
  readonly driver: Driver | undefined;
  /** Why there is no driver, or why it could not be started. */
  fault: string | undefined;
}

export class Supervisor {
  readonly #supervised: readonly Supervised[];
  readonly #context: DriverContext;
  /** By dense pack index: the driver's one line of what is wrong; undefined while all is well. */
  readonly #packReason: (string | undefined)[] = [];
  readonly #packIds: string[] = [];
  readonly #log: Logger;
  readonly #pack_log: PackLog;

  constructor(
    connections: readonly BoundConnection[],
    context: Omit<DriverContext, 'onLink'>,
    wires: VirtualWires,
  ) {
    this.#log = context.log;
    this.#pack_log = new PackLog({
      clock: context.clock,
      log: context.log,
      packId: pack => this.#packIds[pack],
      reasonOf: pack => this.#packReason[pack],
    });
    this.#context = { ...context, onLink: event => this.#onLink(event) };
    for (const { bindings } of connections)
      for (const { pack, pack_id } of bindings) this.#packIds[pack] = pack_id;
    this.#supervised = connections.map(bound => this.#make(bound, wires));
  }

  /** In dense pack order; a pack without a driver has a state that stays empty. */
  packStates(pack_count: number): PackState[] {
    const states: PackState[] = new Array(pack_count);
    for (const { bound, served, driver } of this.#supervised)
      for (const binding of bound.bindings)
        states[binding.pack] =
          driver?.packs[served.indexOf(binding)] ?? new PackState(binding.pack, binding.shape, 0);
    return states;
  }

  packReason(pack: number): string | undefined {
    return this.#packReason[pack];
  }

  health(): DriverHealth[] {
    return this.#supervised.map(({ bound, served, driver, fault }) => {
      const unserved = bound.bindings.filter(binding => !served.includes(binding));
      const down = unserved.map(({ pack, profile }) => ({
        pack,
        state: 'down' as const,
        reason: profile.fault,
      }));
      if (driver && !fault) {
        const health = driver.health();
        return down.length > 0 ? { ...health, packs: [...health.packs, ...down] } : health;
      }
      return {
        connection_id: bound.connection.id,
        state: 'down',
        reason: fault,
        since_mono_ms: 0,
        packs: [...served.map(({ pack }) => ({ pack, state: 'down' as const, reason: fault })), ...down],
        counters: {},
      };
    });
  }

  async start(): Promise<void> {
    await Promise.all(
      this.#supervised.map(async one => {
        try {
          await one.driver?.start();
        } catch (error) {
          this.#setFault(one, describeError(error));
        }
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#supervised.map(one => this.#stopOne(one)));
    this.#pack_log.flush();
  }

  #make(bound: BoundConnection, wires: VirtualWires): Supervised {
    const one: { -readonly [K in keyof Supervised]: Supervised[K] } = {
      bound,
      served: bound.bindings.filter(({ profile }) => profile.fault === undefined),
      driver: undefined,
      fault: undefined,
    };
    for (const { pack, profile } of bound.bindings) this.#packReason[pack] = profile.fault;
    if (one.served.length === 0) {
      this.#setFault(one, 'none of its packs has a profile that can be used');
      return one;
    }
    try {
      one.driver = createDriver(bound.connection, one.served, this.#context, wires);
    } catch (error) {
      this.#setFault(one, describeError(error));
    }
    return one;
  }

  async #stopOne({ bound, driver }: Supervised): Promise<void> {
    if (!driver) return;
    const { clock } = this.#context;
    const connection = bound.connection.id;
    const { promise: timeout, resolve } = Promise.withResolvers<'late'>();
    const timer = clock.setTimer(() => resolve('late'), STOP_TIMEOUT_MS);
    try {
      if ((await Promise.race([driver.stop(), timeout])) === 'late')
        this.#log.warn(
          { connection, timeout_ms: STOP_TIMEOUT_MS },
          'connection did not stop in time; left behind',
        );
    } catch (error) {
      this.#log.warn({ connection, reason: describeError(error) }, 'connection did not stop cleanly');
    } finally {
      clock.clearTimer(timer);
    }
  }

  #setFault(one: Supervised, reason: string): void {
    one.fault = reason;
    for (const { pack } of one.served) this.#packReason[pack] = reason;
    this.#log.error({ connection: one.bound.connection.id, reason }, 'connection cannot work');
  }

  #onLink({ connection_id, pack, state, reason }: LinkEvent): void {
    if (pack === undefined) {
      const fields = { connection: connection_id, state, reason };
      if (state === 'down' || state === 'degraded') this.#log.warn(fields, 'connection is not well');
      else this.#log.info(fields, 'connection state');
      return;
    }
    this.#packReason[pack] = state === 'up' || state === 'starting' ? undefined : reason;
    this.#log.debug({ connection: connection_id, pack: this.#packIds[pack], state, reason }, 'pack state');
    if (state === 'down' || state === 'degraded') this.#pack_log.note(connection_id, state, pack);
  }
}
