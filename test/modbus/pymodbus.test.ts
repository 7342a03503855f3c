/**
 * Interoperability: the driver reads a Modbus TCP server that is not ours (Debian's python3-pymodbus),
 * which serves the reference SunSpec image; every value must be the expected one.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { qualityLetters } from '../../core/reading/quality.ts';
import type { Driver } from '../../drivers/driver.ts';
import { createModbusDriver } from '../../drivers/modbus/modbus-driver.ts';
import { GOLDEN_FILE, goldenImage } from '../../drivers/modbus/testing/golden.ts';
import { bindingOf } from '../../drivers/modbus/testing/line.ts';
import { VirtualModbusHub } from '../../drivers/modbus/virtual-link.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('pymodbus_server.py', import.meta.url));
const UNIT = 7;

const hasServer = spawnSync(PYTHON, ['-c', 'import pymodbus.datastore']).status === 0;
const hasImage = existsSync(GOLDEN_FILE);
const missing = [
  ...(hasServer ? [] : ['Debian package python3-pymodbus']),
  ...(hasImage ? [] : ['the reference image in ../shared']),
];
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.log(`skipped: interoperability with pymodbus needs ${missing.join(' and ')}`);

let server: ChildProcess | undefined;
let driver: Driver | undefined;
afterEach(async () => {
  await driver?.stop();
  server?.kill();
});

async function startServer(): Promise<number> {
  server = spawn(PYTHON, [SCRIPT, fileURLToPath(GOLDEN_FILE), String(UNIT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: server.stdout! })) return Number(line);
  throw new Error(`${SCRIPT} ended before it printed its port`);
}

test.runIf(canRun)('the driver discovers and reads a unit served by pymodbus', async () => {
  const port = await startServer();
  const bindings = [
    bindingOf({ cells: 16, address: UNIT }),
    bindingOf({ pack: 1, cells: 16, address: UNIT, options: { string: 1 } }),
    bindingOf({ pack: 2, cells: 16, address: 8 }),
  ];
  driver = createModbusDriver(
    { id: 'tcp', type: 'modbus-tcp', host: '127.0.0.1', port, timeout_ms: 2000 },
    bindings,
    { clock: systemClock, log: silentLogger, interval_ms: 200, onUpdate: () => {}, onLink: () => {} },
    new VirtualModbusHub(),
  );
  await driver.start();
  const { counters } = driver.health();
  while ((driver.health().counters.rounds ?? 0) < (counters.rounds ?? 0) + 3) await sleep(systemClock, 20);
  while (driver.health().packs[2].state === 'starting') await sleep(systemClock, 20);

  const readings = driver.packs.map(state => {
    const reading = new PackReading(state.pack, state.shape);
    state.snapshotInto(reading, systemClock.wallMs(), systemClock.monoMs());
    return reading;
  });
  const { 802: bank, 803: lithium, 804: string, 805: module } = goldenImage().expected;
  expect(packValues(readings[0])).toEqual({
    voltage_v: bank.V,
    current_a: -Number(bank.A),
    temperature_c: lithium.ModTmpAvg,
    soc_pct: bank.SoC,
    soh_pct: bank.SoH,
    cell_voltage_min_v: bank.CellVMin,
    cell_voltage_max_v: bank.CellVMax,
    cell_temperature_min_c: lithium.ModTmpMin,
    cell_temperature_max_c: lithium.ModTmpMax,
    charge_voltage_limit_v: bank.VMax,
    charge_current_limit_a: bank.AChaMax,
    discharge_current_limit_a: bank.ADisChaMax,
    discharge_voltage_limit_v: bank.VMin,
    cycle_count: bank.NCyc,
    capacity_full_ah: bank.AHRtg,
  });
  expect(packValues(readings[1])).toEqual({
    voltage_v: string.V,
    current_a: -Number(string.A),
    temperature_c: string.ModTmpAvg,
    soc_pct: string.SoC,
    soh_pct: string.SoH,
    cell_voltage_min_v: string.CellVMin,
    cell_voltage_max_v: string.CellVMax,
    cell_temperature_min_c: string.ModTmpMin,
    cell_temperature_max_c: string.ModTmpMax,
    cycle_count: string.NCyc,
  });
  const cells = module['lithium-ion-module-cell'] as Record<string, number>[];
  for (const reading of readings.slice(0, 2)) {
    const column = (metric: number) => [...reading.column(metric)];
    expect(column(CellMetric.voltage_v)).toEqual(cells.map(cell => Math.fround(cell.CellV)));
    expect(column(CellMetric.temperature_c)).toEqual(cells.map(cell => Math.fround(cell.CellTmp)));
    expect(column(CellMetric.balancing)).toEqual(cells.map(cell => cell.CellSt & 1));
    expect(qualityLetters(reading.columnQuality(CellMetric.voltage_v))).toBe('g'.repeat(16));
  }
  const [first, second, absent] = driver.health().packs;
  expect(first).toMatchObject({ state: 'up', reason: undefined });
  expect(second).toMatchObject({ state: 'up', reason: undefined });
  expect(absent.state).toBe('down');
  expect(absent.reason).toMatch(/^unit 8 at 127\.0\.0\.1:\d+: /);
});

/** Every value the pack has, by name; what is missing is left out. */
function packValues(reading: PackReading): Record<string, number> {
  return Object.fromEntries(
    Object.entries(PackMetric)
      .map(([name, metric]) => [name, reading.values[metric]] as const)
      .filter(([, value]) => !Number.isNaN(value)),
  );
}
