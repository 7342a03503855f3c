/** The simulator of a configuration: its batteries, on its virtual wires. */
import type { Clock } from '../core/clock/clock.ts';
import type { Logger } from '../core/log.ts';
import type { VirtualWires } from '../drivers/transports.ts';
import { createSimulation, type Simulation } from '../sim/simulation.ts';
import type { GatewayConfig } from './config/load.ts';

interface SimulationParts {
  readonly wires: VirtualWires;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Undefined: none is configured. */
export function makeSimulation(config: GatewayConfig, parts: SimulationParts): Simulation | undefined {
  const { topology, connections } = config;
  const { simulation, interval_ms } = config.config;
  if (!simulation) return undefined;
  return createSimulation({
    config: simulation,
    connections,
    battery_of_pack: pack => topology.packs[pack].battery,
    chemistry_of_pack: pack => topology.batteries[topology.packs[pack].battery].chemistry,
    interval_ms,
    ...parts,
  });
}
