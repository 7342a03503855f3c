/** The reference register image of models 1 and 802 to 805, where the machine has it. */
import { existsSync, readFileSync } from 'node:fs';
import { RegisterImage } from '../register-image.ts';
import type { DecodedModel } from '../sunspec/decode.ts';

export interface Golden {
  readonly base_address: number;
  readonly models: readonly { id: number; address: number; length: number }[];
  readonly registers: readonly number[];
  readonly expected: Readonly<Record<string, DecodedModel>>;
}

export const GOLDEN_FILE = new URL(
  '../../../../shared/conformance/golden/sunspec-802-805-image.json',
  import.meta.url,
);

/** True where the tests that need it can run; where CI promises the file they run, and fail without it. */
export const goldenPresent = existsSync(GOLDEN_FILE) || process.env.CI === 'true';

export function goldenImage(): Golden {
  return JSON.parse(readFileSync(GOLDEN_FILE, 'utf8'));
}

/** The image as a unit, optionally with more registers behind it, or elsewhere. */
export function goldenUnit(address?: number): RegisterImage {
  const { base_address, registers } = goldenImage();
  return new RegisterImage({ address: address ?? base_address, registers: Uint16Array.from(registers) });
}
