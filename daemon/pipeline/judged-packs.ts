/** All packs of all connections in dense order, each with its state and the judge of its values. */
import type { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { PackBinding } from '../../drivers/driver.ts';

export function judgedPacks(
  connections: readonly { readonly bindings: readonly PackBinding[] }[],
  states: readonly PackState[],
) {
  return connections
    .flatMap(({ bindings }) => bindings)
    .sort((a, b) => a.pack - b.pack)
    .map(binding => ({
      binding,
      state: states[binding.pack],
      judge: new PackJudge(states[binding.pack], plausibleLimits(binding.profile.plausible)),
    }));
}
