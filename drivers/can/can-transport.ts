/** CAN as the rest of the gateway sees it. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Finding, Problem } from '../../core/schema/problem.ts';
import { sortProblems } from '../../core/schema/problem.ts';
import type { PackBinding } from '../driver.ts';
import type { Profile } from '../profiles/profile.ts';
import type { ConnectionFinding, Endpoint, Misfit, Transport } from '../transport.ts';
import { createCanDriver } from './can-driver.ts';
import { checkCanProfile } from './check-profile.ts';
import { CAN_CONNECTIONS, type CanConnection } from './connections.ts';
import { canScanner } from './scan/can-scanner.ts';
import { VirtualCanHub } from './virtual-bus.ts';

export const canTransport = {
  title: 'CAN',
  connections: CAN_CONNECTIONS,
  virtual_type: 'virtual-can',
  has_addresses_by_profile: true,
  scanner: canScanner,
  makeWires: () => new VirtualCanHub(),
  createDriver: createCanDriver,
  profileProblems,
  endpointOf,
  prepare,
  misfitOf,
  warningsOf,
  describePacks,
} satisfies Transport<CanConnection, VirtualCanHub>;

/** Names its DBC does not know, units that do not fit. */
function profileProblems(profile: Profile, locate: (finding: Finding) => Problem): Problem[] {
  const { can } = profile;
  if (!can) return [];
  const problems = checkCanProfile(profile).map(({ path, text, dbc_line }): Problem => {
    const words = { path, found: text, expected: 'what the DBC bears out', message: text };
    if (dbc_line === undefined) return locate(words);
    if (can.dbc)
      return { ...words, file: join(profile.directory, can.dbc), line: dbc_line, column: 1, path: '' };
    // Its lines begin below the key.
    const key = locate({ ...words, at_key: true });
    return { ...key, line: key.line + dbc_line, column: 1 };
  });
  return sortProblems(problems);
}

function endpointOf(connection: CanConnection): Endpoint | undefined {
  switch (connection.type) {
    case 'socketcan':
      return { key: 'interface', name: connection.interface, is_file: false };
    case 'slcan':
      return { key: 'port', name: connection.port, is_file: true };
    case 'candump':
    case 'virtual-can':
      return undefined;
  }
}

function prepare(
  connection: CanConnection,
  directory: string,
  report: (finding: ConnectionFinding) => void,
): CanConnection {
  if (connection.type !== 'candump') return connection;
  const file = resolve(directory, connection.file);
  if (!existsSync(file))
    report({ key: 'file', found: `no file ${file}`, expected: 'a log written by candump -l' });
  return { ...connection, file };
}

/** A bus has one bit rate; a node at another one hears nothing and disturbs all. */
function misfitOf(connection_id: string, profile: Profile, other: Profile): Misfit | undefined {
  const bitrate = profile.can?.bitrate;
  const other_bitrate = other.can?.bitrate;
  if (!bitrate || !other_bitrate || bitrate === other_bitrate) return undefined;
  return {
    found: `profile ${profile.id} of ${bitrate / 1000} kbit/s on connection ${connection_id}, where profile ${other.id} speaks at ${other_bitrate / 1000} kbit/s`,
    expected: 'profiles of one bit rate on one bus; a bus of its own for the other',
  };
}

function warningsOf(connection: CanConnection, profiles: readonly Profile[]): ConnectionFinding[] {
  if (connection.type !== 'slcan') return [];
  const { bitrate_bps } = connection;
  const other = profiles.findLast(({ can }) => can?.bitrate && can.bitrate !== bitrate_bps);
  if (!other) return [];
  const expected = `${other.can?.bitrate}, as profile ${other.id} says; a wrong one disturbs the whole bus`;
  return [{ key: 'bitrate_bps', found: `${bitrate_bps}`, expected }];
}

function describePacks(bindings: readonly PackBinding[]): string[] {
  const { bitrate } = bindings[0].profile.can ?? {};
  const addresses = bindings.flatMap(({ address }) => (address === undefined ? [] : [address]));
  return [
    ...(addresses.length > 0 ? [`address ${addresses.join(', ')}`] : []),
    ...(bitrate ? [`${bitrate / 1000} kbit/s`] : []),
  ];
}
