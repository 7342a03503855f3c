/** Which option of a profile resolves what its values say against each other, where the defaults do not fit. */
import type { PackBinding } from '../driver.ts';
import type { Profile } from '../profiles/profile.ts';
import type { ReadingFacts } from './reading-facts.ts';

export type ChosenOptions = PackBinding['options'];

export interface Resolved<T> {
  readonly fit: T;
  readonly options: ChosenOptions;
  /** For a person to read. */
  readonly why: string;
}

/**
 * Tries each other value of each option, one at a time. Undefined: nothing is to be resolved, nothing resolves it, or
 * several do.
 */
export async function resolveByOption<T extends { readonly facts: ReadingFacts }>(
  profile: Profile,
  plain: T,
  attempt: (options: ChosenOptions) => Promise<T | undefined>,
): Promise<Resolved<T> | undefined> {
  if (plain.facts.disagreements.length === 0) return undefined;
  let best: Resolved<T> | undefined;
  let is_alone = true;
  for (const [name, { values, default: usual, selects_part }] of Object.entries(profile.options ?? {})) {
    // Which part of a unit a pack is, is no matter of layout.
    if (selects_part) continue;
    for (const value of values) {
      if (value === usual) continue;
      const fit = await attempt({ [name]: value });
      if (!fit || !isBetter(fit.facts, plain.facts)) continue;
      const against = best?.fit.facts.disagreements.length ?? Number.POSITIVE_INFINITY;
      const { length } = fit.facts.disagreements;
      if (length > against) continue;
      is_alone = length < against;
      const resolved = plain.facts.disagreements.filter(text => !fit.facts.disagreements.includes(text));
      best = { fit, options: { [name]: value }, why: `"${name}: ${value}" resolves: ${resolved.join(', ')}` };
    }
  }
  return is_alone ? best : undefined;
}

/** Less is said against it, and nothing new. */
function isBetter(facts: ReadingFacts, than: ReadingFacts): boolean {
  return (
    facts.disagreements.length < than.disagreements.length &&
    facts.disagreements.every(text => than.disagreements.includes(text)) &&
    facts.implausible <= than.implausible &&
    facts.agreements.length > than.agreements.length
  );
}
