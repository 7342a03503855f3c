/** From the packs of a connection to its units: who is asked, by which map, with which timeouts. */
import type { Clock } from '../../core/clock/clock.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { PackBinding } from '../driver.ts';
import type { ModbusConnection } from './connections.ts';
import type { ModbusLink } from './modbus-link.ts';
import { registerMap } from './registers/register-map.ts';
import { RegistersReader } from './registers/registers-reader.ts';
import type { ReadRequest } from './reply.ts';
import { packMap } from './sunspec/pack-map.ts';
import { SunSpecReader } from './sunspec/sunspec-reader.ts';
import type { ReadUnit, UnitReader } from './unit-reader.ts';

export interface UnitReadersOptions {
  readonly connection: ModbusConnection;
  readonly bindings: readonly PackBinding[];
  /** One per binding. */
  readonly states: readonly PackState[];
  readonly link: ModbusLink;
  readonly clock: Clock;
  readonly interval_ms: number;
  readonly counters: { discoveries: number; reads_split: number; cells_ignored: number };
}

export interface PolledUnit {
  /** For messages: "unit 3 at 10.0.0.5:502". */
  readonly place: string;
  readonly reader: UnitReader;
  readonly packs: readonly number[];
  readonly retries: number;
}

const DEFAULT_UNIT = 1;
const DEFAULT_RETRIES = 1;

/** Packs that are strings of one SunSpec unit share its reads; each other pack is read by its own map. */
export function createUnitReaders(options: UnitReadersOptions): PolledUnit[] {
  const { bindings, states } = options;
  const sunspec_units = new Map<number, number[]>();
  const units: PolledUnit[] = [];
  bindings.forEach((binding, i) => {
    const unit = unitOf(binding);
    if (binding.profile.registers) {
      units.push(registersUnit(options, binding, states[i], unit));
      return;
    }
    const members = sunspec_units.get(unit) ?? [];
    members.push(i);
    sunspec_units.set(unit, members);
  });
  for (const [unit, members] of sunspec_units) units.push(sunspecUnit(options, unit, members));
  return units;
}

export function unitOf({ address, profile }: PackBinding): number {
  return address ?? profile.address?.default ?? DEFAULT_UNIT;
}

function sunspecUnit(options: UnitReadersOptions, unit: number, members: readonly number[]): PolledUnit {
  const { link, bindings, states, connection, clock, interval_ms, counters } = options;
  const place = `unit ${unit} at ${link.name}`;
  const packs = members.map(i => ({ state: states[i], map: packMap(bindings[i]) }));
  const read = readerOf(link, { unit });
  return {
    place,
    reader: new SunSpecReader({
      place,
      packs,
      clock,
      interval_ms,
      counters,
      read,
      atOnce: () => link.in_flight_limit,
    }),
    packs: packs.map(({ state }) => state.pack),
    retries: connection.retries ?? DEFAULT_RETRIES,
  };
}

function registersUnit(
  options: UnitReadersOptions,
  binding: PackBinding,
  state: PackState,
  unit: number,
): PolledUnit {
  const { link, connection, interval_ms, counters } = options;
  const map = registerMap(binding);
  const { reply_unit_plus = 0, timeout_ms, gap_ms, retries = DEFAULT_RETRIES } = map.section;
  const read = readerOf(link, {
    unit,
    reply_unit: (unit + reply_unit_plus) & 0xff,
    timeout_ms: connection.timeout_ms ?? timeout_ms,
    gap_ms,
  });
  const { sensor_of_cell } = binding;
  const atOnce = () => link.in_flight_limit;
  return {
    place: `unit ${unit} at ${link.name}`,
    reader: new RegistersReader({ state, map, sensor_of_cell, interval_ms, counters, read, atOnce }),
    packs: [state.pack],
    retries: connection.retries ?? retries,
  };
}

type UnitTerms = Omit<ReadRequest, 'code' | 'address' | 'count'>;

function readerOf(link: ModbusLink, terms: UnitTerms): ReadUnit {
  return (code, address, count, into) => link.read({ ...terms, code, address, count }, into);
}
