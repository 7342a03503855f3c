/**
 * Virtual hardware on real wires: every bundled profile is served on TCP, as RTU over TCP, on a pseudo terminal,
 * or as an slcan adapter, and read back by the gateway's own drivers through sockets and serial ports.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { hardwareOf } from '../../daemon/cli/simulated-hardware.ts';
import type { SlcanConnection } from '../../drivers/can/connections.ts';
import { loadProfiles } from '../../drivers/profiles/load.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import { type ConnectionConfig, createDriver, makeWires } from '../../drivers/transports.ts';
import type { CanServeTarget } from '../../sim/can/simulated-can.ts';
import type { ModbusServeTarget } from '../../sim/modbus/simulated-modbus.ts';
import type { Bridge } from '../../sim/serve/bridge.ts';
import { createSimulation, type Simulation } from '../../sim/simulation.ts';
import { simulatedTransport } from '../../sim/transports.ts';

const PYTHON = '/usr/bin/python3';
const folder = mkdtempSync(join(tmpdir(), 'served-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;
const missing = [
  ...(has('socat', '-V') ? [] : ['socat']),
  ...(has(PYTHON, '-c', 'import pymodbus.client') ? [] : ['python3-pymodbus python3-serial-asyncio']),
];
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.warn(`served hardware is left out, missing Debian packages: ${missing.join(', ')}`);

const loaded = loadProfiles();
const profiles = [...loaded.profiles.values()];
/** Devices without an address stand alone on their bus. */
const packsOf = ({ address }: Profile) => (address && address.max > address.min ? 2 : 1);
const READ_TIMEOUT_MS = 60_000;

interface Bench {
  readonly simulation: Simulation;
  readonly bridge: Bridge;
  readonly hardware: ReturnType<typeof hardwareOf>;
  stop(): Promise<void>;
}

async function serve(profile: Profile, target: CanServeTarget | ModbusServeTarget): Promise<Bench> {
  const hardware = hardwareOf({ profile: profile.id, packs: String(packsOf(profile)) }, loaded);
  const wires = makeWires();
  const simulation = createSimulation({
    ...hardware,
    config: hardware.simulation,
    wires,
    clock: systemClock,
    log: silentLogger,
    interval_ms: 1000,
    own_periods: true,
  });
  const [{ connection, bindings }] = hardware.connections;
  const bridge = simulatedTransport(profile.transport).makeBridge(target, {
    connection_id: connection.id,
    bindings,
    wires: wires[profile.transport],
    clock: systemClock,
    onLost: reason => {
      throw new Error(reason);
    },
  });
  await simulation.start();
  await bridge.open();
  const stop = async () => {
    await bridge.close();
    await bridge.close();
    await simulation.stop();
  };
  return { simulation, bridge, hardware, stop };
}

/** Reads with the gateway's driver until every pack is whole; what was read must be what was measured. */
async function readBack(bench: Bench, connection: ConnectionConfig): Promise<void> {
  const [{ bindings }] = bench.hardware.connections;
  const context = { clock: systemClock, log: silentLogger, interval_ms: 500, onUpdate() {}, onLink() {} };
  const wires = makeWires();
  const driver = createDriver(connection, bindings, context, wires);
  const readings = bindings.map(({ pack, shape }) => new PackReading(pack, shape));
  const check = () =>
    driver.packs.forEach((state, i) => {
      state.snapshotInto(readings[i], systemClock.wallMs(), systemClock.monoMs());
    });
  try {
    await driver.start();
    const end_ms = systemClock.monoMs() + READ_TIMEOUT_MS;
    for (check(); !readings.every(isWhole) && systemClock.monoMs() < end_ms; check())
      await sleep(systemClock, 50);
    readings.forEach((reading, i) => {
      expect(isWhole(reading), `${JSON.stringify(driver.health())}`).toBe(true);
      expectClose(reading, bench.simulation.measured(bindings[i].pack));
    });
  } finally {
    await driver.stop();
  }
}

/** All cells; of a device that reports none its state of charge. */
function isWhole(reading: PackReading): boolean {
  const cells = reading.columnQuality(CellMetric.voltage_v);
  if (cells.length === 0) return reading.value_quality[PackMetric.soc_pct] === Quality.good;
  return cells.every(quality => quality === Quality.good);
}

/** A measurement later the noise is another, and the load may have moved. */
function expectClose(read: PackReading, measured: PackReading): void {
  const column = read.column(CellMetric.voltage_v);
  const truth = measured.column(CellMetric.voltage_v);
  for (let cell = 0; cell < column.length; cell++)
    expect(Math.abs(column[cell] - truth[cell]), `cell ${cell + 1}`).toBeLessThan(0.1);
  if (read.value_quality[PackMetric.soc_pct] !== Quality.good) return;
  expect(Math.abs(read.values[PackMetric.soc_pct] - measured.values[PackMetric.soc_pct])).toBeLessThan(2);
}

const modbus = profiles.filter(({ transport }) => transport === 'modbus');
const can = profiles.filter(({ transport }) => transport === 'can');
const timing = { timeout_ms: 1000 };

describe.runIf(canRun)('served hardware', () => {
  test('every tool is there', () => expect(missing).toEqual([]));

  test.concurrent.each(modbus)('$id over Modbus TCP', { timeout: 90_000 }, async profile => {
    const bench = await serve(profile, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    const port = Number(new URL(bench.bridge.place).port);
    await readBack(bench, { id: 'l', type: 'modbus-tcp', host: '127.0.0.1', port, ...timing });
    await bench.stop();
  });

  test.concurrent.each(modbus)('$id as RTU over TCP', { timeout: 90_000 }, async profile => {
    const bench = await serve(profile, { kind: 'rtu-tcp', host: '127.0.0.1', port: 0 });
    const port = Number(new URL(bench.bridge.place).port);
    await readBack(bench, { id: 'l', type: 'modbus-rtu-tcp', host: '127.0.0.1', port, ...timing });
    await bench.stop();
  });

  test.concurrent.each(modbus)('$id as RTU on a pseudo terminal', { timeout: 90_000 }, async profile => {
    const port = join(folder, `${profile.id}-rtu`);
    const bench = await serve(profile, { kind: 'pty', link: port });
    expect(bench.bridge.place).toBe(port);
    await readBack(bench, { id: 'l', type: 'modbus-rtu', port, baud_rate: 115_200, ...timing });
    await bench.stop();
  });

  test.concurrent.each(can)('$id behind an slcan adapter', { timeout: 90_000 }, async profile => {
    const port = join(folder, `${profile.id}-slcan`);
    const bench = await serve(profile, { kind: 'pty', link: port });
    const bitrate_bps = (profile.can?.bitrate ?? 500_000) as SlcanConnection['bitrate_bps'];
    await readBack(bench, { id: 'l', type: 'slcan', port, bitrate_bps });
    await bench.stop();
  });

  test('a foreign client finds what it should: values, exceptions, and silence', async () => {
    const profile = loaded.profiles.get('sunspec-battery');
    const bench = await serve(profile!, { kind: 'tcp', host: '127.0.0.1', port: 0 });
    const { port } = new URL(bench.bridge.place);
    const script = new URL('pymodbus_client.py', import.meta.url).pathname;
    // The server lives in this process: it must answer while the client runs.
    const { stdout } = await promisify(execFile)(PYTHON, [script, port], { timeout: 30_000 });
    const seen = JSON.parse(stdout) as ClientReport;
    expect(seen.models).toEqual(expect.arrayContaining([1, 802, 803, 804, 805]));
    const truth = bench.simulation.measured(0).column(CellMetric.voltage_v);
    expect(seen.cell_voltages_v).toHaveLength(truth.length);
    seen.cell_voltages_v.forEach((voltage_v, cell) => {
      expect(Math.abs(voltage_v - truth[cell]), `cell ${cell + 1}`).toBeLessThan(0.1);
    });
    expect(seen).toMatchObject({ no_such_unit: 11, no_such_register: 2, a_write: 1 });
    await bench.stop();
  });
});

interface ClientReport {
  readonly models: number[];
  readonly cell_voltages_v: number[];
  readonly no_such_unit: number;
  readonly no_such_register: number;
  readonly a_write: number;
}
