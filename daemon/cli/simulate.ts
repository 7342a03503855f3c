/** `bms-gateway simulate`: virtual hardware for other programs, on the wire protocols of any profile. */
import type { Clock } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { LoadedProfiles } from '../../drivers/profiles/load.ts';
import {
  allTransports,
  isVirtual,
  makeWires,
  transportNameOf,
  transportOf,
  type VirtualWires,
} from '../../drivers/transports.ts';
import type { Bridge } from '../../sim/serve/bridge.ts';
import type { AnyServeTarget } from '../../sim/simulated-transport.ts';
import { createSimulation, type Simulation } from '../../sim/simulation.ts';
import { otherServedAt, SERVE_FORMS, simulatedTransport } from '../../sim/transports.ts';
import type { Environment } from '../config/environment.ts';
import type { BoundConnection } from '../config/fleet.ts';
import { loadConfig } from '../config/load.ts';
import { isLoopback } from '../server/addresses.ts';
import { createLogger } from '../system/logger.ts';
import { runUntilSignal } from './run-until-signal.ts';
import { type Hardware, type HardwareValues, hardwareOf } from './simulated-hardware.ts';
import { UsageError, wholeNumber } from './usage.ts';

export interface SimulateValues extends HardwareValues {
  readonly listen?: string[] | undefined;
  readonly seconds?: string | undefined;
}

export interface SimulateContext {
  readonly config_file: string | undefined;
  readonly environment: Environment;
  readonly profiles: LoadedProfiles;
}

interface Serving {
  readonly target: AnyServeTarget;
  readonly served: BoundConnection;
}

/** Exit code 0 when it was ended, 1 when a wire was lost. @throws UsageError, ConfigError, GatewayError */
export async function simulate(values: SimulateValues, context: SimulateContext): Promise<number> {
  const seconds = wholeNumber('--seconds', values.seconds);
  const hardware = hardwareFrom(values, context);
  const servings = servingsOf(values.listen ?? [], hardware);
  const log = createLogger({
    level: context.environment.log_level === 'info' ? 'warn' : context.environment.log_level,
    form: 'readable',
    write: line => process.stderr.write(line),
  });
  return new VirtualHardware(hardware, servings, systemClock, log).run(seconds);
}

/** With a profile the configuration only says where a site's own profiles lie. */
function hardwareFrom(
  values: SimulateValues,
  { config_file, environment, profiles }: SimulateContext,
): Hardware {
  if (values.profile !== undefined) return hardwareOf(values, profiles);
  if (config_file !== undefined) return configured(config_file, environment, profiles);
  throw new UsageError('simulate needs --profile ID or --config FILE; see bms-gateway simulate --help');
}

function configured(file: string, environment: Environment, profiles: LoadedProfiles): Hardware {
  const { config, topology, connections } = loadConfig(file, environment, profiles);
  return {
    interval_ms: config.interval_ms,
    simulation: config.simulation ?? {},
    connections: connections.filter(({ connection }) => isVirtual(connection)),
    battery_of_pack: pack => topology.packs[pack].battery,
    chemistry_of_pack: pack => topology.batteries[topology.packs[pack].battery].chemistry,
  };
}

/** @throws UsageError that says what can stand after --listen */
function servingsOf(listen: readonly string[], { connections }: Hardware): Serving[] {
  if (connections.length === 0)
    throw new UsageError(`no pack is on a connection of type ${virtualTypes()}; nothing to simulate`);
  if (listen.length === 0) throw new UsageError(`simulate needs --listen with ${SERVE_FORMS}`);
  return listen.map(text => {
    const named = /^([A-Za-z0-9][\w.-]*)=(.+)$/.exec(text);
    const served = named ? connections.find(({ connection }) => connection.id === named[1]) : connections[0];
    const ids = connections.map(({ connection }) => connection.id);
    if (!served || (!named && connections.length > 1))
      throw new UsageError(
        `--listen: found "${text}", expected CONNECTION=TARGET with one of the connections ${ids.join(', ')}`,
      );
    const target_text = named?.[2] ?? text;
    const name = transportNameOf(served.connection);
    const target = simulatedTransport(name).parseServeTarget(target_text);
    if (target) return { target, served };
    const other = otherServedAt(target_text, name);
    if (other === undefined) throw new UsageError(`--listen: found "${text}", expected ${SERVE_FORMS}`);
    const { title } = transportOf(served.connection);
    throw new UsageError(
      `--listen: ${text} is for ${other}, ${served.bindings[0].profile.id} speaks ${title}; expected ${SERVE_FORMS}`,
    );
  });
}

const virtualTypes = () =>
  allTransports()
    .map(([, { virtual_type }]) => virtual_type)
    .join(' or ');

/** Simulation and bridges as one program. */
class VirtualHardware {
  readonly #hardware: Hardware;
  readonly #servings: readonly Serving[];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #simulation: Simulation;
  readonly #bridges: Bridge[];
  #serving = false;
  #lost = false;
  #end: () => void = () => process.kill(process.pid, 'SIGTERM');

  constructor(hardware: Hardware, servings: readonly Serving[], clock: Clock, log: Logger) {
    const wires = makeWires();
    this.#hardware = hardware;
    this.#servings = servings;
    this.#clock = clock;
    this.#log = log;
    this.#simulation = simulationOf(hardware, wires, clock, log);
    this.#bridges = servings.map(({ target, served: { connection, bindings } }) => {
      const name = transportNameOf(connection);
      return simulatedTransport(name).makeBridge(target, {
        connection_id: connection.id,
        bindings,
        wires: wires[name],
        clock,
        onLost: reason => this.#onLost(reason),
      });
    });
  }

  async run(seconds: number | undefined): Promise<number> {
    const timer = seconds === undefined ? undefined : this.#clock.setTimer(() => this.#end(), seconds * 1000);
    const code = await runUntilSignal(
      {
        start: async () => {
          await this.#simulation.start();
          for (const bridge of this.#bridges) await bridge.open();
          this.#serving = true;
          process.stderr.write(`${this.#describe().join('\n')}\n`);
        },
        stop: async () => {
          this.#clock.clearTimer(timer);
          this.#end = () => {};
          for (const bridge of this.#bridges) await bridge.close();
          await this.#simulation.stop();
          if (this.#serving) process.stderr.write(`${this.#summary().join('\n')}\n`);
        },
      },
      this.#log,
    );
    return this.#lost ? 1 : code;
  }

  #onLost(reason: string): void {
    if (this.#lost) return;
    this.#lost = true;
    process.stderr.write(`bms-gateway: ${reason}\n`);
    this.#end();
  }

  #describe(): string[] {
    const packs = this.#hardware.connections.flatMap(({ bindings }) => bindings);
    const open = this.#servings.flatMap(({ target }) =>
      target.host !== undefined && !isLoopback(target.host) ? [target.host] : [],
    );
    return [
      `${packs.length} simulated ${packs.length === 1 ? 'pack' : 'packs'}, new values every ${this.#hardware.interval_ms} ms`,
      ...this.#bridges.map((bridge, i) => `  ${bridge.place}  ${contents(this.#servings[i].served)}`),
      ...(open.length > 0
        ? [`Open to other machines on ${open.join(', ')}: anybody there may read these registers.`]
        : []),
      'Ctrl-C stops.',
    ];
  }

  #summary(): string[] {
    return this.#bridges.map(({ place, counters }) => {
      const counts = Object.entries(counters).map(([name, count]) => `${name} ${count}`);
      return `${place}: ${counts.join(', ')}`;
    });
  }
}

function contents({ connection, bindings }: BoundConnection): string {
  const profiles = [...new Set(bindings.map(({ profile }) => profile.id))].join(', ');
  return [profiles, ...transportOf(connection).describePacks(bindings)].join(', ');
}

/** A fault or pack that is not there is the command line's or the file's mistake. */
function simulationOf(
  { interval_ms, simulation, connections, battery_of_pack, chemistry_of_pack }: Hardware,
  wires: VirtualWires,
  clock: Clock,
  log: Logger,
): Simulation {
  try {
    return createSimulation({
      config: simulation,
      connections,
      battery_of_pack,
      chemistry_of_pack,
      wires,
      clock,
      log,
      interval_ms,
      own_periods: true,
    });
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'CONFIG_INVALID')
      throw new UsageError(error.message.replace(/^simulation\.faults\[\d+\]/, '--fault'));
    throw error;
  }
}
