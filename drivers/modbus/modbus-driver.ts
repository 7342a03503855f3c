/** The driver of a Modbus connection: one link, a poller per unit, health of both. */
import { PackState } from '../../core/reading/pack-state.ts';
import type { Driver, DriverContext, DriverHealth, LinkState, PackBinding } from '../driver.ts';
import type { ModbusConnection } from './connections.ts';
import { LineRounds } from './line-rounds.ts';
import { ModbusLink } from './modbus-link.ts';
import { wireOf } from './open-wire.ts';
import { RoundTiming } from './round-timing.ts';
import { UnitPoller } from './unit-poller.ts';
import { STALE_PERIODS, staleAfterMs, type UnitReader } from './unit-reader.ts';
import { createUnitReaders } from './units-of-connection.ts';
import type { VirtualModbusHub } from './virtual-link.ts';
import type { Wire } from './wire.ts';

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
  const { max_in_flight = 1, reply_transaction = 'same' } = connection;
  if (reply_transaction !== 'same') return 1;
  const borne = bindings.map(({ profile: { registers } }) =>
    (registers?.gap_ms ?? 0) > 0 ? 1 : (registers?.max_in_flight ?? max_in_flight),
  );
  return Math.min(max_in_flight, ...borne);
}

/** Stale limits that follow a measure are set a little wider than it, and narrowed only when it has become much less. */
const WIDENED = 1.1;
const WORTH_NARROWING = 0.7;

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
  #line: LineRounds | undefined;
  readonly #late_ms = new Map<UnitReader, number>();
  #link_health: Health = { state: 'starting', reason: undefined };
  #reported: Health = { state: 'starting', reason: undefined };
  #since_mono_ms: number;

  constructor(
    connection: ModbusConnection,
    bindings: readonly PackBinding[],
    context: DriverContext,
    wire: Wire,
  ) {
    const stale_ms = staleAfterMs(context.interval_ms);
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
      onNotice: text =>
        context.log.info(
          { connection: connection.id },
          `connection ${connection.id} to ${wire.name}: ${text}`,
        ),
      onInFlightGivenUp: reason =>
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
      counters: {
        ...this.#link.counters,
        ...this.#wire.counters,
        ...this.#counters,
        round_ms: this.#line?.round_ms ?? 0,
      },
    };
  }

  #createPollers(): UnitPoller[] {
    const { clock, interval_ms, onUpdate } = this.#context;
    const units = createUnitReaders({
      connection: this.#connection,
      bindings: this.#bindings,
      states: this.packs,
      link: this.#link,
      clock,
      interval_ms,
      counters: this.#counters,
    });
    const line = new LineRounds(
      units.length,
      interval_ms,
      this.#link.counters,
      () => this.#link.in_flight_limit,
    );
    this.#line = line;
    const timing = new RoundTiming(clock, interval_ms);
    const readers = units.map(({ reader }) => reader);
    return units.map(
      ({ place, reader, packs, retries }, unit) =>
        new UnitPoller({
          place,
          reader,
          packs,
          retries,
          line,
          unit,
          timing,
          onRoundEnd: () => {
            this.#ageByRounds(line, readers);
            this.#report();
          },
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

  /** What one unit takes makes the others wait: all of them age by it. */
  #ageByRounds(line: LineRounds, readers: readonly UnitReader[]): void {
    for (let unit = 0; unit < readers.length; unit++) {
      const measured_ms = line.lateMs(unit);
      const late_ms = measured_ms <= STALE_PERIODS * this.#context.interval_ms ? 0 : measured_ms;
      const applied_ms = this.#late_ms.get(readers[unit]) ?? 0;
      // Limits are set again only where it makes a difference.
      if (late_ms <= applied_ms && late_ms >= applied_ms * WORTH_NARROWING) continue;
      this.#late_ms.set(readers[unit], late_ms * WIDENED);
      readers[unit].ageBy(late_ms * WIDENED);
    }
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

  /** The state of the whole connection follows from its link and its packs; reported when it changed. */
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
    const complaint = this.#line?.complaint;
    const faulty = packs.filter(({ state }) => state === 'down' || state === 'degraded');
    if (faulty.length > 0) {
      const reason = `${faulty.length} of ${packs.length} packs; first: ${faulty[0].reason}`;
      return { state: 'degraded', reason: complaint ? `${reason}; ${complaint}` : reason };
    }
    if (complaint) return { state: 'degraded', reason: complaint };
    return { state: packs.some(({ state }) => state === 'up') ? 'up' : 'starting', reason: undefined };
  }
}
