/** What the rules and what is learnt of cells cost: processor time by the clock of the readings, as a share of a core. */
import { AlertEngine } from '../core/alerts/engine.ts';
import { CellMetric, PackMetric } from '../core/metrics.ts';
import { PackReading, type PackShape } from '../core/reading/pack-reading.ts';
import { Quality } from '../core/reading/quality.ts';
import { SiblingDeviation } from '../core/siblings/deviation.ts';
import type { Topology } from '../core/topology/topology.ts';
import { DEFAULT_RULES } from '../daemon/config/default-rules.ts';
import { PackFleets } from '../daemon/pipeline/pack-fleets.ts';

interface Fleet {
  readonly packs: number;
  readonly cells: number;
  readonly interval_ms: number;
  readonly goal: number;
}

const FLEETS: readonly Fleet[] = [
  { packs: 100, cells: 10, interval_ms: 100, goal: 0.05 },
  { packs: 1000, cells: 100, interval_ms: 1000, goal: 0.5 },
];
const MOMENTS = 300;

export async function benchAlerts(): Promise<string[]> {
  return FLEETS.map(fleet => {
    const { share, bytes } = run(fleet);
    const { packs, cells, interval_ms, goal } = fleet;
    return (
      `${packs} packs of ${cells} cells every ${interval_ms} ms: ${(share * 100).toFixed(1)} % of a core ` +
      `(goal ${goal * 100} %), ${bytes.toFixed(1)} bytes allocated per reading`
    );
  });
}

function run({ packs, cells, interval_ms }: Fleet): { share: number; bytes: number } {
  const topology = topologyOf(packs, cells);
  const engine = new AlertEngine(topology, DEFAULT_RULES, {
    silent_after_ms: 60_000,
    deviceAlarmLabel: (_, code) => code,
  });
  const fleets = new PackFleets(topology);
  const learnt = topology.packs.map(() => new SiblingDeviation(cells));
  const readings = topology.packs.map(({ pack, shape }) => readingOf(pack, shape));
  let t_ms = 0;
  const moment = () => {
    t_ms += interval_ms;
    for (let pack = 0; pack < packs; pack++) {
      const reading = readings[pack];
      reading.t_ms = reading.mono_ms = t_ms;
      reading.values[PackMetric.current_a] = 20 * Math.sin(t_ms / 7000 + pack);
      reading.column(CellMetric.voltage_v)[t_ms % cells] = 3.3 + (t_ms % 17) / 10_000;
      learnt[pack].learn(reading);
    }
    fleets.learn(readings, t_ms);
    for (let pack = 0; pack < packs; pack++) {
      const facts = { reading: readings[pack], weak_cells: learnt[pack].weak, apart: fleets.apart(pack) };
      engine.evaluate(pack, facts, t_ms, t_ms, () => {});
    }
    engine.finish(t_ms, t_ms, () => {});
  };
  for (let i = 0; i < 100; i++) moment();
  const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()];
  for (let i = 0; i < MOMENTS; i++) moment();
  const { user, system } = process.cpuUsage(cpu);
  return {
    share: (user + system) / 1000 / (MOMENTS * interval_ms),
    bytes: Math.max(0, process.memoryUsage().heapUsed - heap) / (MOMENTS * packs),
  };
}

function topologyOf(packs: number, cells: number): Topology {
  const shape: PackShape = {
    cell_count: cells,
    sensor_count: 4,
    device_alarms: ['over_voltage', 'under_voltage'],
  };
  const nodes = Array.from({ length: packs }, (_, pack) => ({
    pack,
    id: `p${pack}`,
    name: `Pack ${pack}`,
    battery: 0,
    battery_id: 'b',
    profile_id: 'x',
    connection_id: `c${Math.floor(pack / 10)}`,
    address: pack,
    shape,
  }));
  return {
    site: { id: 's', name: 'Site' },
    gateway_id: 'g',
    batteries: [
      { battery: 0, id: 'b', name: 'Battery', chemistry: 'lfp', packs: nodes.map(({ pack }) => pack) },
    ],
    packs: nodes,
  };
}

function readingOf(pack: number, shape: PackShape): PackReading {
  const reading = new PackReading(pack, shape);
  for (const metric of [CellMetric.voltage_v, CellMetric.temperature_c]) {
    reading.columnQuality(metric).fill(Quality.good);
    const column = reading.column(metric);
    for (let cell = 0; cell < column.length; cell++)
      column[cell] = (metric === CellMetric.voltage_v ? 3.3 : 25) + (cell % 7) / 1000;
  }
  for (const [metric, value] of [
    [PackMetric.voltage_v, 33],
    [PackMetric.current_a, 10],
    [PackMetric.soc_pct, 55],
    [PackMetric.capacity_full_ah, 100],
  ]) {
    reading.values[metric] = value;
    reading.value_quality[metric] = Quality.good;
  }
  reading.device_alarm_level.fill(0);
  return reading;
}
