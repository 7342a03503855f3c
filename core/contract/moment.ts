/** Moments as requests may name them: one range for all routes. */
import Type from 'typebox';

/** The begin of the year 10000: from there on neither ISO 8601 of four digits nor PostgreSQL's COPY agree with us. */
export const LATEST_MS = 253_402_300_800_000;

/** Milliseconds since 1970 UTC, from 0 to the end of the year 9999. */
export const Moment = (description?: string) =>
  Type.Integer({ minimum: 0, maximum: LATEST_MS, ...(description && { description }) });

/** The same where fractions were taken from the beginning. */
export const FractionalMoment = (description?: string) =>
  Type.Number({ minimum: 0, maximum: LATEST_MS, ...(description && { description }) });
