/** What a profile reads of a device, by the names of core/metrics.ts. */
import { CELL_METRICS, PACK_METRICS } from '../../core/metrics.ts';
import type { Profile } from './profile.ts';

export interface WhatIsRead {
  /** Labels of quantities, in the order of the table of quantities. */
  readonly pack: readonly string[];
  readonly cells: readonly string[];
  readonly sensors: number;
  readonly alarms: number;
}

export function whatIsRead(profile: Profile): WhatIsRead {
  const { can, registers, sunspec } = profile;
  const pack = new Set([
    ...Object.values(can?.messages ?? {}).flatMap(message => Object.keys(message.pack ?? {})),
    ...Object.keys({ ...registers?.pack, ...registers?.derived }),
    ...Object.keys({ ...sunspec?.bank.pack, ...sunspec?.string?.pack }),
  ]);
  const cells = new Set(Object.keys({ ...can?.cells, ...registers?.cells, ...sunspec?.cells }));
  return {
    pack: PACK_METRICS.filter(({ name }) => pack.has(name)).map(({ label }) => label),
    cells: CELL_METRICS.filter(({ name }) => cells.has(name)).map(({ label }) => label),
    sensors: profile.sensors?.max ?? 0,
    alarms: profile.device_alarms?.length ?? 0,
  };
}
