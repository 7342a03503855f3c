/** The driver of a Modbus connection: one link, a poller per unit, health of both. */
import { PackState } from '../../core/reading/pack-state.ts';
import type { ModbusConnection } from '../connections.ts';
import type { Driver, DriverContext, DriverHealth, LinkState, PackBinding } from '../driver.ts';
import { ModbusLink } from './modbus-link.ts';
import { UnitPoller } from './unit-poller.ts';
import { createUnitReaders } from './unit-readers.ts';
import type { VirtualModbusHub } from './virtual-link.ts';
import type { Wire } from './wire.ts';
import { wireOf } from './wires.ts';

const STALE_INTERVALS = 3;
const STALE_AT_LEAST_MS = 3000;

export function createModbusDriver(
  connection: ModbusConnection,
  bindings: readonly PackBinding[],
  context: DriverContext,
  hub: VirtualModbusHub,
): Driver {
  return new ModbusDriver(connection, bindings, context, wireOf(connection, hub));
}

/**
 * What the connection allows and every device on it bears. Who needs a pause between requests bears one: what is
 * sent meanwhile to another unit may be on the same line behind a gateway.
 */
export function maxInFlight(connection: ModbusConnection, bindings: readonly PackBinding[]): number {
  if (connection.type !== 'modbus-tcp' || (connection.gap_ms ?? 0) > 0) return 1;
  const { max_in_flight = 1 } = connection;
  const borne = bindings.map(({ profile: { registers } }) =>
    (registers?.gap_ms ?? 0) > 0 ? 1 : (registers?.max_in_flight ?? max_in_flight),
  );
  return Math.min(max_in_flight, ...borne);
}

interface Health {
  state: LinkState;
  reason: string | undefined;
}

class ModbusDriver implements Driver {
  readonly connection_id: string;
  readonly packs: readonly PackState[];
  readonly #connection: ModbusConnection;
  readonly #bindings: readonly PackBinding[];
  readonly #context: DriverContext;
  readonly #wire: Wire;
  readonly #link: ModbusLink;
  readonly #counters = {
    retries: 0,
    rounds: 0,
    rounds_late: 0,
    discoveries: 0,
    reads_split: 0,
    cells_ignored: 0,
  };
  readonly #pack_health: ReadonlyMap<number, Health>;
  #pollers: readonly UnitPoller[] = [];
  #link_health: Health = { state: 'starting', reason: undefined };
  #reported: Health = { state: 'starting', reason: undefined };
  #since_mono_ms: number;

  constructor(
    connection: ModbusConnection,
    bindings: readonly PackBinding[],
    context: DriverContext,
    wire: Wire,
  ) {
    const stale_ms = Math.max(STALE_INTERVALS * context.interval_ms, STALE_AT_LEAST_MS);
    this.connection_id = connection.id;
    this.#connection = connection;
    this.#bindings = bindings;
    this.#context = context;
    this.#since_mono_ms = context.clock.monoMs();
    this.packs = bindings.map(({ pack, shape }) => new PackState(pack, shape, stale_ms));
    this.#pack_health = new Map(bindings.map(({ pack }) => [pack, { state: 'starting', reason: undefined }]));
    this.#wire = wire;
    this.#link = new ModbusLink({
      wire,
      clock: context.clock,
      timeout_ms: connection.timeout_ms ?? 1000,
      gap_ms: connection.gap_ms ?? 0,
      // One round per unit can wait, and one can be under way beside it.
      max_jobs: 2 * bindings.length,
      max_in_flight: maxInFlight(connection, bindings),
      onState: (state, reason, fresh) => this.#onLink(state, reason, fresh),
      onOverlapGivenUp: reason =>
        context.log.warn(
          { connection: connection.id, reason },
          `connection ${connection.id} to ${wire.name}: ${reason}; from now on one request is in flight at a time`,
        ),
    });
  }

  async start(): Promise<void> {
    this.#pollers = this.#createPollers();
    this.#link.start();
  }

  async stop(): Promise<void> {
    if (this.#link_health.state === 'stopped') return this.#link.stop();
    for (const poller of this.#pollers) poller.pause();
    await this.#link.stop();
    this.#link_health = { state: 'stopped', reason: undefined };
    for (const { pack } of this.#bindings) this.#setPack(pack, 'stopped', undefined);
    this.#report();
  }

  health(): DriverHealth {
    return {
      connection_id: this.connection_id,
      ...this.#reported,
      since_mono_ms: this.#since_mono_ms,
      packs: this.#bindings.map(({ pack }) => ({ pack, ...this.#pack_health.get(pack)! })),
      counters: { ...this.#link.counters, ...this.#wire.counters, ...this.#counters },
    };
  }

  #createPollers(): UnitPoller[] {
    const { clock, interval_ms, onUpdate } = this.#context;
    return createUnitReaders({
      connection: this.#connection,
      bindings: this.#bindings,
      states: this.packs,
      link: this.#link,
      clock,
      interval_ms,
      counters: this.#counters,
    }).map(
      unit =>
        new UnitPoller({
          ...unit,
          link: this.#link,
          clock,
          interval_ms,
          counters: this.#counters,
          onUpdate,
          onState: (pack, state, reason) => {
            this.#setPack(pack, state, reason);
            this.#report();
          },
        }),
    );
  }

  #onLink(state: 'up' | 'down', reason: string | undefined, fresh: boolean): void {
    this.#link_health = { state, reason };
    for (const poller of this.#pollers) {
      if (state === 'up') poller.resume(fresh);
      else poller.pause();
    }
    for (const { pack } of this.#bindings) this.#setPack(pack, state === 'up' ? 'starting' : 'down', reason);
    this.#report();
  }

  #setPack(pack: number, state: LinkState, reason: string | undefined): void {
    const health = this.#pack_health.get(pack)!;
    if (health.state === state && health.reason === reason) return;
    health.state = state;
    health.reason = reason;
    this.#context.onLink({ connection_id: this.connection_id, pack, state, reason });
  }

  /** The state of the whole connection follows from its link and its packs; told when it changed. */
  #report(): void {
    const next = this.#overall();
    if (next.state === this.#reported.state && next.reason === this.#reported.reason) return;
    if (next.state !== this.#reported.state) this.#since_mono_ms = this.#context.clock.monoMs();
    this.#reported = next;
    this.#context.onLink({ connection_id: this.connection_id, pack: undefined, ...next });
  }

  #overall(): Health {
    if (this.#link_health.state !== 'up') return this.#link_health;
    const packs = [...this.#pack_health.values()];
    const troubled = packs.filter(({ state }) => state === 'down' || state === 'degraded');
    if (troubled.length > 0) {
      const reason = `${troubled.length} of ${packs.length} packs; first: ${troubled[0].reason}`;
      return { state: 'degraded', reason };
    }
    return { state: packs.some(({ state }) => state === 'up') ? 'up' : 'starting', reason: undefined };
  }
}
