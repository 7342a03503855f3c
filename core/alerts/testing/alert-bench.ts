/** For tests: a pack with four cells before the alert engine, and what it says, in words and times. */
import { CellMetric, PackMetric, type PackMetricName } from '../../metrics.ts';
import { PackReading } from '../../reading/pack-reading.ts';
import { Quality } from '../../reading/quality.ts';
import type { Chemistry, PackNode, Topology } from '../../topology/topology.ts';
import type { Alert } from '../alert.ts';
import { AlertEngine, type PackFacts } from '../engine.ts';
import type { ThresholdRule } from '../rule.ts';

export const SILENT_AFTER_MS = 15_000;
const shape = { cell_count: 4, sensor_count: 0, device_alarms: ['short_circuit'] };

/** Packs `p1`, `p2`, … of battery `b1` on connection `c`. */
export function makeTopology(packs = 1, chemistry: Chemistry = 'lfp', connection_id = 'c'): Topology {
  const nodes = Array.from({ length: packs }, (_, pack): PackNode => {
    const id = `p${pack + 1}`;
    return {
      pack,
      id,
      name: `Pack ${pack + 1}`,
      battery: 0,
      battery_id: 'b1',
      profile_id: 'x',
      connection_id,
      address: undefined,
      shape,
    };
  });
  return {
    site: { id: 's', name: 'Site' },
    gateway_id: 'g',
    batteries: [{ battery: 0, id: 'b1', name: 'Battery 1', chemistry, packs: nodes.map(({ pack }) => pack) }],
    packs: nodes,
  };
}

export class AlertBench {
  readonly topology: Topology;
  readonly reading = new PackReading(0, shape);
  readonly emitted: Alert[] = [];
  engine: AlertEngine;
  #rules: readonly ThresholdRule[];

  constructor(rules: readonly ThresholdRule[], topology = makeTopology()) {
    this.topology = topology;
    this.#rules = rules;
    this.engine = this.#makeEngine();
    this.reading.column(CellMetric.voltage_v).fill(3.3);
    this.reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  }

  readonly emit = (alert: Alert): void => {
    this.emitted.push(alert);
  };

  /** The reading as it is, at this moment. */
  at(t_ms: number): void {
    this.reading.t_ms = this.reading.mono_ms = t_ms;
    this.facts(t_ms, { reading: this.reading });
  }

  facts(t_ms: number, facts: PackFacts, pack = 0): void {
    this.engine.evaluate(pack, facts, t_ms, t_ms, this.emit);
    this.engine.finish(t_ms, t_ms, this.emit);
  }

  cell(index: number, voltage_v: number): void {
    this.reading.column(CellMetric.voltage_v)[index] = voltage_v;
  }

  value(name: PackMetricName, value: number): void {
    this.reading.values[PackMetric[name]] = value;
    this.reading.value_quality[PackMetric[name]] = Number.isNaN(value) ? Quality.missing : Quality.good;
  }

  /** The same engine after a restart: what was open is taken over, and delays that ran go on. */
  restart(t_ms: number, rules = this.#rules): void {
    const open = this.open();
    const pending = this.engine.pending(t_ms);
    this.#rules = rules;
    this.engine = this.#makeEngine();
    this.engine.adopt(open, t_ms, this.emit);
    this.engine.resume(pending, t_ms);
  }

  open(): Alert[] {
    return this.engine.book.all();
  }

  active(): Alert[] {
    return this.open().filter(({ state }) => state === 'active');
  }

  /** "2000 raised warning". */
  story(): string[] {
    return this.emitted.map(({ changed_ms, change, severity }) => `${changed_ms} ${change} ${severity}`);
  }

  #makeEngine(): AlertEngine {
    return new AlertEngine(this.topology, this.#rules, {
      silent_after_ms: SILENT_AFTER_MS,
      deviceAlarmLabel: (_pack, code) => code.replace('_', ' '),
    });
  }
}
