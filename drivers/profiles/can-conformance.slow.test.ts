/**
 * What every CAN profile must do, run over all there are and the blueprint: fit its DBC, give the right values for golden
 * frames, encode what it decodes, and take any bytes whatever.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import {
  CELL_METRICS,
  CellMetric,
  type Metric,
  PACK_METRICS,
  PackMetric,
  SENSOR_METRIC,
} from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { markImplausible, plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import { markContradictions } from '../../core/siblings/contradictions.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import { canKey } from '../can/can-bus.ts';
import { createCanEncoder } from '../can/can-encoder.ts';
import { canProfileOf } from '../can/can-profile.ts';
import { checkCanProfile } from '../can/check-profile.ts';
import { EcuReader } from '../can/iso-tp/ecu-reader.ts';
import { PackDecoder } from '../can/pack-decoder.ts';
import { type SignalTarget, TargetKind } from '../can/pack-mapping.ts';
import { type BindingChoice, bindingOf, snapshot } from '../can/testing/bench.ts';
import type { PackBinding } from '../driver.ts';
import { everyProfile } from './every-profile.ts';
import type { Profile } from './profile.ts';

interface GoldenFrame {
  id: number;
  extended: boolean;
  /** Of one frame, or of all that make up a reply over ISO-TP. */
  data?: string;
  frames?: string[];
  source: string;
  options?: Record<string, string | number | boolean>;
  address?: number;
  /** Of the pack it was captured from; default: as many as there can be. */
  cells?: number;
  /** null: missing. */
  expect: {
    pack?: Record<string, number | null>;
    cells?: Record<string, Record<string, number | null>>;
    sensors?: (number | null)[];
    alarms?: Record<string, keyof typeof DeviceAlarmLevel>;
  };
}

const profiles = everyProfile.filter(profile => profile.can);

test('there are CAN profiles to try', () => {
  expect(profiles.length).toBeGreaterThan(2);
});

function modestBinding(profile: Profile, choice: BindingChoice = {}): PackBinding {
  return bindingOf(profile, { cells: Math.min(24, profile.cells.max), ...choice });
}

function send(decoder: PackDecoder, id: number, extended: boolean, data: Uint8Array, length = data.length) {
  const mapped = decoder.mapping.messages.find(
    message => canKey(message.id & message.mask, message.extended) === canKey(id & message.mask, extended),
  );
  if (!mapped) throw new Error(`no message with id ${id.toString(16)}`);
  return decoder.decode(mapped, { id, extended, data, length, fd: length > 8, rx_mono_ms: 0 });
}

/** Frames of a reply, through what reassembles them in the driver. */
function receive(decoder: PackDecoder, id: number, extended: boolean, frames: readonly string[]): void {
  const { iso_tp, messages } = decoder.mapping;
  const link = iso_tp.find(({ reply_id }) => reply_id === id);
  if (!link) throw new Error(`the profile reads no replies of id ${id.toString(16)}`);
  const bus = { name: 'none', counters: {}, open: async () => {}, close: async () => {}, restart() {} };
  let replies = 0;
  const reader = new EcuReader(bus, new ManualClock(), link, (read, data, length) => {
    const mapped = messages.find(({ message }) => message.name === read.message);
    if (!mapped) throw new Error(`no message ${read.message}`);
    decoder.decode(mapped, { id, extended, data, length, fd: false, rx_mono_ms: 0 });
    replies++;
  });
  for (const hex of frames) {
    const data = Buffer.from(hex, 'hex');
    reader.take({ id, extended, data, length: data.length, fd: false, rx_mono_ms: 0 });
  }
  expect([frames[0], replies]).toEqual([frames[0], 1]);
}

test.each(profiles)('$id: everything it names is in its DBC', profile => {
  expect(checkCanProfile(profile)).toEqual([]);
  expect(canProfileOf(profile).dbc.warnings).toEqual([]);
});

test.each(profiles)('$id: golden frames give the right values in SI units', profile => {
  const golden = JSON.parse(
    readFileSync(join(profile.directory, `${profile.id}.golden.json`), 'utf8'),
  ) as GoldenFrame[];
  expect(golden.length).toBeGreaterThan(0);
  for (const { id, extended, options, address, cells, expect: wanted, ...bytes } of golden) {
    const { data = '', frames } = bytes;
    const choice = {
      cells: cells ?? Math.min(profile.cells.max, 128),
      ...(options && { options }),
      ...(address !== undefined && { address }),
    };
    const decoder = new PackDecoder(bindingOf(profile, choice));
    if (frames) receive(decoder, id, extended, frames);
    else send(decoder, id, extended, Buffer.from(data, 'hex'));
    const reading = snapshot(decoder.state, 0);
    markContradictions(reading, 0, { found: 0, marked: 0 });
    for (const [name, value] of Object.entries(wanted.pack ?? {})) {
      const metric = PackMetric[name as keyof typeof PackMetric];
      expectValue(`${data} ${name}`, reading.values[metric], reading.value_quality[metric], value);
    }
    for (const [name, cells] of Object.entries(wanted.cells ?? {}))
      for (const [cell_no, value] of Object.entries(cells)) {
        const column = CellMetric[name as keyof typeof CellMetric];
        const cell = Number(cell_no) - 1;
        const quality = reading.columnQuality(column)[cell];
        expectValue(`${data} ${name} ${cell_no}`, reading.column(column)[cell], quality, value);
      }
    (wanted.sensors ?? []).forEach((value, sensor) => {
      const at = `${data} sensor ${sensor + 1}`;
      expectValue(at, reading.sensors[sensor], reading.sensor_quality[sensor], value);
    });
    for (const [code, level] of Object.entries(wanted.alarms ?? {})) {
      const found = reading.device_alarm_level[reading.shape.device_alarms.indexOf(code)];
      expect([data, code, found]).toEqual([data, code, DeviceAlarmLevel[level]]);
    }
  }
});

function expectValue(at: string, value: number, quality: number, wanted: number | null): void {
  expect([at, quality]).toEqual([at, wanted === null ? Quality.missing : Quality.good]);
  if (wanted !== null) expect([at, value]).toEqual([at, expect.closeTo(wanted, 4)]);
}

/** The defaults, each other value of each option, the extremes of address and shape. */
function choicesOf(profile: Profile): BindingChoice[] {
  const options = Object.entries(profile.options ?? {}).flatMap(([name, { values }]) =>
    values.map(value => ({ options: { [name]: value } })),
  );
  const addresses = profile.address
    ? [{ address: profile.address.min }, { address: profile.address.max }]
    : [];
  const shapes = [{ cells: profile.cells.max }, { cells: 0, sensors: 0 }];
  return [{}, ...options, ...addresses, ...shapes];
}

const choices = profiles.flatMap(profile => choicesOf(profile).map(choice => ({ profile, choice })));

test.each(choices)(
  '$profile.id $choice: what is encoded decodes to the same within resolution',
  ({ profile, choice }) => {
    const binding = modestBinding(profile, choice);
    const encoder = createCanEncoder(binding);
    fc.assert(
      fc.property(
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        stream => {
          const random = () => stream.next().value;
          const { truth, steps } = encodableTruth(binding, random);
          const decoder = new PackDecoder(binding);
          encoder.frames(truth, frame => {
            expect(send(decoder, frame.id, frame.extended, frame.data.slice())).toBe('taken');
          });
          decoder.clearAbsentAlarms(0);
          const back = snapshot(decoder.state, 0);
          for (const [key, step] of steps) {
            const target = JSON.parse(key) as Place;
            const wanted = valueAt(truth, target);
            const tolerance = step * 0.5 + Math.abs(wanted) * 1e-6;
            expect(Math.abs(valueAt(back, target) - wanted), key).toBeLessThanOrEqual(tolerance);
          }
          const active = truth.device_alarm_level.some(level => level > DeviceAlarmLevel.none);
          if (active) expect(back.device_alarm_level).toEqual(truth.device_alarm_level);
        },
      ),
      { numRuns: runsOf(4) },
    );
  },
);

type Place = readonly [kind: number, metric: number, index: number];

function valueAt(reading: PackReading, [kind, metric, index]: Place): number {
  if (kind === TargetKind.pack) return reading.values[metric];
  return kind === TargetKind.cell ? reading.column(metric)[index] : reading.sensors[index];
}

function metricOf({ kind, metric }: SignalTarget): Metric {
  if (kind === TargetKind.pack) return PACK_METRICS[metric];
  return kind === TargetKind.cell ? CELL_METRICS[metric] : SENSOR_METRIC;
}

/** A plausible truth within what the profile's bits can say, and the resolution it comes back with, by place. */
function encodableTruth(
  binding: PackBinding,
  random: () => number,
): { truth: PackReading; steps: Map<string, number> } {
  const truth = new PackReading(binding.pack, binding.shape);
  const spans = new Map<string, { low: number; high: number; step: number }>();
  for (const { targets, message, alarms } of new PackDecoder(binding).mapping.messages) {
    for (const target of targets) {
      if (!target) continue;
      const { scale, offset, length_bit, signed } = message.signals[target.signal];
      const lowest = signed ? -(2 ** (length_bit - 1)) : 0;
      const edges = [lowest, lowest + 2 ** length_bit - 1].map(
        raw => (raw * scale + offset) / target.divisor,
      );
      const key = JSON.stringify([target.kind, target.metric, target.index]);
      const { min, max } = metricOf(target);
      const before = spans.get(key) ?? { low: min, high: max, step: 0 };
      spans.set(key, {
        low: Math.max(before.low, Math.min(...edges)),
        high: Math.min(before.high, Math.max(...edges)),
        step: Math.max(before.step, Math.abs(scale / target.divisor)),
      });
    }
    for (const { alarm, sources } of alarms) {
      const known = [DeviceAlarmLevel.none, ...new Set(sources.flatMap(source => [...source.levels]))];
      truth.device_alarm_level[alarm] = known[Math.floor(random() * known.length)];
    }
  }
  const steps = new Map<string, number>();
  for (const [key, { low, high, step }] of spans) {
    // The edges may mean "none"; a flag has no others.
    const margin = high - low > 4 * step ? 1.5 * step : 0;
    const value = low + margin + random() * (high - low - 2 * margin);
    const [kind, metric, index] = JSON.parse(key) as Place;
    if (kind === TargetKind.pack) truth.values[metric] = value;
    else if (kind === TargetKind.cell) truth.column(metric)[index] = value;
    else truth.sensors[index] = value;
    steps.set(key, step);
  }
  return { truth, steps };
}

test.each(profiles)(
  '$id: random frames of any length never throw and never give a good value that is not plausible',
  profile => {
    const cells = Math.min(24, profile.cells.max);
    const sensor_of_cell = profile.sensors?.max ? Array<number>(cells).fill(0) : undefined;
    const decoder = new PackDecoder(modestBinding(profile, sensor_of_cell && { sensor_of_cell }));
    const { messages } = decoder.mapping;
    const limits = plausibleLimits(profile.plausible);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: messages.length - 1 }),
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(80),
        (i, data, length) => {
          const { id, extended } = messages[i];
          decoder.decode(messages[i], { id, extended, data, length, fd: length > 8, rx_mono_ms: 0 });
          const reading = snapshot(decoder.state, 0);
          markImplausible(reading, limits);
          expectPlausible(PACK_METRICS, reading.values, reading.value_quality, 1);
          expectPlausible(CELL_METRICS, reading.cells, reading.cell_quality, cells);
          expectPlausible([SENSOR_METRIC], reading.sensors, reading.sensor_quality, reading.sensors.length);
        },
      ),
      { numRuns: runsOf(300) },
    );
  },
);

function expectPlausible(
  metrics: readonly Metric[],
  values: ArrayLike<number>,
  quality: Uint8Array,
  each: number,
) {
  for (let i = 0; i < quality.length; i++) {
    if (quality[i] === Quality.missing) continue;
    expect(Number.isFinite(values[i])).toBe(true);
    const { name, min, max } = metrics[Math.floor(i / each)];
    if (quality[i] === Quality.good && !(values[i] >= min && values[i] <= max))
      expect.fail(`${name}: ${values[i]} is good, outside ${min} to ${max}`);
  }
}

test.each(profiles)(
  '$id: a short frame gives what it carries, a long one no more than its message',
  profile => {
    const binding = modestBinding(profile);
    const { messages } = new PackDecoder(binding).mapping;
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: messages.length - 1 }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        fc.nat(64),
        (i, data, length) => {
          const { id, extended, message, checksum } = messages[i];
          const full = new PackDecoder(binding);
          const cut = new PackDecoder(binding);
          send(full, id, extended, data, message.length_bytes);
          const result = send(cut, id, extended, data, length);
          if (!checksum)
            expect(length < message.length_bytes ? ['truncated'] : ['taken', 'no_reading']).toContain(result);
          const all = snapshot(full.state, 0);
          const some = snapshot(cut.state, 0);
          const columns: ((reading: PackReading) => ArrayLike<number>)[] = [r => r.cells, r => r.sensors];
          for (const column of columns)
            Array.from(column(some)).forEach((value, k) => {
              if (!Number.isNaN(value)) expect(value).toBe(column(all)[k]);
            });
          if (length >= message.length_bytes) expect(some).toEqual(all);
        },
      ),
      { numRuns: runsOf(100) },
    );
  },
);
