/** Readings of the default fleet as they come off the simulated wires, encoded as they are stored. */
import { ManualClock } from '../core/clock/manual-clock.ts';
import { silentLogger } from '../core/log.ts';
import { encodeInto, maxEncodedBytes } from '../core/reading/codec.ts';
import { plausibleLimits } from '../core/reading/plausibility.ts';
import { PackJudge } from '../core/siblings/pack-judge.ts';
import { readEnvironment } from '../daemon/config/environment.ts';
import { loadConfig } from '../daemon/config/load.ts';
import { Estimates } from '../daemon/estimates/estimates.ts';
import { Sampler } from '../daemon/pipeline/sampler.ts';
import { Supervisor } from '../daemon/supervisor.ts';
import { loadProfiles } from '../drivers/profiles/load.ts';
import { makeWires } from '../drivers/transports.ts';
import { createSimulation } from '../sim/simulation.ts';

export interface SimulatedRow {
  readonly pack: number;
  readonly body: Buffer;
}

export interface SimulatedFleet {
  readonly pack_ids: readonly string[];
  readonly interval_ms: number;
  /** All packs, moment by moment. */
  readonly moments: readonly SimulatedRow[][];
}

export async function simulateFleet(moment_count: number): Promise<SimulatedFleet> {
  const clock = new ManualClock(Date.UTC(2026, 0, 1, 8));
  const loaded = loadConfig('daemon/config/demo.yaml', readEnvironment({}), loadProfiles());
  const { config, topology, connections } = loaded;
  const wires = makeWires();
  const { interval_ms } = config;
  const log = silentLogger;
  if (!config.simulation) throw new Error('the demo has no simulation');
  const simulation = createSimulation({
    config: config.simulation,
    connections,
    wires,
    clock,
    log,
    interval_ms,
    battery_of_pack: pack => topology.packs[pack].battery,
    chemistry_of_pack: pack => topology.batteries[topology.packs[pack].battery].chemistry,
  });
  const supervisor = new Supervisor(connections, { clock, log, interval_ms, onUpdate: () => {} }, wires);
  const states = supervisor.packStates(topology.packs.length);
  const packs = connections
    .flatMap(connection => connection.bindings)
    .toSorted((a, b) => a.pack - b.pack)
    .map(binding => ({
      binding,
      state: states[binding.pack],
      judge: new PackJudge(states[binding.pack], plausibleLimits(binding.profile.plausible)),
    }));
  const estimates = new Estimates({
    topology,
    packs,
    plans: loaded.estimates,
    interval_ms,
    wallMs: () => clock.wallMs(),
    log,
  });
  const moments: SimulatedRow[][] = [];
  let moment: SimulatedRow[] = [];
  const sampler = new Sampler({
    clock,
    interval_ms,
    packs,
    onReading: reading => {
      estimates.take(reading);
      estimates.showInLog(reading);
      const bytes = Buffer.alloc(maxEncodedBytes(reading.shape));
      const used = encodeInto(reading, new DataView(bytes.buffer, bytes.byteOffset), 0);
      moment.push({ pack: reading.pack, body: Buffer.from(bytes.subarray(0, used)) });
    },
    onMoment: () => {
      if (moment.length > 0) moments.push(moment);
      moment = [];
    },
  });
  await simulation.start();
  await supervisor.start();
  sampler.start();
  while (moments.length < moment_count) {
    for (let step = 0; step < 20; step++) await clock.advanceAsync(interval_ms / 20);
    await new Promise(resolve => setImmediate(resolve));
  }
  sampler.stop();
  await supervisor.stop();
  await simulation.stop();
  return { pack_ids: topology.packs.map(({ id }) => id), interval_ms, moments };
}
