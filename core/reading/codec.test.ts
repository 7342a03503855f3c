/** The stored bytes of a reading: nothing lost, nothing invented, small, and never a throw on damage. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CELL_METRICS, CellMetric, PACK_METRICS, PackMetric, roundTo, SENSOR_METRIC } from '../metrics.ts';
import { runsOf } from '../testing/property-runs.ts';
import { cellPart, decodeInto, encodeInto, maxEncodedBytes, Part, ReadingDecoder } from './codec.ts';
import { PackReading, type PackShape } from './pack-reading.ts';
import { Quality } from './quality.ts';
import { AGE_STEP_MS, CELL_FORMS, DecodeFault, MAX_VALUES, Mask, VALUE_PER_UNIT } from './reading-format.ts';

/** A value with its quality; NaN exactly where missing, beyond the metric's range only where suspect. */
function qualified(min: number, max: number) {
  const inside = fc.double({ min, max, noNaN: true });
  return fc.oneof(
    { weight: 6, arbitrary: inside.map(value => ({ value, quality: Quality.good as number })) },
    { weight: 1, arbitrary: inside.map(value => ({ value, quality: Quality.stale as number })) },
    { weight: 1, arbitrary: fc.constant({ value: Number.NaN, quality: Quality.missing as number }) },
    {
      weight: 1,
      arbitrary: fc
        .double({ min: -3.4e38, max: 3.4e38, noNaN: true })
        .map(value => ({ value, quality: Quality.suspect as number })),
    },
  );
}

const shapes: fc.Arbitrary<PackShape> = fc.record({
  cell_count: fc.integer({ min: 1, max: 40 }),
  sensor_count: fc.integer({ min: 0, max: 9 }),
  device_alarms: fc
    .integer({ min: 0, max: 9 })
    .map(count => Array.from({ length: count }, (_, i) => `a${i}`)),
});

const readings: fc.Arbitrary<PackReading> = shapes.chain(shape =>
  fc
    .tuple(
      fc.tuple(...PACK_METRICS.map(metric => qualified(metric.min, metric.max))),
      fc.tuple(
        ...CELL_METRICS.map(metric =>
          fc.oneof(
            fc.constant([]),
            fc.array(qualified(metric.min, metric.max), {
              minLength: shape.cell_count,
              maxLength: shape.cell_count,
            }),
          ),
        ),
      ),
      fc.array(qualified(SENSOR_METRIC.min, SENSOR_METRIC.max), {
        minLength: shape.sensor_count,
        maxLength: shape.sensor_count,
      }),
      fc.array(fc.constantFrom(0, 1, 2, 255), {
        minLength: shape.device_alarms.length,
        maxLength: shape.device_alarms.length,
      }),
      fc.option(fc.tuple(fc.integer({ min: -2000, max: 10_000_000 }), fc.nat(10_000_000))),
      fc.boolean(),
    )
    .map(([values, columns, sensors, alarms, ages, is_repeated]) => {
      const reading = new PackReading(0, shape);
      if (ages) {
        reading.newest_age_ms = ages[0];
        reading.oldest_age_ms = ages[0] + ages[1];
      }
      reading.is_repeated = is_repeated;
      values.forEach(({ value, quality }, m) => {
        reading.values[m] = value;
        reading.value_quality[m] = quality;
      });
      columns.forEach((column, m) => {
        column.forEach(({ value, quality }, cell) => {
          reading.column(m)[cell] = value;
          reading.columnQuality(m)[cell] = quality;
        });
      });
      sensors.forEach(({ value, quality }, s) => {
        reading.sensors[s] = value;
        reading.sensor_quality[s] = quality;
      });
      reading.device_alarm_level.set(alarms);
      return reading;
    }),
);

function encode(reading: PackReading): DataView {
  const view = new DataView(new ArrayBuffer(maxEncodedBytes(reading.shape)));
  return new DataView(view.buffer, 0, encodeInto(reading, view, 0));
}

/** Equal at the resolution that storage keeps (float32 beyond it). */
function expectKept(metric: (typeof PACK_METRICS | typeof CELL_METRICS)[number], was: number, is: number) {
  if (Number.isNaN(was)) return expect(is).toBeNaN();
  const tolerance = metric.resolution / 2 + Math.abs(was) * 1e-6;
  expect(Math.abs(is - was)).toBeLessThanOrEqual(tolerance);
}

function expectAge(was: number, is: number) {
  if (Number.isNaN(was)) return expect(is).toBeNaN();
  expect(Math.abs(is - was)).toBeLessThanOrEqual(AGE_STEP_MS);
}

test('what is encoded comes back: qualities exactly, values at their resolution, suspect ones too', () => {
  fc.assert(
    fc.property(readings, reading => {
      const view = encode(reading);
      const back = new PackReading(0, reading.shape);
      back.cells.fill(77);
      back.cell_quality.fill(3);
      expect(decodeInto(view, 0, view.byteLength, back)).toBe(view.byteLength);
      expectAge(reading.newest_age_ms, back.newest_age_ms);
      expectAge(reading.oldest_age_ms, back.oldest_age_ms);
      expect(back.is_repeated).toBe(reading.is_repeated);
      expect(back.value_quality).toEqual(reading.value_quality);
      expect(back.cell_quality).toEqual(reading.cell_quality);
      expect(back.sensor_quality).toEqual(reading.sensor_quality);
      expect(back.device_alarm_level).toEqual(reading.device_alarm_level);
      PACK_METRICS.forEach((metric, m) => {
        expectKept(metric, reading.values[m], back.values[m]);
      });
      CELL_METRICS.forEach((metric, m) => {
        reading.column(m).forEach((value, cell) => {
          expectKept(metric, value, back.column(m)[cell]);
        });
      });
      reading.sensors.forEach((value, s) => {
        expectKept(CELL_METRICS[CellMetric.temperature_c], value, back.sensors[s]);
      });
    }),
  );
});

test('decoding twice encodes to the same bytes', () => {
  const decoder = new ReadingDecoder();
  fc.assert(
    fc.property(readings, reading => {
      const view = encode(reading);
      const back = decoder.decode(view, 0, view.byteLength);
      if (typeof back === 'number') throw new Error(`fault ${back}`);
      const again = encode(back);
      expect(new Uint8Array(again.buffer, 0, again.byteLength)).toEqual(
        new Uint8Array(view.buffer, 0, view.byteLength),
      );
    }),
  );
});

test('some parts alone decode to the same as all parts', () => {
  fc.assert(
    fc.property(readings, fc.nat(cellPart(CELL_METRICS.length) - 1), (reading, parts) => {
      const view = encode(reading);
      const whole = new PackReading(0, reading.shape);
      const some = new PackReading(0, reading.shape);
      decodeInto(view, 0, view.byteLength, whole);
      expect(decodeInto(view, 0, view.byteLength, some, parts)).toBeGreaterThan(0);
      if (parts & Part.values) expect(some.values).toEqual(whole.values);
      if (parts & Part.sensors) expect(some.sensors).toEqual(whole.sensors);
      if (parts & Part.alarms) expect(some.device_alarm_level).toEqual(whole.device_alarm_level);
      CELL_METRICS.forEach((_, m) => {
        if (parts & cellPart(m)) expect(some.column(m)).toEqual(whole.column(m));
        else expect(some.column(m).every(Number.isNaN)).toBe(true);
      });
    }),
  );
});

test('damaged bytes give a fault or a reading, never a throw, and never read beyond their length', () => {
  const decoder = new ReadingDecoder();
  fc.assert(
    fc.property(readings, fc.nat(), fc.nat(255), fc.nat(), (reading, where, byte, cut) => {
      const view = encode(reading);
      view.setUint8(where % view.byteLength, byte);
      decoder.decode(view, 0, cut % (view.byteLength + 1));
      decoder.decode(view, 0, view.byteLength);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const result = decoder.decode(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
      if (typeof result === 'number') expect(result).toBeLessThan(0);
    }),
  );
});

test('every shorter prefix is recognized as truncated', () => {
  fc.assert(
    fc.property(readings, reading => {
      const view = encode(reading);
      const back = new PackReading(0, reading.shape);
      for (let length = 0; length < view.byteLength; length++)
        expect(decodeInto(view, 0, length, back)).toBe(DecodeFault.truncated);
    }),
    { numRuns: runsOf(30) },
  );
});

test('an unknown version and a wrong shape are reported', () => {
  const reading = new PackReading(0, { cell_count: 3, sensor_count: 1, device_alarms: [] });
  const view = encode(reading);
  const other = new PackReading(0, { cell_count: 4, sensor_count: 1, device_alarms: [] });
  expect(decodeInto(view, 0, view.byteLength, other)).toBe(DecodeFault.shape);
  view.setUint8(0, 99);
  expect(decodeInto(view, 0, view.byteLength, reading)).toBe(DecodeFault.version);
});

test('a usual pack of ten cells takes well under 110 bytes', () => {
  const device_alarms = Array.from({ length: 12 }, (_, i) => `alarm_${i}`);
  const reading = new PackReading(0, { cell_count: 10, sensor_count: 4, device_alarms });
  const values = { voltage_v: 32.87, current_a: -41.5, soc_pct: 63.4, soh_pct: 98.2, temperature_c: 24.1 };
  for (const [name, value] of Object.entries(values)) {
    reading.values[PackMetric[name as keyof typeof PackMetric]] = value;
    reading.value_quality[PackMetric[name as keyof typeof PackMetric]] = Quality.good;
  }
  for (const metric of [CellMetric.voltage_v, CellMetric.temperature_c]) {
    reading.column(metric).fill(metric === CellMetric.voltage_v ? 3.287 : 24.1);
    reading.columnQuality(metric).fill(Quality.good);
  }
  reading.sensors.fill(23.9);
  reading.sensor_quality.fill(Quality.good);
  reading.device_alarm_level.fill(0);
  expect(encode(reading).byteLength).toBeLessThan(80);
});

test('a mask of any quantities comes back, in its shortest form, and nothing else is taken for one', () => {
  const view = new DataView(new ArrayBuffer(32));
  const [written, read] = [new Mask(), new Mask()];
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(MAX_VALUES - 1)), fc.nat(MAX_VALUES), (bits, limit) => {
      written.clear();
      for (const bit of bits) written.set(bit);
      const end = written.write(view, 0);
      expect(read.read(view, 0, end)).toBe(end);
      for (let bit = 0; bit < MAX_VALUES; bit++) expect(read.has(bit)).toBe(bits.includes(bit));
      expect(read.count).toBe(bits.length);
      expect(read.isWithin(limit)).toBe(bits.every(bit => bit < limit));
      expect(end).toBe(Math.floor(Math.max(0, ...bits) / 7) + 1);
      expect(read.read(view, 0, end - 1)).toBe(DecodeFault.truncated);
    }),
  );
  view.setUint16(0, 0x8000);
  expect(read.read(view, 0, 2)).toBe(DecodeFault.malformed);
});

test('the forms follow the metric table: same steps, every plausible value fits its integer', () => {
  const highest = { u16: 0xffff, i16: 0x7fff, pair: 3 };
  expect(CELL_FORMS.length).toBe(CELL_METRICS.length);
  expect(VALUE_PER_UNIT.length).toBe(PACK_METRICS.length);
  CELL_METRICS.forEach((metric, m) => {
    expect(CELL_FORMS[m].per_unit).toBe(Math.round(1 / metric.resolution));
    expect(metric.max * CELL_FORMS[m].per_unit).toBeLessThanOrEqual(highest[CELL_FORMS[m].form]);
  });
  PACK_METRICS.forEach((metric, m) => {
    expect(VALUE_PER_UNIT[m]).toBe(Math.round(1 / metric.resolution));
    expect(metric.max * VALUE_PER_UNIT[m]).toBeLessThan(2 ** 30);
  });
  expect(roundTo(CELL_METRICS[CellMetric.voltage_v], 3.28704)).toBe(3.287);
});
