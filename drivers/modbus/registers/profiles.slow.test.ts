/** Conformance of every shipped register profile: golden replies, encode and decode, whatever comes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CELL_METRICS, CellMetric, PACK_METRICS, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../../core/reading/pack-reading.ts';
import { markImplausible, plausibleLimits } from '../../../core/reading/plausibility.ts';
import { Quality } from '../../../core/reading/quality.ts';
import { markContradictions } from '../../../core/siblings/contradictions.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import type { PackBinding } from '../../driver.ts';
import { RegisterImage, type RegisterSegment } from '../register-image.ts';
import { bindingFor, registerProfiles, roundBench, shipped } from '../testing/registers.ts';
import { createUnitImage } from '../unit-image.ts';
import { rawLimits } from './field-values.ts';
import { fieldSpans, limitsFor } from './map-plan.ts';
import { registerMap, type ValueField } from './register-map.ts';

interface GoldenReply {
  readonly code: number;
  readonly address: number;
  readonly count: number;
  readonly data: string;
  readonly expect: {
    /** null: the device says that it has none, so it is missing. */
    readonly pack?: Readonly<Record<string, number | null>>;
    readonly cells?: Readonly<Record<string, readonly (number | null)[]>>;
    readonly sensors?: readonly (number | null)[];
    readonly alarms?: Readonly<Record<string, keyof typeof DeviceAlarmLevel>>;
    readonly no_alarm?: boolean;
  };
}

/** Replies of one unit, read with these options. */
interface GoldenUnit {
  readonly options?: PackBinding['options'];
  readonly replies: readonly GoldenReply[];
}

function segmentOf({ code, address, count, data }: GoldenReply, step: number): RegisterSegment {
  const bytes = Buffer.from(data, 'hex');
  const registers = Uint16Array.from({ length: count }, (_, i) =>
    code <= 2 ? (bytes[i >> 3] >> (i & 7)) & 1 : bytes.readUInt16BE(2 * i),
  );
  return { code, address, step, registers };
}

const golden = registerProfiles.flatMap(profile => {
  const file = join(profile.directory, `${profile.id}.golden.json`);
  if (!existsSync(file)) return [];
  const units = JSON.parse(readFileSync(file, 'utf8')) as GoldenUnit[];
  return units.map(({ options = {}, replies }, i) => ({ id: profile.id, i, options, replies }));
});

const rounded = (value: number, per_unit: number) =>
  Number.isNaN(value) ? null : Math.round(value * per_unit) / per_unit;

/** Undefined where the profile has no alarm of that code. */
const levelName = (level: number | undefined) =>
  Object.entries(DeviceAlarmLevel).find(([, known]) => known === level)?.[0];

test.each(golden)(
  '$id: golden replies of unit $i give the documented values',
  async ({ id, options, replies }) => {
    const cells = replies.flatMap(reply => reply.expect.cells?.voltage_v ?? []).length;
    const sensors = replies.flatMap(reply => reply.expect.sensors ?? []).length;
    const step = shipped(id).registers?.address_step ?? 1;
    const image = new RegisterImage(...replies.map(reply => segmentOf(reply, step)));
    const bench = roundBench(bindingFor(shipped(id), { cells, sensors, options }), pdu => image.answer(pdu));
    // A captured range may end within a planned read: rounds go by until the reader has found what there is.
    for (let i = 0; i < 20; i++) await bench.round();
    const reading = bench.snapshot();
    markContradictions(reading, 0, { found: 0, marked: 0 });
    for (const { expect: wanted } of replies) {
      for (const [name, value] of Object.entries(wanted.pack ?? {})) {
        const metric = PackMetric[name as keyof typeof PackMetric];
        const close = value === null ? Number.NaN : expect.closeTo(value, 9);
        expect([name, reading.values[metric]]).toEqual([name, close]);
        expect(reading.value_quality[metric]).toBe(value === null ? Quality.missing : Quality.good);
      }
      for (const [name, values] of Object.entries(wanted.cells ?? {})) {
        const column = reading.column(CellMetric[name as keyof typeof CellMetric]);
        expect([name, Array.from(column, value => rounded(value, 1e4))]).toEqual([name, values]);
      }
      if (wanted.sensors) expect(Array.from(reading.sensors, t => rounded(t, 10))).toEqual(wanted.sensors);
      for (const [code, level] of Object.entries(wanted.alarms ?? {})) {
        const found = reading.device_alarm_level[reading.shape.device_alarms.indexOf(code)];
        expect([code, levelName(found)]).toEqual([code, level]);
      }
      if (wanted.no_alarm)
        expect(reading.device_alarm_level.every(level => level === DeviceAlarmLevel.none)).toBe(true);
    }
  },
);

test.each(registerProfiles)('$id: each field is read whole, within blocks and limits', async profile => {
  const binding = bindingFor(profile, { cells: profile.cells.max, sensors: profile.sensors?.max });
  const map = registerMap(binding);
  const { image, write } = createUnitImage(binding);
  write(new PackReading(0, binding.shape));
  const bench = roundBench(binding, pdu => image.answer(pdu));
  expect(await bench.round()).toBe(true);
  expect(bench.complaints).toEqual([undefined]);
  for (const [i, spans] of fieldSpans(map).entries()) {
    const { code, first, step, length } = map.blocks[i];
    const reads = bench.requests
      .filter(request => request.code === code && request.address >= first)
      .map(request => ({ first: (request.address - first) / step, count: request.count }))
      // Of two blocks that overlap, each has its own.
      .filter(read => read.first + read.count <= length);
    for (const span of spans) {
      const holding = reads.filter(
        r => r.first <= span.first && r.first + r.count >= span.first + span.count,
      );
      expect(holding).toHaveLength(1);
    }
    for (const read of reads)
      expect(read.count).toBeLessThanOrEqual(limitsFor(map.section, map.blocks[i]).max_count);
  }
});

/** A number the field can show exactly as well as any other, between the metric's own bounds. */
function valueIn(field: ValueField, min: number, max: number, share: number): number {
  const [lowest, highest] = rawLimits(field);
  const scale = Math.abs(field.multiplier) / field.divisor;
  const top = highest - (field.bit < 0 ? 1 : 0);
  const bounds = [((field.direction ? -top : lowest) + field.add) * scale, (top + field.add) * scale];
  const from = Math.max(min, field.multiplier < 0 ? -bounds[1] : bounds[0]);
  const to = Math.min(max, field.multiplier < 0 ? -bounds[0] : bounds[1]);
  return from + share * (to - from);
}

const step = (field: ValueField) => Math.abs(field.multiplier) / field.divisor;

test.each(registerProfiles)('$id: what the image shows is what the reader reads', async profile => {
  const sensors = profile.sensors?.max;
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 200, maxLength: 200 });
  const gaps = fc.array(fc.boolean(), { minLength: 48, maxLength: 48 });
  const options = fc.record(
    Object.fromEntries(
      Object.entries(profile.options ?? {}).map(([name, { values }]) => [name, fc.constantFrom(...values)]),
    ),
  );
  await fc.assert(
    fc.asyncProperty(shares, gaps, options, fc.nat(), async (share, gap, chosen, alarm_seed) => {
      const binding = bindingFor(profile, { cells: profile.cells.max, sensors, options: chosen });
      const map = registerMap(binding);
      const { image, write } = createUnitImage(binding);
      const shown = new PackReading(0, binding.shape);
      let next = 0;
      for (const field of map.pack) {
        const { min, max } = PACK_METRICS[field.metric];
        shown.values[field.metric] = valueIn(field, min, max, share[next++]);
      }
      for (const { metric, dividend, divisor, scale } of map.derived)
        shown.values[metric] = (scale * shown.values[dividend.metric]) / shown.values[divisor.metric];
      for (const row of map.cells) {
        const { min, max } = CELL_METRICS[row.metric];
        row.fields.forEach((field, i) => {
          const hidden = gap[i] && field.absent.length > 0;
          shown.column(row.metric)[row.first + i] = hidden
            ? Number.NaN
            : valueIn(field, min, max, share[next++ % 200]);
        });
      }
      for (const row of map.sensors) {
        row.fields.forEach((field, i) => {
          shown.sensors[row.first + i] = valueIn(field, -40, 120, share[next++ % 200]);
        });
      }
      shown.device_alarm_level.forEach((_, alarm, levels) => {
        const known = map.alarms.filter(field => field.alarm === alarm).map(({ level }) => level);
        const choice =
          (alarm_seed >> (alarm % 24)) & 1 ? known[alarm_seed % Math.max(1, known.length)] : undefined;
        levels[alarm] = known.length === 0 ? DeviceAlarmLevel.unknown : (choice ?? DeviceAlarmLevel.none);
      });
      write(shown);
      const bench = roundBench(binding, pdu => image.answer(pdu));
      expect(await bench.round()).toBe(true);
      const read = bench.snapshot();
      for (const field of map.pack) {
        const difference = Math.abs(read.values[field.metric] - shown.values[field.metric]);
        expect([PACK_METRICS[field.metric].name, difference <= step(field) * 1.0001]).toEqual([
          PACK_METRICS[field.metric].name,
          true,
        ]);
      }
      for (const { metric, dividend, divisor, scale } of map.derived) {
        const [above, below] = [read.values[dividend.metric], read.values[divisor.metric]];
        const ratio = below === 0 ? Number.NaN : (scale * above) / below;
        expect(read.values[metric]).toEqual(Number.isNaN(ratio) ? Number.NaN : expect.closeTo(ratio, 6));
      }
      for (const row of map.cells)
        row.fields.forEach((field, i) => {
          const cell = row.first + i;
          const [is, was] = [read.column(row.metric)[cell], shown.column(row.metric)[cell]];
          if (Number.isNaN(was)) expect(is).toBeNaN();
          else expect(Math.abs(is - was)).toBeLessThanOrEqual(step(field) * 1.001 + 1e-6);
        });
      for (const row of map.sensors)
        row.fields.forEach((field, i) => {
          const difference = Math.abs(read.sensors[row.first + i] - shown.sensors[row.first + i]);
          expect(difference).toBeLessThanOrEqual(step(field) * 1.001 + 1e-4);
        });
      expect([...read.device_alarm_level]).toEqual([...shown.device_alarm_level]);
    }),
    { numRuns: runsOf(40) },
  );
});

test.each(registerProfiles)(
  '$id: random registers never throw and never give a non-finite good value',
  async profile => {
    const binding = bindingFor(profile, { cells: profile.cells.max, sensors: profile.sensors?.max });
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        fc.boolean(),
        async (noise, refuse) => {
          let at = 0;
          const bench = roundBench(binding, request => {
            if (refuse && noise[at++ % noise.length] > 200)
              return Uint8Array.of(request[0] | 0x80, 1 + (noise[0] % 12));
            const count = (request[3] << 8) | request[4];
            const length = request[0] <= 2 ? (count + 7) >> 3 : 2 * count;
            const data = Uint8Array.from({ length }, () => noise[at++ % noise.length]);
            return Uint8Array.of(request[0], length, ...data);
          });
          for (let i = 0; i < 3; i++) await bench.round();
          const noisy = bench.snapshot();
          const { values, value_quality, cells, cell_quality, sensors, sensor_quality } = noisy;
          const columns = [
            [values, value_quality],
            [cells, cell_quality],
            [sensors, sensor_quality],
          ] as const;
          for (const [numbers, quality] of columns)
            for (let i = 0; i < numbers.length; i++)
              expect(quality[i] === Quality.missing).toBe(!Number.isFinite(numbers[i]));
          markImplausible(noisy, plausibleLimits(profile.plausible));
          values.forEach((value, metric) => {
            const { min, max } = PACK_METRICS[metric];
            if (value_quality[metric] === Quality.good) expect(value >= min && value <= max).toBe(true);
          });
        },
      ),
      { numRuns: runsOf(60) },
    );
  },
);
