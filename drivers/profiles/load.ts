/**
 * Loads the profiles of a folder: every `*.yaml` in it is one device family. A broken profile is left out
 * and reported as problems; the others are there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeError } from '../../core/errors.ts';
import { CELL_METRICS, PACK_METRICS, SENSOR_METRIC } from '../../core/metrics.ts';
import {
  didYouMean,
  type Finding,
  formatProblem,
  listOf,
  type Problem,
  sortProblems,
} from '../../core/schema/problem.ts';
import { checkYaml } from '../../core/schema/yaml-document.ts';
import { allTransports } from '../transports.ts';
import { PROFILE_SECTIONS, type Profile, ProfileFile, type SectionName } from './profile.ts';

export interface LoadedProfiles {
  /** By profile id. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly problems: readonly Problem[];
  /** By file name without its ending: the first problem of each file left out. */
  readonly faults: ReadonlyMap<string, string>;
}

/** Reads every profile of `directory` (default: those that come with the gateway) whose file is wanted. */
export function loadProfiles(
  directory: string = import.meta.dirname,
  isWanted: (id: string) => boolean = () => true,
): LoadedProfiles {
  const profiles = new Map<string, Profile>();
  const problems: Problem[] = [];
  const faults = new Map<string, string>();
  const load = directory === import.meta.dirname ? loadBundled : loadProfile;
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith('.yaml') || !isWanted(basename(name, '.yaml'))) continue;
    const loaded = load(join(directory, name));
    problems.push(...loaded.problems);
    if (loaded.profile) profiles.set(loaded.profile.id, loaded.profile);
    else faults.set(basename(name, '.yaml'), formatProblem(loaded.problems[0]));
  }
  return { profiles, problems, faults };
}

/**
 * The profiles that come with the gateway, and the site's own from the folder `profiles` beside its
 * configuration file. One of its own under the id of another is left out. `isWanted`: of those that come with the
 * gateway.
 */
export function loadProfilesFor(config_file: string, isWanted?: (id: string) => boolean): LoadedProfiles {
  const bundled = loadProfiles(import.meta.dirname, isWanted);
  const folder = join(dirname(config_file), 'profiles');
  if (!existsSync(folder)) return bundled;
  try {
    const own = loadProfiles(folder);
    const isFree = (id: string) => !bundled.profiles.has(id) && !bundled.faults.has(id);
    const taken = [...own.profiles.keys()].filter(id => !isFree(id));
    const problems = taken.map(id =>
      unplaced(join(folder, `${id}.yaml`), `id "${id}"`, 'an id that no profile of the gateway has'),
    );
    return {
      profiles: new Map([...own.profiles, ...bundled.profiles]),
      problems: [...bundled.problems, ...own.problems, ...problems],
      faults: new Map([...[...own.faults].filter(([id]) => isFree(id)), ...bundled.faults]),
    };
  } catch (error) {
    const problem = unplaced(folder, describeError(error), 'a folder of profiles that can be read');
    return { ...bundled, problems: [...bundled.problems, problem] };
  }
}

/** A problem of a file as a whole. */
function unplaced(file: string, found: string, expected: string): Problem {
  const message = `found ${found}, expected ${expected}`;
  return { file, line: 0, column: 0, path: '', found, expected, message };
}

interface LoadedProfile {
  readonly profile?: Profile;
  readonly problems: readonly Problem[];
}

/** By file: those that come with the gateway stay as they are while it runs. */
const bundled_profiles = new Map<string, LoadedProfile>();

function loadBundled(file: string): LoadedProfile {
  const loaded = bundled_profiles.get(file) ?? loadProfile(file);
  bundled_profiles.set(file, loaded);
  return loaded;
}

function loadProfile(file: string): LoadedProfile {
  const document = checkYaml(file, readFileSync(file, 'utf8'), ProfileFile);
  if (!document.value) return { problems: document.problems };
  const profile = { ...document.value, directory: join(file, '..') };
  const findings = findingsIn(profile, basename(file, '.yaml'));
  const located = findings.map(document.locate);
  const problems = [
    ...sortProblems(located),
    ...allTransports().flatMap(([, transport]) => transport.profileProblems(profile, document.locate)),
  ];
  return problems.length > 0 ? { problems } : { profile, problems };
}

/** What the schema cannot say. */
function findingsIn(profile: Profile, file_name: string): Finding[] {
  const findings: Finding[] = [];
  if (profile.id !== file_name)
    findings.push({
      path: ['id'],
      found: `"${profile.id}"`,
      expected: `"${file_name}", as the file is named`,
    });
  const { address } = profile;
  if (address && !(address.min <= address.default && address.default <= address.max))
    findings.push({
      path: ['address', 'default'],
      found: String(address.default),
      expected: `a number from min ${address.min} to max ${address.max}`,
    });
  return [...findings, ...sections(profile), ...alarms(profile), ...options(profile), ...ranges(profile)];
}

const ALL_SECTIONS: readonly SectionName[] = Object.values(PROFILE_SECTIONS).flat();

function sections(profile: Profile): Finding[] {
  const { transport } = profile;
  const fitting = PROFILE_SECTIONS[transport];
  const expected = `a section ${fitting.map(name => `"${name}"`).join(' or ')}`;
  const findings: Finding[] = [];
  const present = fitting.filter(name => profile[name] !== undefined);
  if (present.length === 0)
    findings.push({ path: ['transport'], found: `transport ${transport} without its section`, expected });
  for (const other of ALL_SECTIONS) {
    if (profile[other] === undefined || other === present[0]) continue;
    const beside = fitting.includes(other) ? `section "${present[0]}"` : `transport ${transport}`;
    findings.push({
      path: [other],
      found: `a section "${other}" beside ${beside}`,
      expected: `only ${expected}`,
      at_key: true,
    });
  }
  return findings;
}

function alarms(profile: Profile): Finding[] {
  const seen = new Set<string>();
  return (profile.device_alarms ?? []).flatMap(({ code }, i) => {
    const twice = seen.has(code);
    seen.add(code);
    return twice
      ? [{ path: ['device_alarms', i, 'code'], found: `"${code}" a second time`, expected: 'each code once' }]
      : [];
  });
}

function options(profile: Profile): Finding[] {
  return Object.entries(profile.options ?? {}).flatMap(([name, option]) =>
    option.values.includes(option.default)
      ? []
      : [
          {
            path: ['options', name, 'default'],
            found: JSON.stringify(option.default),
            expected: `one of its values: ${option.values.map(value => JSON.stringify(value)).join(', ')}`,
          },
        ],
  );
}

const METRICS = { pack: PACK_METRICS, cell: CELL_METRICS, sensor: [SENSOR_METRIC] } as const;

function ranges({ plausible = {} }: Profile): Finding[] {
  const findings: Finding[] = [];
  for (const scope of ['pack', 'cell', 'sensor'] as const) {
    const names: string[] = METRICS[scope].map(metric => metric.name);
    for (const [name, [lowest, highest]] of Object.entries(plausible[scope] ?? {})) {
      const path = ['plausible', scope, name];
      if (!names.includes(name)) {
        const found = `unknown ${scope} metric "${name}"`;
        const expected = `one of ${listOf(names)}`;
        const message = `found ${found}, expected ${expected}${didYouMean(name, names)}`;
        findings.push({ path, found, expected, message, at_key: true });
      } else if (lowest > highest) {
        findings.push({ path, found: `[${lowest}, ${highest}]`, expected: '[lowest, highest]' });
      }
    }
  }
  return findings;
}
