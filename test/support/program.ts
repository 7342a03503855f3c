/** The program that tests start: where it was just built, as in CI, what a box runs; else the sources. */
import { fileURLToPath } from 'node:url';

const folder = process.env.CI === 'true' ? 'dist' : 'daemon';

export const PROGRAM = fileURLToPath(new URL(`../../${folder}/bms-gateway.mjs`, import.meta.url));
