/** A command line that cannot be understood: exit code 2. */
export class UsageError extends Error {}

/** @throws UsageError that names the option */
export function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new UsageError(`${name}: found "${text}", expected a whole number below a thousand million`);
  return Number(text);
}
