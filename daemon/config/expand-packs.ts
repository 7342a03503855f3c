/** Packs of the configuration, with ranges expanded and everything their profile says filled in. */
import { didYouMean, type Finding, listOf, type Path } from '../../core/schema/problem.ts';
import type { LoadedProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { expandAddress, expandText, isId, wrongId } from './ranges.ts';
import type { PackConfig } from './schema.ts';

export interface ExpandedPack {
  /** Where it stands in the file; packs of one range share it. */
  readonly path: Path;
  /** Index of its battery. */
  readonly battery: number;
  readonly entry: PackConfig;
  readonly id: string;
  readonly name: string;
  readonly connection_id: string;
  /** Undefined: unknown, and reported. */
  readonly profile: Profile | undefined;
  readonly address: number | undefined;
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export function expandPack(
  entry: PackConfig,
  battery: number,
  path: Path,
  known: LoadedProfiles,
  problems: Finding[],
): ExpandedPack[] {
  const profile = profileNamed(entry.profile, known);
  if (profile) checkDevice(entry, profile, path, problems);
  else problems.push({ path: [...path, 'profile'], ...unknownProfile(entry.profile, known.profiles) });
  const options = resolveOptions(entry, profile, path, problems);
  const ids = expandText(entry.id);
  if (typeof ids === 'string') {
    problems.push({ path: [...path, 'id'], found: ids, expected: 'one range such as {01..10}' });
    return [];
  }
  const count = ids.texts.length;
  const alongside = sideBySide(count, path, problems);
  const connections = alongside('connection', textsOf(entry.connection));
  const addresses = alongside(
    'address',
    entry.address === undefined ? [undefined] : expandAddress(entry.address),
  );
  const wrong = ids.texts.find(id => !isId(id));
  if (wrong !== undefined) problems.push({ path: [...path, 'id'], ...wrongId(wrong) });
  if (!connections || !addresses || wrong !== undefined) return [];
  return ids.texts.map((id, n) => ({
    path,
    battery,
    entry,
    id,
    name: (entry.name ?? id).replaceAll('{n}', ids.numbers?.[n] ?? ''),
    connection_id: connections[n],
    profile,
    address: addresses[n] ?? profile?.address?.default,
    options,
  }));
}

/** A profile that was left out gives a pack of which nothing is known but what the configuration says. */
function profileNamed(id: string, { profiles, faults }: LoadedProfiles): Profile | undefined {
  const fault = faults.get(id);
  if (fault === undefined) return profiles.get(id);
  const nothing = { title: id, vendor: '', models: [], source: '', cells: { max: 0 }, directory: '' };
  // The bus is not known either: nobody asks for it where there is a fault.
  return { ...nothing, id, transport: 'can', fault };
}

function textsOf(text: string): readonly string[] | string {
  const expanded = expandText(text);
  return typeof expanded === 'string' ? expanded : expanded.texts;
}

/** One for each of `count` packs, from as many or from one for all. */
function sideBySide(count: number, path: Path, problems: Finding[]) {
  return <T>(key: keyof PackConfig, values: readonly T[] | string): readonly T[] | undefined => {
    if (typeof values !== 'string' && values.length === count) return values;
    if (typeof values !== 'string' && values.length === 1) return new Array<T>(count).fill(values[0]);
    const found = typeof values === 'string' ? values : `a range of ${values.length}`;
    const expected = count > 1 ? `a range of ${count}, as in id` : 'a range only where the id has one';
    problems.push({ path: [...path, key], found, expected });
    return undefined;
  };
}

function unknownProfile(name: string, profiles: ReadonlyMap<string, Profile>) {
  const known = [...profiles.keys()];
  const found = `unknown profile "${name}"`;
  const expected = `one of ${listOf(known)}`;
  return { found, expected, message: `found ${found}, expected ${expected}${didYouMean(name, known)}` };
}

/** Cells and sensors against what the device family can report. */
function checkDevice(entry: PackConfig, profile: Profile, path: Path, problems: Finding[]): void {
  if (profile.fault !== undefined) return;
  const { cells, sensor_of_cell } = entry;
  const most = profile.sensors?.max ?? 0;
  const sensors = entry.sensors ?? most;
  const atMost = (limit: number, what: string) =>
    `at most ${limit}, the ${what} profile ${profile.id} can report`;
  if (cells > profile.cells.max)
    problems.push({
      path: [...path, 'cells'],
      found: String(cells),
      expected: atMost(profile.cells.max, 'cells'),
    });
  if (sensors > most)
    problems.push({ path: [...path, 'sensors'], found: String(sensors), expected: atMost(most, 'sensors') });
  if (!sensor_of_cell) return;
  if (sensor_of_cell.length !== cells)
    problems.push({
      path: [...path, 'sensor_of_cell'],
      found: `a list of ${sensor_of_cell.length}`,
      expected: `${cells} numbers, one for each cell`,
    });
  const wrong = sensor_of_cell.findIndex(sensor => sensor > sensors);
  if (wrong >= 0)
    problems.push({
      path: [...path, 'sensor_of_cell', wrong],
      found: String(sensor_of_cell[wrong]),
      expected: sensors > 0 ? `a sensor from 1 to ${sensors}` : 'no sensors, the pack has none',
    });
}

/** The profile's defaults, and what the pack says otherwise. */
function resolveOptions(
  { options = {} }: PackConfig,
  profile: Profile | undefined,
  path: Path,
  problems: Finding[],
): ExpandedPack['options'] {
  if (!profile || profile.fault !== undefined) return options;
  const known = profile.options ?? {};
  const names = Object.keys(known);
  for (const [name, value] of Object.entries(options)) {
    const here = [...path, 'options', name];
    if (!Object.hasOwn(known, name)) {
      const found = `unknown option "${name}"`;
      const expected =
        names.length > 0 ? `one of ${listOf(names)}` : `none, profile ${profile.id} has no options`;
      const message = `found ${found}, expected ${expected}${didYouMean(name, names)}`;
      problems.push({ path: here, found, expected, message, at_key: true });
    } else if (!known[name].values.includes(value)) {
      const expected = `one of ${known[name].values.map(allowed => JSON.stringify(allowed)).join(', ')}`;
      problems.push({ path: here, found: JSON.stringify(value), expected });
    }
  }
  return { ...Object.fromEntries(names.map(name => [name, known[name].default])), ...options };
}
