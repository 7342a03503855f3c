/** The packs that `simulate --profile` describes: its options as a small configuration, checked like any other. */

import { findingsOf } from '../../core/schema/check.ts';
import type { Finding } from '../../core/schema/problem.ts';
import type { Chemistry } from '../../core/topology/topology.ts';
import type { LoadedProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { transportNamed } from '../../drivers/transports.ts';
import type { SimulationConfig } from '../../sim/simulation-config.ts';
import type { Findings } from '../config/findings.ts';
import { type BoundConnection, buildFleet } from '../config/fleet.ts';
import { Config } from '../config/schema.ts';
import { chosenOptions } from './profile-options.ts';
import { UsageError, wholeNumber } from './usage.ts';

export interface HardwareValues {
  readonly profile?: string | undefined;
  readonly packs?: string | undefined;
  readonly cells?: string | undefined;
  readonly sensors?: string | undefined;
  readonly address?: string | undefined;
  readonly option?: string[] | undefined;
  readonly chemistry?: string | undefined;
  readonly seed?: string | undefined;
  readonly load?: string | undefined;
  readonly 'time-scale'?: string | undefined;
  readonly capacity?: string | undefined;
  readonly fault?: string[] | undefined;
  readonly interval?: string | undefined;
}

export interface Hardware {
  readonly interval_ms: number;
  readonly simulation: SimulationConfig;
  /** Those of a virtual type that carry packs. */
  readonly connections: readonly BoundConnection[];
  readonly battery_of_pack: (pack: number) => number;
  readonly chemistry_of_pack: (pack: number) => Chemistry;
}

const DEFAULT_INTERVAL_MS = 1000;
const DEFAULT_CELLS = 16;
const MAX_PACKS = 1000;

/** @throws UsageError that names the option, what was found and what was expected */
export function hardwareOf(values: HardwareValues, profiles: LoadedProfiles): Hardware {
  const profile = profiles.profiles.get(values.profile ?? '');
  if (!profile)
    throw new UsageError(
      `no profile "${values.profile}"; there are ${[...profiles.profiles.keys()].join(', ')}`,
    );
  const document = describe(values, profile);
  const wrong = findingsOf(Config, document);
  refuse(wrong);
  const config = document as Config;
  const findings: Findings = { problems: [], warnings: [] };
  const fleet = buildFleet(config, profiles, '.', findings);
  refuse(findings.problems);
  if (!fleet) throw new UsageError('these packs cannot be simulated');
  return {
    interval_ms: config.interval_ms ?? DEFAULT_INTERVAL_MS,
    simulation: config.simulation ?? {},
    connections: fleet.connections,
    battery_of_pack: pack => fleet.topology.packs[pack].battery,
    chemistry_of_pack: pack => fleet.topology.batteries[fleet.topology.packs[pack].battery].chemistry,
  };
}

function describe(values: HardwareValues, profile: Profile): object {
  const packs = wholeNumber('--packs', values.packs) ?? 1;
  if (packs < 1 || packs > MAX_PACKS)
    throw new UsageError(`--packs: found ${packs}, expected a whole number from 1 to ${MAX_PACKS}`);
  if (packs > 1 && !profile.address)
    throw new UsageError(
      `--packs: found ${packs}, but devices of ${profile.id} have no address: one on each bus. Start one for each`,
    );
  const first = wholeNumber('--address', values.address) ?? profile.address?.default ?? 0;
  const sensors = wholeNumber('--sensors', values.sensors);
  return {
    site: { id: 'simulated' },
    interval_ms: wholeNumber('--interval', values.interval) ?? DEFAULT_INTERVAL_MS,
    connections: [{ id: 'wire', type: transportNamed(profile.transport).virtual_type }],
    batteries: [
      {
        id: 'battery',
        chemistry: values.chemistry ?? 'lfp',
        packs: Array.from({ length: packs }, (_, i) => ({
          id: `pack-${i + 1}`,
          connection: 'wire',
          profile: profile.id,
          ...((profile.address || values.address !== undefined) && { address: first + i }),
          cells: wholeNumber('--cells', values.cells) ?? Math.min(DEFAULT_CELLS, profile.cells.max),
          ...(sensors !== undefined && { sensors }),
          ...(profile.options && { options: chosenOptions(profile, values.option ?? []) }),
        })),
      },
    ],
    simulation: {
      seed: wholeNumber('--seed', values.seed) ?? 1,
      ...(values.load !== undefined && { load: values.load }),
      ...(values['time-scale'] !== undefined && { time_scale: numberOr(values['time-scale']) }),
      ...(values.capacity !== undefined && { capacity_ah: numberOr(values.capacity) }),
      faults: (values.fault ?? []).map(faultOf),
    },
  };
}

/** What is no number stays as it was written, for the check to name. */
const numberOr = (text: string) => (text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text));

function faultOf(text: string): object {
  const [kind, pack, cell] = text.split(':', 3);
  if (!pack)
    throw new UsageError(`--fault: found "${text}", expected KIND:PACK[:CELL] such as weak_cell:pack-1:3`);
  return { kind, pack, ...(cell !== undefined && { cell: wholeNumber('--fault', cell) }) };
}

/** By the last key of its path. */
const OPTION_OF_KEY: Readonly<Record<string, string>> = {
  cells: '--cells',
  sensors: '--sensors',
  address: '--address',
  options: '--option',
  chemistry: '--chemistry',
  seed: '--seed',
  load: '--load',
  time_scale: '--time-scale',
  capacity_ah: '--capacity',
  interval_ms: '--interval',
  faults: '--fault',
};

function refuse(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const lines = findings.map(({ path, found, expected, message }) => {
    const key = path.findLast(step => typeof step === 'string' && step in OPTION_OF_KEY);
    const place = OPTION_OF_KEY[String(key)] ?? path.join('.');
    return `${place}: ${message ?? `found ${found}, expected ${expected}`}`;
  });
  throw new UsageError([...new Set(lines)].join('\n'));
}
