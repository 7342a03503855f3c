/** Options of a profile as a person writes them on the command line: `--option name=value`. */
import type { Profile } from '../../drivers/profiles/profile.ts';
import { UsageError } from './usage.ts';

type Options = Record<string, string | number | boolean>;

/** All options of the profile: those given, else their defaults. @throws UsageError that names what there is */
export function chosenOptions(profile: Profile, given: readonly string[]): Options {
  const chosen: Options = {};
  for (const [name, option] of Object.entries(profile.options ?? {})) chosen[name] = option.default;
  for (const text of given) {
    const [name, written] = text.split('=', 2);
    const option = profile.options?.[name];
    const value = option?.values.find(one => String(one) === written);
    if (!option || value === undefined)
      throw new UsageError(
        `--option ${text}: ${profile.id} has ${describeOptions(profile)}, written as name=value`,
      );
    chosen[name] = value;
  }
  return chosen;
}

function describeOptions(profile: Profile): string {
  const options = Object.entries(profile.options ?? {}).map(
    ([name, { values }]) => `${name} (${values.join(', ')})`,
  );
  return options.length > 0 ? `the options ${options.join(', ')}` : 'no options';
}
