/**
 * The daemon on a real edge box: frames from `cansend` through the kernel's SocketCAN and the npm package
 * `socketcan` to SQLite, HTTP and WebSocket; interfaces that come, go down and come back.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PackDetail } from '../../core/contract/model.ts';
import { CellMetric, PackMetric, type PackMetricName } from '../../core/metrics.ts';
import { ReadingDecoder } from '../../core/reading/codec.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { Reader } from '../../daemon/store/read/reader.ts';
import { STORE_FILE } from '../../daemon/store/sqlite-store.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { CONNECTIONS, connection, type Observations, PACKS, type Task, TRUNCATED_SENT } from './scenario.ts';
import { missingParts, runInEdgeBox } from './uml.ts';

const GOLDEN = new URL('../../../shared/conformance/golden/can-frames.json', import.meta.url);
const BOX_TIMEOUT_MS = 400_000;
const RUN_LONGER_THAN_BOX_MS = BOX_TIMEOUT_MS + 20_000;

interface GoldenFrame {
  readonly id: number;
  readonly ext: boolean;
  readonly data: string;
  readonly db: string;
  readonly message: string;
  readonly values: Readonly<Record<string, number>>;
}

const missing = missingParts();
if (!existsSync(GOLDEN)) missing.push(`golden frames (${GOLDEN.pathname})`);
const canRun = missing.length === 0 || process.env.CI === 'true';
if (!canRun) console.warn(`edge box tests are left out, missing: ${missing.join(', ')}`);
const golden: GoldenFrame[] = existsSync(GOLDEN) ? JSON.parse(readFileSync(GOLDEN, 'utf8')) : [];
const framesOf = (db: string) => golden.filter(frame => frame.db === db);

/** As `cansend` takes it: 2F4#1301D71133006400, eight digits before the mark for an extended id. */
function cansend({ id, ext, data }: Pick<GoldenFrame, 'id' | 'ext' | 'data'>): string {
  return `${id
    .toString(16)
    .toUpperCase()
    .padStart(ext ? 8 : 3, '0')}#${data}`;
}

const CONFIG = `
site: { id: edge-box }
interval_ms: 500
connections:
  - { id: ${CONNECTIONS.jk}, type: socketcan, interface: vcan0, silence_ms: 3000 }
  - { id: ${CONNECTIONS.foxbms}, type: socketcan, interface: vcan1, silence_ms: 3000 }
batteries:
  - id: battery-1
    packs:
      - { id: ${PACKS.jk}, connection: ${CONNECTIONS.jk}, profile: jk-can-v2, address: 0, cells: 4, sensors: 3 }
      - { id: ${PACKS.foxbms}, connection: ${CONNECTIONS.foxbms}, profile: foxbms-2, cells: 12, sensors: 12 }
`;

/** Signal values of the golden frames of one device family, by signal name. */
function signals(db: string): Record<string, number> {
  return Object.assign({}, ...framesOf(db).map(frame => frame.values));
}

interface Expected {
  readonly pack: Partial<Record<PackMetricName, number>>;
  /** By cell index. */
  readonly cells: Readonly<Record<number, number>>;
  readonly sensors: Readonly<Record<number, number>>;
}

function expectedJk(): Expected {
  const signal = signals('jk-bms-can.dbc');
  return {
    pack: {
      voltage_v: signal.BattVolt,
      current_a: signal.BattCurr,
      soc_pct: signal.SOC,
      soh_pct: signal.SOH,
      cell_voltage_max_v: signal.MaxCellVolt / 1000,
      cell_voltage_min_v: signal.MinCellVolt / 1000,
      cell_temperature_max_c: signal.MaxTemp,
      cell_temperature_min_c: signal.MinTemp,
      temperature_c: signal.AvgTemp,
      capacity_remaining_ah: signal.CapRemain,
      capacity_full_ah: signal.FullChargeCap,
      cycle_count: signal.CycleCount,
      charge_enabled: signal.ChargeMos,
      discharge_enabled: signal.DischargeMos,
    },
    cells: Object.fromEntries([1, 2, 3, 4].map(no => [no - 1, signal[`Cell0${no}`] / 1000])),
    sensors: { 0: signal.Temp1, 1: signal.Temp2, 2: signal.Temp3 },
  };
}

function expectedFoxbms(): Expected {
  const signal = signals('foxbms.dbc');
  const three = (index: number) => String(index).padStart(3, '0');
  const column = (name: string, indices: readonly number[], scale: number) =>
    Object.fromEntries(indices.map(index => [index, signal[`${name}_${three(index)}`] * scale]));
  return {
    pack: {
      charge_voltage_limit_v: signal.MaximumBatteryVoltage,
      discharge_voltage_limit_v: signal.MinimumBatteryVoltage,
      charge_current_limit_a: signal.MaximumChargeCurrent,
    },
    cells: column('CellVoltage', [8, 9, 10, 11], 0.001),
    sensors: column('CellTemperature', [6, 7, 8, 9, 10, 11], 1),
  };
}

describe.skipIf(!canRun)('edge box', () => {
  let share: string;
  let seen: Observations = { packs: {}, live: {} };

  beforeAll(async () => {
    expect(missing).toEqual([]);
    share = mkdtempSync(join(tmpdir(), 'edge-box-'));
    const jk = framesOf('jk-bms-can.dbc');
    const firstJk = jk.find(frame => frame.message === 'BATT_ST1')!;
    const task: Task = {
      frames: { vcan0: jk.map(cansend), vcan1: framesOf('foxbms.dbc').map(cansend) },
      truncated: cansend({ ...firstJk, data: firstJk.data.slice(0, 4) }),
    };
    writeFileSync(join(share, 'task.json'), JSON.stringify(task));
    writeFileSync(join(share, 'config.yaml'), CONFIG);
    const program = [process.execPath, 'test/edge-box/scenario.ts'];
    const box = await runInEdgeBox({ program, share, timeout_ms: BOX_TIMEOUT_MS });
    const report = join(share, 'observations.json');
    if (existsSync(report)) seen = JSON.parse(readFileSync(report, 'utf8'));
    const log = existsSync(join(share, 'daemon.log')) ? readFileSync(join(share, 'daemon.log'), 'utf8') : '';
    if (box.exit_code !== 0 || seen.failure)
      throw new Error(
        `${seen.failure ?? 'the scenario did not end'}\n--- box\n${box.console}\n--- daemon\n${log}`,
      );
  }, RUN_LONGER_THAN_BOX_MS);
  afterAll(() => {
    if (share) rmSync(share, { recursive: true });
  });

  test('one bus receives the ids it asked for, whatever its interface went through', () => {
    expect(seen.bus?.frames).toEqual(Array(4).fill(['123#0102', '18FF0001#AABB']).flat());
    expect(seen.bus?.counters).toMatchObject({ reopenings: 2, remote_frames: 0 });
    const states = seen.bus?.states.map(state => state.split(':')[0]);
    const changes = states?.filter((state, index) => state !== states[index - 1]);
    expect(changes).toEqual(['down', 'up', 'down', 'up', 'down', 'up']);
  });

  test('an interface that does not exist yet is named in one line and stops nothing', () => {
    const foxbms = connection(seen.absent, 'foxbms');
    expect(foxbms?.state).toBe('down');
    expect(foxbms?.reason).toContain('vcan1');
    expect(foxbms?.reason).not.toContain('\n');
    expect(connection(seen.absent, 'jk')?.state).toBe('ok');
    expect(connection(seen.appeared, 'foxbms')).toMatchObject({ state: 'ok', reason: null });
  });

  test.each([
    ['jk', expectedJk],
    ['foxbms', expectedFoxbms],
  ] as const)('the frames of %s arrive in HTTP, WebSocket and SQLite', (name, expectedOf) => {
    const expected = expectedOf();
    expectDetail(seen.packs[PACKS[name]], expected);
    expectDetail(seen.live[PACKS[name]], expected);
    expectStored(join(share, 'state', STORE_FILE), PACKS[name], expected);
  });

  test('an interface set down is seen, and heals when it is set up again', () => {
    expect(connection(seen.down, 'jk')?.state).toBe('down');
    expect(connection(seen.down, 'jk')?.reason).toContain('vcan0');
    expect(connection(seen.up_again, 'jk')).toMatchObject({ state: 'ok', reason: null });
    expectDetail(seen.pack_after_up, expectedJk());
  });

  test('frames shorter than their message are counted', () => {
    expect(seen.truncated_after! - seen.truncated_before!).toBe(TRUNCATED_SENT);
  });

  test('a bus on which nobody speaks any more is said to be silent', () => {
    for (const of of ['jk', 'foxbms'] as const)
      expect(connection(seen.silent, of)).toMatchObject({
        state: 'down',
        reason: expect.stringContaining('no frame'),
      });
  });

  test('the daemon ends in order', () => {
    expect(seen.daemon_exit_code).toBe(0);
  });
});

function expectDetail(detail: PackDetail | undefined, expected: Expected): void {
  const found = {
    pack: Object.fromEntries(
      Object.keys(expected.pack).map(name => [name, detail?.values[name as PackMetricName].value]),
    ),
    cells: pick(detail?.cells.voltage_v.values, expected.cells),
    sensors: pick(detail?.sensors.values, expected.sensors),
  };
  expect(found).toEqual(close(expected));
}

/** The newest stored reading that holds all cells of the device. */
function expectStored(file: string, pack_id: string, expected: Expected): void {
  const reader = new Reader(file);
  const pack_key = reader.packIds().indexOf(pack_id) + 1;
  const { count, kind, pack_key: keys, bytes, end } = reader.readBatch(0, 1_000_000, 1 << 28);
  reader.close();
  const bodies = Array.from({ length: count }, (_, i) => i)
    .filter(i => kind[i] === LogKind.reading && keys[i] === pack_key)
    .map(i => bytes.subarray(i === 0 ? 0 : end[i - 1], end[i]));
  const decoder = new ReadingDecoder();
  const decoded = bodies.map(body => {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    return picked(decoder.decode(view, 0, body.byteLength), expected);
  });
  expect(decoded).toContainEqual(close(expected));
}

function picked(reading: PackReading | number, expected: Expected): unknown {
  if (typeof reading === 'number') return `fault ${reading}`;
  const names = Object.keys(expected.pack) as PackMetricName[];
  return {
    pack: Object.fromEntries(names.map(name => [name, reading.values[PackMetric[name]]])),
    cells: pick(reading.column(CellMetric.voltage_v), expected.cells),
    sensors: pick(reading.sensors, expected.sensors),
  };
}

function pick(values: ArrayLike<number | null> | undefined, at: Readonly<Record<number, number>>): unknown {
  return Object.fromEntries(Object.keys(at).map(index => [index, values?.[Number(index)]]));
}

/** The same shape, each number within what its column is stored with. */
function close({ pack, cells, sensors }: Expected): unknown {
  const near = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expect.closeTo(value, 3)]));
  return { pack: near(pack), cells: near(cells), sensors: near(sensors) };
}
