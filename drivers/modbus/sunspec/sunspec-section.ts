/** The `sunspec` section of a profile: which SunSpec models carry which metrics. */
import Type, { type Static } from 'typebox';

export const SunSpecSection = Type.Object({}, { additionalProperties: false });
export type SunSpecSection = Static<typeof SunSpecSection>;
