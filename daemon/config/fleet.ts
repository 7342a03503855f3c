/**
 * From the configuration's batteries and connections to the topology and to what each driver is bound to:
 * ranges expanded, profiles looked up, everything checked that the schema cannot say.
 */
import type { Finding } from '../../core/schema/problem.ts';
import type { PackNode, Topology } from '../../core/topology/topology.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import type { LoadedProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { shapeOf } from '../../drivers/profiles/shape.ts';
import { type ConnectionConfig, transportOf } from '../../drivers/transports.ts';
import type { EstimatePlan } from '../estimates/plan.ts';
import { checkWiring, wiringWarnings } from './check-wiring.ts';
import { DEFAULTS } from './defaults.ts';
import { estimatePlans } from './estimate-plans.ts';
import { type ExpandedConnection, expandConnections } from './expand-connections.ts';
import { type ExpandedPack, expandPack } from './expand-packs.ts';
import type { Findings } from './findings.ts';
import type { Config } from './schema.ts';

export interface BoundConnection {
  readonly connection: ConnectionConfig;
  readonly bindings: readonly PackBinding[];
}

export interface Fleet {
  readonly topology: Topology;
  /** Those that carry packs, in configuration order. */
  readonly connections: readonly BoundConnection[];
  /** In dense pack order. */
  readonly estimates: readonly EstimatePlan[];
}

/** Undefined when there are problems. `directory`: relative files are meant from there. `interval_ms`: of readings. */
export function buildFleet(
  config: Config,
  profiles: LoadedProfiles,
  directory: string,
  findings: Findings,
  interval_ms?: number,
): Fleet | undefined {
  const { problems } = findings;
  const connections = expandConnections(config.connections, directory, problems);
  const packs = config.batteries.flatMap((battery, b) =>
    battery.packs.flatMap((entry, p) =>
      expandPack(entry, b, ['batteries', b, 'packs', p], profiles, problems),
    ),
  );
  checkWiring(config, connections, packs, problems);
  findings.warnings.push(...wiringWarnings(config, connections, packs));
  const estimates = estimatePlans(config, packs, directory, findings);
  if (problems.length > 0) return undefined;

  const bindings = new Map<string, PackBinding[]>();
  for (const [i, pack] of packs.entries()) {
    const onIt = bindings.get(pack.connection_id) ?? [];
    onIt.push(bindingOf(pack, i));
    bindings.set(pack.connection_id, onIt);
  }
  if (interval_ms !== undefined)
    findings.warnings.push(...slowConnections(connections.values(), bindings, interval_ms));
  return {
    topology: topologyOf(config, packs),
    estimates,
    connections: [...connections.values()].flatMap(({ connection }) => {
      const onIt = bindings.get(connection.id);
      return onIt ? [{ connection, bindings: onIt }] : [];
    }),
  };
}

/** They work: their packs are read in turn. `bindings`: by connection id. */
function slowConnections(
  connections: Iterable<ExpandedConnection>,
  bindings: ReadonlyMap<string, readonly PackBinding[]>,
  interval_ms: number,
): Finding[] {
  return [...connections].flatMap(({ connection, path }) => {
    const packs = (bindings.get(connection.id) ?? []).filter(({ profile }) => profile.fault === undefined);
    if (packs.length === 0) return [];
    const slowness = transportOf(connection).slownessOf?.(connection, packs, interval_ms);
    return slowness ? [{ path, ...slowness }] : [];
  });
}

function bindingOf({ entry, id, profile, address, options }: ExpandedPack, pack: number): PackBinding {
  return {
    pack,
    pack_id: id,
    profile: profile as Profile,
    address,
    shape: shapeOf(profile as Profile, entry.cells, entry.sensors),
    options,
    sensor_of_cell: entry.sensor_of_cell?.map(sensor => sensor - 1),
  };
}

function topologyOf({ site, gateway_id, batteries }: Config, packs: readonly ExpandedPack[]): Topology {
  const nodes = packs.map(
    ({ id, name, battery, profile, connection_id, address, entry }, pack): PackNode => ({
      pack,
      id,
      name,
      battery,
      battery_id: batteries[battery].id,
      profile_id: (profile as Profile).id,
      connection_id,
      address,
      shape: shapeOf(profile as Profile, entry.cells, entry.sensors),
    }),
  );
  return {
    site: { id: site.id, name: site.name ?? site.id },
    gateway_id: gateway_id ?? site.id,
    batteries: batteries.map(({ id, name = id, chemistry = DEFAULTS.chemistry }, battery) => ({
      battery,
      id,
      name,
      chemistry,
      packs: nodes.filter(node => node.battery === battery).map(node => node.pack),
    })),
    packs: nodes,
  };
}
