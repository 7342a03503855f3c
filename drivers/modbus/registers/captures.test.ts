/** Captures of real units, frame by frame: right check sums, and nothing but plausible values. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import { markImplausible, plausibleLimits } from '../../../core/reading/plausibility.ts';
import { markContradictions } from '../../../core/siblings/contradictions.ts';
import { RegisterImage } from '../register-image.ts';
import { crcFits } from '../rtu/crc.ts';
import { bindingFor, roundBench, shipped } from '../testing/registers.ts';

const CAPTURES = new URL('../../../../shared/conformance/modbus/', import.meta.url);
const present = existsSync(CAPTURES) || process.env.CI === 'true';

function framesIn(file: string): Uint8Array[] {
  return readFileSync(new URL(file, CAPTURES), 'utf8')
    .split('\n')
    .filter(line => /^0x/i.test(line))
    .map(line => Uint8Array.from(line.trim().split(/[\s,]+/), Number));
}

/** Replies without doubles that have this function and that many bytes of data; a line may hold several frames. */
function replies(file: string, code: number, length: number): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (const line of framesIn(file)) {
    for (let at = 0; at + length + 5 <= line.length; at++) {
      const fits = line[at + 1] === code && line[at + 2] === length && crcFits(line, at, length + 5);
      const frame = line.slice(at, at + length + 5);
      if (fits) found.set(Buffer.from(frame).toString('hex'), frame);
    }
  }
  return [...found.values()];
}

function segment(frame: Uint8Array, address: number) {
  const code = frame[1];
  const data = frame.subarray(3, -2);
  const registers =
    code <= 2
      ? Uint16Array.from({ length: 8 * data.length }, (_, i) => (data[i >> 3] >> (i & 7)) & 1)
      : Uint16Array.from({ length: data.length / 2 }, (_, i) => (data[2 * i] << 8) | data[2 * i + 1]);
  return { code, address, registers };
}

async function readingOf(id: string, cells: number, segments: ReturnType<typeof segment>[]) {
  const profile = shipped(id);
  const image = new RegisterImage(...segments);
  const bench = roundBench(bindingFor(profile, { cells, sensors: 4 }), pdu => image.answer(pdu));
  for (let i = 0; i < 20; i++) await bench.round();
  const reading = bench.snapshot();
  expect(markImplausible(reading, plausibleLimits(profile.plausible))).toBe(0);
  const contradictions = { found: 0, marked: 0 };
  markContradictions(reading, 0, contradictions);
  expect(contradictions.found).toBe(0);
  return reading;
}

test.runIf(present)(
  'Seplos V3: no alarms from a healthy pack; what was spoilt while being recorded is no reply',
  async () => {
    const file = 'seplos-v3/SP05B2312190075-all-frames.txt';
    const events = replies(file, 1, 0x12);
    expect(events.length).toBeGreaterThan(0);
    for (const frame of events) {
      const reading = await readingOf('seplos-v3', 16, [segment(frame, 0x1200)]);
      expect(reading.device_alarm_level.every(level => level === DeviceAlarmLevel.none)).toBe(true);
      expect(reading.values[PackMetric.charge_enabled]).toBe(1);
      expect(reading.values[PackMetric.discharge_enabled]).toBe(1);
    }
    // The recorder wrote some bytes as escapes, so the check sums of these blocks are wrong.
    for (const length of [0x22, 0x34]) expect(replies(file, 4, length)).toEqual([]);
  },
);

test.runIf(present).each([
  ['daly_bms_24cells.txt', 24, 124],
  ['daly_bms_blue_series_80_registers.txt', 16, 160],
])('Daly: %s, cells add up to the pack', async (file, cells, length) => {
  const frames = replies(`daly/${file}`, 3, length);
  expect(frames.length).toBeGreaterThan(0);
  for (const frame of frames) {
    const reading = await readingOf('daly-d2', cells, [segment(frame, 0)]);
    const sum = reading.column(CellMetric.voltage_v).reduce((total, value) => total + value, 0);
    expect(Math.abs(sum - reading.values[PackMetric.voltage_v])).toBeLessThan(0.1);
    expect(reading.device_alarm_level.every(level => level === DeviceAlarmLevel.none)).toBe(true);
  }
});
