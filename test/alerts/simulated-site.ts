/**
 * A simulated site before the alert engine, as fast as the processor goes: physics, bytes on virtual wires, the product's
 * own drivers and judges, the default rules. Times are hours of the site's clock.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import { AlertEngine } from '../../core/alerts/engine.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { DEFAULT_RULES } from '../../daemon/config/default-rules.ts';
import type { SimulationConfig } from '../../sim/simulation-config.ts';
import { bench, FOX, JK } from '../../sim/testing/bench.ts';

const INTERVAL_MS = 2000;
/** Between two judgements: rules wait for longer than this. */
const STEP_MS = 4000;
const HOUR_MS = 3_600_000;
export const SILENT_AFTER_MS = 15_000;

export interface Raised {
  readonly rule_id: string;
  readonly pack_id: string | null;
  readonly after_hours: number;
  readonly message: string;
  readonly change: Alert['change'];
}

/** All that was raised, or raised again, within so many hours. */
export async function raisedWithin(hours: number, config: SimulationConfig): Promise<Raised[]> {
  const site = bench([JK, FOX], config, INTERVAL_MS);
  await site.start();
  const states = site.drivers.flatMap(({ packs }) => packs);
  const judges = states.map(
    (state, pack) => new PackJudge(state, plausibleLimits(site.bindings[pack].profile.plausible)),
  );
  const engine = new AlertEngine(topologyOf(site.bindings), DEFAULT_RULES, {
    silent_after_ms: SILENT_AFTER_MS,
    deviceAlarmLabel: (_, code) => code,
  });
  const readings = states.map((_, pack) => site.snapshot(pack));
  const revisions = states.map(() => -1);
  const begun_ms = site.clock.wallMs();
  const raised: Raised[] = [];
  const emit = ({ rule_id, pack_id, change, changed_ms, message }: Alert) => {
    if (change === 'raised' || change === 'recurred')
      raised.push({ rule_id, pack_id, change, message, after_hours: (changed_ms - begun_ms) / HOUR_MS });
  };
  while (site.clock.wallMs() - begun_ms < hours * HOUR_MS) {
    await site.run(STEP_MS, STEP_MS);
    const [t_ms, mono_ms] = [site.clock.wallMs(), site.clock.monoMs()];
    for (const [pack, state] of states.entries()) {
      const reading = readings[pack];
      state.snapshotInto(reading, t_ms, mono_ms);
      reading.is_repeated = state.revision === revisions[pack];
      revisions[pack] = state.revision;
      judges[pack].judge(reading);
      const silent_ms = state.silentMs(mono_ms, 0);
      const weak_cells = judges[pack].deviation.weak;
      engine.evaluate(pack, { reading, silent_ms, weak_cells }, t_ms, mono_ms, emit);
    }
    engine.finish(t_ms, mono_ms, emit);
  }
  await site.stop();
  return raised;
}

export function topologyOf(bindings: Awaited<ReturnType<typeof bench>>['bindings']): Topology {
  const packs = bindings.map(({ pack_id, profile, address, shape }, pack) => ({
    pack,
    id: pack_id,
    name: pack_id,
    battery: 0,
    battery_id: 'b',
    profile_id: profile.id,
    connection_id: pack_id.split('-')[0],
    address,
    shape,
  }));
  return {
    site: { id: 's', name: 'Site' },
    gateway_id: 'g',
    batteries: [
      { battery: 0, id: 'b', name: 'Battery', chemistry: 'lfp', packs: packs.map(({ pack }) => pack) },
    ],
    packs,
  };
}
