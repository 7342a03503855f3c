/** What fits together on a bus or a link, and what does not. */
import { realpathSync } from 'node:fs';
import { posix } from 'node:path';
import { didYouMean, type Finding, listOf } from '../../core/schema/problem.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { isVirtual, transportNameOf, transportOf } from '../../drivers/transports.ts';
import { chemistryMisfit } from './chemistry-misfit.ts';
import { DEFAULTS } from './defaults.ts';
import { type ExpandedConnection, findingAt } from './expand-connections.ts';
import type { ExpandedPack } from './expand-packs.ts';
import type { Config } from './schema.ts';

type Connections = ReadonlyMap<string, ExpandedConnection>;

/** Each problem of a range is reported once, for the first pack that has it. */
export function checkWiring(
  config: Config,
  connections: Connections,
  packs: readonly ExpandedPack[],
  problems: Finding[],
): void {
  const reported = new Set<string>();
  const report = (pack: ExpandedPack, key: string, found: string, expected: string, hint = '') => {
    const path = [...pack.path, key];
    if (reported.has(path.join())) return;
    reported.add(path.join());
    problems.push({ path, found, expected, message: `found ${found}, expected ${expected}${hint}` });
  };
  checkBatteryIds(config, problems);
  checkWires(connections, problems);
  const ids = new Set<string>();
  for (const pack of packs) {
    if (ids.has(pack.id)) report(pack, 'id', `pack "${pack.id}" again`, 'an id of its own in the whole file');
    ids.add(pack.id);
    checkConnection(pack, connections, report);
    checkAddress(pack, report);
    checkAddressOnWire(pack, connections, report);
  }
  checkShared(packs, connections, report);
  checkMisfits(packs, connections, report);
  checkFaults(config, packs, connections, problems);
}

type Report = (pack: ExpandedPack, key: string, found: string, expected: string, hint?: string) => void;

function checkBatteryIds({ batteries }: Config, problems: Finding[]): void {
  const ids = new Set<string>();
  for (const [i, { id }] of batteries.entries()) {
    if (ids.has(id))
      problems.push({
        path: ['batteries', i, 'id'],
        found: `battery "${id}" again`,
        expected: 'an id of its own',
      });
    ids.add(id);
  }
}

/** Two connections to one bus would show every pack twice, under two names. */
function checkWires(connections: Connections, problems: Finding[]): void {
  const taken = new Map<string, string>();
  for (const { connection, path } of connections.values()) {
    const endpoint = transportOf(connection).endpointOf(connection);
    // What still holds a range could not be expanded, and was reported.
    if (!endpoint || endpoint.name.includes('{')) continue;
    const { key, name, is_file } = endpoint;
    const device = is_file ? deviceAt(name) : name;
    const other = taken.get(device);
    if (other === undefined) taken.set(device, connection.id);
    else
      problems.push({
        path: [...path, key],
        found: `${name}, ${device === name ? '' : `which is ${device}, `}which connection ${other} has`,
        expected: 'one connection to it',
      });
  }
}

/** One device goes by many names: `/dev/serial/by-id/…`, `/dev/../dev/ttyUSB0`. What is not plugged in is taken by its name. */
function deviceAt(port: string): string {
  try {
    return realpathSync(port);
  } catch {
    return posix.normalize(port);
  }
}

function checkConnection(pack: ExpandedPack, connections: Connections, report: Report): void {
  const { connection_id, profile } = pack;
  const known = connections.get(connection_id);
  if (!known) {
    const names = [...connections.keys()];
    const hint = didYouMean(connection_id, names);
    report(pack, 'connection', `unknown connection "${connection_id}"`, `one of ${listOf(names)}`, hint);
  } else if (
    profile &&
    profile.fault === undefined &&
    transportNameOf(known.connection) !== profile.transport
  ) {
    const { type } = known.connection;
    const found = `profile ${profile.id} for ${profile.transport} on connection ${connection_id} of type ${type}`;
    report(pack, 'profile', found, `a profile for ${transportNameOf(known.connection)}`);
  }
}

function checkAddress(pack: ExpandedPack, report: Report): void {
  const { profile, address } = pack;
  if (!profile || profile.fault !== undefined) return;
  const range = profile.address;
  if (!range) {
    if (address !== undefined)
      report(pack, 'address', String(address), `none, profile ${profile.id} has one device per bus`);
  } else if (address !== undefined && (address < range.min || address > range.max)) {
    report(pack, 'address', String(address), `${range.min} to ${range.max}, as profile ${profile.id} allows`);
  }
}

/** What the transport itself forbids. */
function checkAddressOnWire(pack: ExpandedPack, connections: Connections, report: Report): void {
  const { address, connection_id } = pack;
  const known = connections.get(connection_id);
  if (!known || address === undefined) return;
  const expected = transportOf(known.connection).expectedAddress?.(address);
  if (expected !== undefined) report(pack, 'address', String(address), expected);
}

/** On real wires all profiles must get along; what is inside the process does. */
function checkMisfits(packs: readonly ExpandedPack[], connections: Connections, report: Report): void {
  const profiles_on = new Map<string, Map<string, Profile>>();
  for (const pack of packs) {
    const { connection_id, profile } = pack;
    const known = connections.get(connection_id);
    if (!known || !profile || isVirtual(known.connection)) continue;
    const others = profiles_on.get(connection_id) ?? new Map<string, Profile>();
    profiles_on.set(connection_id, others.set(profile.id, profile));
    for (const other of others.values()) {
      const misfit = transportOf(known.connection).misfitOf?.(connection_id, profile, other);
      if (!misfit) continue;
      report(pack, 'profile', misfit.found, misfit.expected);
      break;
    }
  }
}

/** Two packs must not answer to the same address of one connection. */
function checkShared(packs: readonly ExpandedPack[], connections: Connections, report: Report): void {
  const taken = new Map<string, ExpandedPack>();
  for (const pack of packs) {
    const { connection_id, profile, address } = pack;
    const known = connections.get(connection_id);
    if (!known || !profile || profile.fault !== undefined) continue;
    const family = transportOf(known.connection).has_addresses_by_profile ? profile.id : '';
    const key = [connection_id, family, address ?? '', partOf(pack)].join('|');
    const other = taken.get(key);
    taken.set(key, pack);
    if (!other) continue;
    if (address === undefined) {
      const found = `packs ${other.id} and ${pack.id} both on connection ${connection_id}`;
      report(pack, 'connection', found, `one pack, profile ${profile.id} has one device per bus`);
    } else {
      const assumed = pack.entry.address === undefined ? " (the profile's default)" : '';
      const found = `address ${address}${assumed} on connection ${connection_id}, which pack ${other.id} has`;
      report(pack, 'address', found, 'an address of its own');
    }
  }
}

/** Which part of its unit the pack is, where the profile has options that say so. */
function partOf({ profile, options }: ExpandedPack): string {
  const parts = Object.entries(profile?.options ?? {}).filter(([, option]) => option.selects_part);
  return parts.map(([name]) => `${profile?.id} ${name} ${options[name]}`).join();
}

function checkFaults(
  { simulation }: Config,
  packs: readonly ExpandedPack[],
  connections: Connections,
  problems: Finding[],
): void {
  for (const [i, fault] of (simulation?.faults ?? []).entries()) {
    const path = ['simulation', 'faults', i];
    const pack = packs.find(({ id }) => id === fault.pack);
    const known = pack && connections.get(pack.connection_id);
    if (!pack) {
      const names = packs.map(({ id }) => id);
      const expected = `a pack of this file${didYouMean(fault.pack, names)}`;
      problems.push({ path: [...path, 'pack'], found: `unknown pack "${fault.pack}"`, expected });
    } else if (known && !isVirtual(known.connection)) {
      const found = `pack "${fault.pack}" on connection ${pack.connection_id} of type ${known.connection.type}`;
      problems.push({ path: [...path, 'pack'], found, expected: 'a simulated pack' });
    } else if (fault.cell !== undefined && fault.cell > pack.entry.cells) {
      const expected = `a cell from 1 to ${pack.entry.cells}`;
      problems.push({ path: [...path, 'cell'], found: String(fault.cell), expected });
    }
    if (fault.cell === undefined && fault.kind !== 'dead_unit')
      problems.push({ path, found: 'no key "cell"', expected: `a cell number for ${fault.kind}` });
  }
}

/** What works but is hardly meant. */
export function wiringWarnings(
  { simulation, batteries }: Config,
  connections: Connections,
  packs: readonly ExpandedPack[],
): Finding[] {
  const used = new Set(packs.map(pack => pack.connection_id));
  const warnings = new Map<string, Finding>();
  for (const { connection, path } of connections.values()) {
    if (!used.has(connection.id)) {
      const found = `connection "${connection.id}" without packs`;
      const expected = 'a pack that names it; it is not opened';
      warnings.set(path.join(), { path, found, expected });
    } else if (isVirtual(connection) && !simulation) {
      const found = `${connection.type} without a simulation`;
      const expected = 'a section "simulation"; its packs will stay silent';
      warnings.set(path.join(), { path: [...path, 'type'], found, expected });
    }
  }
  for (const { connection, path } of connections.values()) {
    const onIt = packs.filter(({ connection_id }) => connection_id === connection.id);
    const profiles = new Set(onIt.flatMap(({ profile }) => profile ?? []));
    for (const finding of transportOf(connection).warningsOf?.(connection, [...profiles]) ?? []) {
      const warning = findingAt(path, finding);
      warnings.set(warning.path.join(), warning);
    }
  }
  for (const { path, battery, profile } of packs) {
    const chemistry = batteries[battery].chemistry ?? DEFAULTS.chemistry;
    const misfit = profile && profile.fault === undefined && chemistryMisfit(chemistry, profile);
    if (misfit)
      warnings.set([...path, 'profile', chemistry].join(), { path: [...path, 'profile'], ...misfit });
  }
  for (const { path, profile } of packs) {
    if (profile?.fault === undefined) continue;
    const found = `profile "${profile.id}", which is left out`;
    const expected = `a sound one; the pack stays down: ${profile.fault}`;
    warnings.set([...path, 'profile'].join(), { path: [...path, 'profile'], found, expected });
  }
  return [...warnings.values()];
}
