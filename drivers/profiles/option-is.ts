/** Conditions on a profile's options: how the installer settles what the vendors' papers leave open. */
import Type, { type Static } from 'typebox';

export const OptionValue = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

export const OptionIs = Type.Object(
  { option: Type.String(), is: OptionValue },
  { additionalProperties: false, description: 'True when a profile option has this value' },
);

export type OptionIs = Static<typeof OptionIs>;

/** Whether a condition holds for the chosen options of a pack. */
export function holds({ option, is }: OptionIs, options: Readonly<Record<string, unknown>>): boolean {
  return options[option] === is;
}
