/** The `can` section of a profile: which messages carry which metrics. */
import Type, { type Static } from 'typebox';

export const CanSection = Type.Object({}, { additionalProperties: false });
export type CanSection = Static<typeof CanSection>;
