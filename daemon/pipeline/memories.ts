/** What of packs is kept over restarts: each kind of documents, how often, and what happens where one cannot be read. */
import type { Logger } from '../../core/log.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { StoredDeviation } from '../../core/siblings/deviation.ts';
import type { StoredFleet } from '../../core/siblings/fleet-deviation.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { Documents } from '../store/store.ts';
import type { PackFleets } from './pack-fleets.ts';
import { PackMemory, type Remembered } from './pack-memory.ts';

const MINUTE_MS = 60_000;

/** What is usual among the cells of each pack. */
export function siblingMemory(
  topology: Topology,
  packs: readonly { readonly state: PackState; readonly judge: PackJudge }[],
  documents: Documents,
  log: Logger,
): PackMemory {
  return new PackMemory({
    kind: 'siblings',
    turn_ms: 60 * MINUTE_MS,
    what: 'what was learnt of cells',
    remedy: 'what is usual among its cells is learnt again',
    packs: packs.map(({ state, judge: { deviation } }) => ({
      pack_id: topology.packs[state.pack].id,
      hasAny: () => deviation.hasAny,
      toJSON: () => deviation.toJSON(),
      restore: body => deviation.restore(body as StoredDeviation),
    })),
    documents,
    log,
  });
}

/** What is usual among the packs of each battery: a document for each battery. */
export function fleetMemory({ all }: PackFleets, documents: Documents, log: Logger): PackMemory {
  return new PackMemory({
    kind: 'fleets',
    turn_ms: 60 * MINUTE_MS,
    what: 'what was learnt of packs',
    remedy: 'what is usual among its packs is learnt again',
    packs: all.map(({ battery_id, deviation }) => ({
      pack_id: battery_id,
      hasAny: () => deviation.hasAny,
      toJSON: () => deviation.toJSON(),
      restore: body => deviation.restore(body as StoredFleet),
    })),
    documents,
    log,
  });
}

/** Estimates and odometers. What is lost in a power cut is counted again from the state of half an hour ago. */
export function estimateMemory(packs: readonly Remembered[], documents: Documents, log: Logger): PackMemory {
  return new PackMemory({
    kind: 'estimates',
    turn_ms: 30 * MINUTE_MS,
    what: 'the state of estimates',
    remedy: 'its estimates begin again, and its odometers at zero',
    packs,
    documents,
    log,
  });
}
