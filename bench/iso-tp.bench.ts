/**
 * Ten packs of 96 cells that answer over ISO-TP, each under ids of its own on one virtual bus: how long until every cell
 * was read, how much of the bus that takes, and what a round costs. The bus runs in its own time, so that the load is that
 * of 500 kbit/s whatever this machine does.
 */
import { ManualClock } from '../core/clock/manual-clock.ts';
import { silentLogger } from '../core/log.ts';
import { CellMetric, PackMetric } from '../core/metrics.ts';
import { PackReading } from '../core/reading/pack-reading.ts';
import { Quality } from '../core/reading/quality.ts';
import { createCanDriver } from '../drivers/can/can-driver.ts';
import { bindingOf, shippedProfile, snapshot } from '../drivers/can/testing/bench.ts';
import { VirtualCanHub } from '../drivers/can/virtual-bus.ts';
import type { PackBinding } from '../drivers/driver.ts';
import { simulatedCan } from '../sim/can/simulated-can.ts';

const PACKS = 10;
const CELLS = 96;
const GOAL_S = 20;
const GOAL_LOAD = 0.1;
const BITRATE = 500_000;
/** A frame of 11-bit id and 8 bytes with its gap, stuff bits at their worst (ISO 11898-1, section 10.5). */
const FRAME_BITS = 135;
/** Before that nobody else may have asked. */
const QUIET_S = 10;
const STEP_MS = 5;
const MEASURED_S = 120;

export async function benchIsoTp(): Promise<string[]> {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const profile = shippedProfile('hyundai-kia-64kwh');
  const bindings = Array.from({ length: PACKS }, (_, pack): PackBinding => {
    const iso_tp = { ...profile.can?.iso_tp, request_id: 0x700 + 2 * pack, reply_id: 0x701 + 2 * pack };
    const can = { ...profile.can, iso_tp } as NonNullable<typeof profile.can>;
    return bindingOf({ ...profile, can }, { pack, cells: CELLS, sensors: 4 });
  });
  let frames = 0;
  hub.bus('bus').attach(() => void frames++);
  for (const binding of bindings)
    simulatedCan.attachDevice('bus', binding, { reading: truthOf(binding), isDead: () => false }, hub, clock);
  const driver = createCanDriver(
    { id: 'bus', type: 'virtual-can' },
    bindings,
    { clock, log: silentLogger, interval_ms: 2000, onUpdate() {}, onLink() {} },
    hub,
  );
  await driver.start();
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += STEP_MS) clock.advance(STEP_MS);
  };
  run(1000 * QUIET_S);
  let swept_ms = 0;
  while (!driver.packs.every(isWhole) && swept_ms < 1000 * MEASURED_S) {
    run(100);
    swept_ms += 100;
  }
  const before = { frames, cpu: process.cpuUsage(), replies: driver.health().counters.iso_tp_replies };
  run(1000 * MEASURED_S);
  const { user, system } = process.cpuUsage(before.cpu);
  const load = ((frames - before.frames) * FRAME_BITS) / (BITRATE * MEASURED_S);
  const replies = driver.health().counters.iso_tp_replies - before.replies;
  await driver.stop();
  return [
    `${PACKS} packs of ${CELLS} cells swept in ${(swept_ms / 1000).toFixed(1)} s (goal ${GOAL_S})`,
    `bus load ${(100 * load).toFixed(1)} % of 500 kbit/s (goal ${100 * GOAL_LOAD})`,
    `a reply costs ${((user + system) / replies).toFixed(0)} µs, simulated device and bus with it`,
  ];

  function isWhole(state: (typeof driver.packs)[number]): boolean {
    const quality = snapshot(state, clock.monoMs()).columnQuality(CellMetric.voltage_v);
    return quality.every(one => one === Quality.good);
  }
}

function truthOf({ pack, shape }: PackBinding): PackReading {
  const truth = new PackReading(pack, shape);
  truth.values[PackMetric.voltage_v] = CELLS * 3.6;
  truth.values[PackMetric.soh_pct] = 98;
  truth.values[PackMetric.cell_voltage_max_v] = 3.6;
  truth.column(CellMetric.voltage_v).fill(3.6);
  truth.sensors.fill(20);
  return truth;
}
