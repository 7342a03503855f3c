/**
 * A transport is one way to reach batteries, such as CAN or Modbus: here is all that the rest asks of one. Each owns
 * its folder, and one object in it; `transports.ts` is the table of them.
 */
import type { TObject } from 'typebox';
import type { Finding, Problem } from '../core/schema/problem.ts';
import type { Driver, DriverContext, PackBinding } from './driver.ts';
import type { Profile } from './profiles/profile.ts';
import type { Scanner } from './scan/scanner.ts';

/** What connections of every type have. */
export interface AnyConnection {
  readonly id: string;
  readonly type: string;
}

/** What a connection needs for itself: the key of the configuration that names it, and the name. */
export interface Endpoint {
  readonly key: string;
  readonly name: string;
  /** A file of this machine, which may go by several names. */
  readonly is_file: boolean;
}

/** What is wrong with a key of a connection, or with the connection as a whole. */
export interface ConnectionFinding {
  readonly key?: string;
  readonly found: string;
  readonly expected: string;
}

export type Misfit = Pick<ConnectionFinding, 'found' | 'expected'>;

/** `Wires`: what connects devices and drivers inside the process, by connection id. */
export interface Transport<C extends AnyConnection = AnyConnection, Wires = unknown> {
  /** As people write it. */
  readonly title: string;
  /** What a connection is in the configuration: a schema for each `type`. */
  readonly connections: readonly TObject[];
  /** The `type` inside the process, on which the simulator serves. */
  readonly virtual_type: C['type'];
  /** Each device family keeps to ids of its own: packs of two profiles may have one address on one connection. */
  readonly has_addresses_by_profile: boolean;
  readonly scanner: Scanner<C>;
  makeWires(): Wires;
  /** @throws GatewayError PROFILE_INVALID, CONFIG_INVALID */
  createDriver(connection: C, bindings: readonly PackBinding[], context: DriverContext, wires: Wires): Driver;
  /** What is wrong with its sections of a profile; none where it has none. */
  profileProblems(profile: Profile, locate: (finding: Finding) => Problem): readonly Problem[];
  /** Undefined: it shares nothing with other connections. */
  endpointOf(connection: C): Endpoint | undefined;
  /** The connection as it is used, relative files from `directory`; what it needs and has not is reported. */
  prepare?(connection: C, directory: string, report: (finding: ConnectionFinding) => void): C;
  /** What is expected in place of an address that a device of this transport cannot have. */
  expectedAddress?(address: number): string | undefined;
  /** Why packs of two profiles cannot be on one connection. */
  misfitOf?(connection_id: string, profile: Profile, other: Profile): Misfit | undefined;
  /** What of the connection hardly fits the packs on it. */
  warningsOf?(connection: C, profiles: readonly Profile[]): readonly ConnectionFinding[];
  /** Why the packs, all of sound profiles, cannot be read once an interval. */
  slownessOf?(connection: C, bindings: readonly PackBinding[], interval_ms: number): Misfit | undefined;
  /** For people who look for them with a program of their own: addresses, bit rate. */
  describePacks(bindings: readonly PackBinding[]): readonly string[];
}
