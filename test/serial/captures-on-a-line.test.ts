/** Recorded replies of real units, played on a serial line by another process: the documented values come out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { crcFits } from '../../drivers/modbus/rtu/crc.ts';
import { shipped } from '../../drivers/modbus/testing/registers.ts';
import { type Block, closeLine, packOf, play, serialRuns, snapshot, start, until } from './line.ts';

const SHARED = new URL('../../../shared/conformance/', import.meta.url);
const runs = serialRuns && (existsSync(SHARED) || process.env.CI === 'true');
afterEach(closeLine);

interface Recorded {
  readonly device: string;
  readonly response: string;
  readonly fc: number;
  readonly start: number;
  readonly count: number;
  readonly exception?: number;
  readonly expected?: Readonly<Record<string, unknown>>;
}

const recorded: Recorded[] = runs
  ? JSON.parse(readFileSync(new URL('golden/modbus-frames.json', SHARED), 'utf8'))
  : [];

/** What a recorded reply says about registers, or coils. */
function blockOf(frame: Uint8Array, address: number, count?: number): Block {
  const code = frame[1];
  const data = frame.subarray(3, -2);
  const words =
    code <= 2
      ? Array.from({ length: count ?? 8 * data.length }, (_, i) => (data[i >> 3] >> (i & 7)) & 1)
      : Array.from({ length: data.length / 2 }, (_, i) => (data[2 * i] << 8) | data[2 * i + 1]);
  return { code, address, words };
}

const recordedBlock = ({ response, start, count }: Recorded) =>
  blockOf(Buffer.from(response, 'hex'), start, count);

/** What a pack of this profile reads when its unit answers with these blocks. */
async function readingOf(
  id: string,
  units: [asked: number, answers: number],
  blocks: Block[],
  cells: number,
) {
  const [asked, reply_id] = units;
  const port = await play({ units: [{ id: asked, reply_id, blocks }] });
  const profile = shipped(id);
  const pack = packOf(profile, 0, asked, cells, Math.min(4, profile.sensors?.max ?? 0));
  const line = start(port, [pack], { timeout_ms: 1000 }, 10);
  await line.start();
  // Ranges that were not recorded are refused, and found out by and by.
  await until(() => line.health().counters.rounds >= 5);
  const reading = snapshot(line, 0);
  const { bad_replies, timeouts } = line.health().counters;
  expect({ bad_replies, timeouts }).toEqual({ bad_replies: 0, timeouts: 0 });
  await closeLine();
  return reading;
}

const PACK_KEYS: Readonly<Record<string, readonly [keyof typeof PackMetric, number]>> = {
  pack_voltage_V: ['voltage_v', 1],
  current_A: ['current_a', 1],
  current_raw_A: ['current_a', 1],
  remaining_Ah: ['capacity_remaining_ah', 1],
  capacity_Ah: ['capacity_full_ah', 1],
  soc_pct: ['soc_pct', 1],
  soh_pct: ['soh_pct', 1],
  cycles: ['cycle_count', 1],
  cell_max_mV: ['cell_voltage_max_v', 1000],
  cell_min_mV: ['cell_voltage_min_v', 1000],
  temp_max_C: ['cell_temperature_max_c', 1],
  temp_min_C: ['cell_temperature_min_c', 1],
  cell_temp_max_C: ['cell_temperature_max_c', 1],
  cell_temp_min_C: ['cell_temperature_min_c', 1],
  max_charge_A: ['charge_current_limit_a', 1],
  max_discharge_A: ['discharge_current_limit_a', 1],
  charge_mos: ['charge_enabled', 1],
  discharge_mos: ['discharge_enabled', 1],
};

/** How many documented values were compared. */
function compare(reading: PackReading, expected: Readonly<Record<string, unknown>>): number {
  let compared = 0;
  for (const [key, value] of Object.entries(expected)) {
    const [name, divisor] = PACK_KEYS[key] ?? [];
    if (name === undefined || divisor === undefined) continue;
    expect([key, reading.values[PackMetric[name]]]).toEqual([
      key,
      expect.closeTo(Number(value) / divisor, 6),
    ]);
    expect(reading.value_quality[PackMetric[name]]).toBe(Quality.good);
    compared++;
  }
  const cells = expected.cells_mV as number[] | undefined;
  const voltages = [...reading.column(CellMetric.voltage_v)].map(v => Math.round(v * 1000));
  if (cells) expect(voltages.slice(0, cells.length)).toEqual(cells);
  const temperatures = (expected.temps_C ?? expected.cell_temps_C) as number[] | undefined;
  if (temperatures) expect([...reading.sensors].map(t => Math.round(t * 10) / 10)).toEqual(temperatures);
  return compared + (cells?.length ?? 0) + (temperatures?.length ?? 0);
}

const DEVICES = [
  { device: /^Seplos V3 \(vendor paper/, id: 'seplos-v3', units: [0, 0], cells: 16 },
  { device: /^Daly 81\/51/, id: 'daly-81-51', units: [0x81, 0x51], cells: 16 },
] as const;

test.runIf(runs).each(DEVICES)('$id: all recorded replies of one unit together', async of => {
  const frames = recorded.filter(({ device, exception }) => of.device.test(device) && !exception);
  const blocks = frames.map(recordedBlock);
  const reading = await readingOf(of.id, [...of.units], blocks, of.cells);
  let compared = 0;
  for (const { expected = {} } of frames) compared += compare(reading, expected);
  expect(compared).toBeGreaterThan(20);
});

const D2 = recorded.filter(({ device }) => device.startsWith('Daly D2'));

test.runIf(runs)('daly-d2: each recorded reply', { timeout: 60_000 }, async () => {
  expect(D2.length).toBeGreaterThan(0);
  for (const frame of D2) {
    const cells = (frame.expected?.cells_mV as number[] | undefined)?.length ?? 0;
    const reading = await readingOf('daly-d2', [0xd2, 0xd2], [recordedBlock(frame)], cells);
    expect(compare(reading, frame.expected ?? {})).toBeGreaterThan(30);
  }
});

test.runIf(runs)('seplos-v3-system: the sum of linked packs, 32-bit numbers low word first', async () => {
  const frames = recorded.filter(({ device, exception, fc, start: at }) => {
    const wanted = (fc === 4 && at === 0x2000) || (fc === 1 && at === 0x2200);
    return device.includes('SG16S200A') && !exception && wanted;
  });
  expect(frames).toHaveLength(2);
  const reading = await readingOf('seplos-v3-system', [0, 0], frames.map(recordedBlock), 0);
  expect(reading.values[PackMetric.voltage_v]).toBe(53.25);
  expect(reading.values[PackMetric.current_a]).toBeCloseTo(-1.3, 9);
  expect(reading.values[PackMetric.soh_pct]).toBe(99.9);
});

/** Frames with a right check sum in a text of bytes, without doubles; files differ in how they write bytes. */
function framesIn(file: URL, code: number, length: number): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('#')) continue;
    const bytes = Uint8Array.from(line.match(/\b(?:0x)?[0-9a-f]{2}\b/gi) ?? [], text =>
      Number.parseInt(text.replace(/^0x/i, ''), 16),
    );
    for (let at = 0; at + length + 5 <= bytes.length; at++) {
      const fits = bytes[at + 1] === code && bytes[at + 2] === length && crcFits(bytes, at, length + 5);
      const frame = bytes.slice(at, at + length + 5);
      if (fits) found.set(Buffer.from(frame).toString('hex'), frame);
    }
  }
  return [...found.values()];
}

const filesOf = (folder: string) =>
  runs
    ? readdirSync(new URL(`modbus/${folder}/`, SHARED)).map(
        name => new URL(`modbus/${folder}/${name}`, SHARED),
      )
    : [];

test.runIf(runs)('every recorded Daly file: cells add up to the pack', { timeout: 60_000 }, async () => {
  let played = 0;
  for (const file of filesOf('daly'))
    for (const length of [0x7c, 0xa0]) {
      const [first, ...others] = framesIn(file, 3, length);
      for (const frame of [first, others.at(-1)]) {
        if (frame?.[0] !== 0xd2) continue;
        const block = blockOf(frame, 0);
        const cells = block.words[0x31];
        const reading = await readingOf('daly-d2', [0xd2, 0xd2], [block], cells);
        const sum = reading.column(CellMetric.voltage_v).reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - reading.values[PackMetric.voltage_v])).toBeLessThan(0.1);
        played++;
      }
    }
  expect(played).toBeGreaterThan(2);
});

test.runIf(runs)(
  'every recorded Seplos file: blocks that are whole give plausible packs',
  { timeout: 60_000 },
  async () => {
    const BLOCKS = [
      { code: 4, length: 0x24, address: 0x1000 },
      { code: 4, length: 0x34, address: 0x1100 },
      { code: 1, length: 0x12, address: 0x1200 },
    ];
    let played = 0;
    for (const file of filesOf('seplos-v3')) {
      const blocks = BLOCKS.flatMap(({ code, length, address }) =>
        framesIn(file, code, length)
          .slice(0, 1)
          .map(frame => blockOf(frame, address)),
      );
      if (blocks.length === 0) continue;
      const reading = await readingOf('seplos-v3', [0, 0], blocks, 16);
      const good = reading.value_quality.filter(quality => quality === Quality.good).length;
      expect(good).toBeGreaterThan(1);
      played++;
    }
    expect(played).toBeGreaterThan(0);
  },
);
