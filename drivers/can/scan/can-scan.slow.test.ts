/** Every CAN profile is known again by its own traffic; noise and foreign traffic are not claimed. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { loadProfiles } from '../../profiles/load.ts';
import { candidateBinding } from '../../scan/candidate.ts';
import { configurationFor } from '../../scan/configuration.ts';
import { healthyReading, trafficOf } from '../../scan/testing/scan.ts';
import { parseCandumpLine } from '../candump-replay.ts';
import { addressesSeen, scanTraffic } from './can-scan.ts';
import { CanTraffic } from './traffic.ts';

const { profiles } = loadProfiles();
const canProfiles = [...profiles.values()].filter(profile => profile.can);
const MAX_FOREIGN_PCT = 30;
/** Noise is anything, also by rare chance the frames of a battery: the same noise each time. */
const NOISE_SEED = 2026;

function shipped(id: string) {
  const profile = profiles.get(id);
  if (!profile) throw new Error(`no profile ${id}`);
  return profile;
}

const cases = canProfiles.flatMap(profile => {
  const { address } = profile;
  const addresses = address ? [...new Set([address.min, address.default, address.max])] : [undefined];
  return addresses.map(at => ({ profile, at }));
});

test.each(cases)('$profile.id at $at: its own traffic is known as it', async ({ profile, at }) => {
  const cells = Math.min(16, profile.cells.max);
  const binding = candidateBinding(profile, at, cells, Math.min(4, profile.sensors?.max ?? 0));
  const [best, next] = await scanTraffic(trafficOf([binding]), profiles.values());
  expect(best).toMatchObject({ profile: profile.id, address: at, cells });
  expect(best.confidence_pct).toBeGreaterThan(80);
  if (next) expect(next.confidence_pct).toBeLessThan(MAX_FOREIGN_PCT);
});

test.each(canProfiles)('$id: fewer cells than it carries are counted from the values', async profile => {
  const most = Math.min(108, profile.cells.max);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: Math.min(4, most), max: most }), async cells => {
      const [best] = await scanTraffic(
        trafficOf([candidateBinding(profile, profile.address?.default, cells)]),
        [profile],
      );
      expect(best.cells).toBe(cells);
    }),
    { numRuns: runsOf(5) },
  );
});

test('two units on one bus are two findings', async () => {
  const jk = shipped('jk-can-v2');
  const found = await scanTraffic(
    trafficOf([candidateBinding(jk, 0, 16), candidateBinding(jk, 3, 8)]),
    profiles.values(),
  );
  expect(found.slice(0, 2).map(({ address, cells }) => [address, cells])).toEqual([
    [0, 16],
    [3, 8],
  ]);
});

test('what a device calls itself is reported', async () => {
  const lv = shipped('can-bus-bms-lv');
  const traffic = trafficOf([candidateBinding(lv, undefined)]);
  traffic.add({ id: 0x35e, extended: false, data: Buffer.from('PYLON   '), length: 8 }, 0);
  const [best] = await scanTraffic(traffic, profiles.values());
  expect(best.why).toContain('it calls itself "PYLON"');
});

test('cells that do not add up to the pack speak against it', async () => {
  const jk = candidateBinding(shipped('jk-can-v2'), 0, 16);
  const reading = healthyReading(jk);
  const [right] = await scanTraffic(trafficOf([jk]), [jk.profile]);
  const traffic = trafficOf([jk], 0);
  const { createCanEncoder } = await import('../can-encoder.ts');
  reading.values[0] = 20;
  createCanEncoder(jk).frames(reading, frame => traffic.add(frame, 0));
  const [wrong] = await scanTraffic(traffic, [jk.profile]);
  expect(wrong.confidence_pct).toBeLessThan(right.confidence_pct);
  expect(wrong.contradictions.join()).toMatch(/cells add up to 52\.9 V, the pack says 20\.0 V/);
});

test('random frames are no battery', async () => {
  const frame = fc.record({
    at: fc.oneof(
      fc.record({ id: fc.nat(0x7ff), extended: fc.constant(false) }),
      fc.record({ id: fc.nat(0x1fffffff), extended: fc.constant(true) }),
    ),
    data: fc.uint8Array({ maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 300, maxLength: 600 }), async frames => {
      const traffic = new CanTraffic();
      frames.forEach(({ at, data }, i) => {
        traffic.add({ ...at, data, length: data.length }, i);
      });
      const [best] = await scanTraffic(traffic, profiles.values());
      expect(best?.confidence_pct ?? 0, JSON.stringify(best)).toBeLessThanOrEqual(MAX_FOREIGN_PCT);
    }),
    { numRuns: runsOf(20), seed: NOISE_SEED, endOnFailure: true },
  );
});

test.each(canProfiles)('$id: random bytes on its own ids, second after second, are not it', async profile => {
  const cells = Math.min(16, profile.cells.max);
  const ids = [...trafficOf([candidateBinding(profile, profile.address?.default, cells)], 1).ids];
  const rounds = 20;
  const bytes = fc.uint8Array({ minLength: 8 * rounds * ids.length, maxLength: 8 * rounds * ids.length });
  await fc.assert(
    fc.asyncProperty(bytes, async noise => {
      const traffic = new CanTraffic();
      for (let round = 0; round < rounds; round++)
        ids.forEach(({ id, extended }, i) => {
          const at = 8 * (round * ids.length + i);
          traffic.add({ id, extended, data: noise.subarray(at, at + 8), length: 8 }, 1000 * round);
        });
      const [best] = await scanTraffic(traffic, [profile]);
      expect(best?.confidence_pct ?? 0, JSON.stringify(best)).toBeLessThanOrEqual(MAX_FOREIGN_PCT);
    }),
    { numRuns: runsOf(20), seed: NOISE_SEED, endOnFailure: true },
  );
});

test('makers that leave messages out are known still', async () => {
  const traffic = new CanTraffic();
  for (const { id, extended, frames } of trafficOf([candidateBinding(shipped('can-bus-bms-lv'), undefined)])
    .ids)
    for (const { data, t_ms } of [0x351, 0x355, 0x356, 0x359, 0x35c].includes(id) ? frames : [])
      traffic.add({ id, extended, data, length: data.length }, t_ms);
  const [best] = await scanTraffic(traffic, profiles.values());
  expect(best.profile).toBe('can-bus-bms-lv');
  expect(best.confidence_pct).toBeGreaterThan(70);
});

test('a quiet bus has no finding and no address', async () => {
  const traffic = new CanTraffic();
  expect(await scanTraffic(traffic, profiles.values())).toEqual([]);
  expect(addressesSeen(shipped('jk-can-v2'), traffic)).toEqual([]);
});

const vehicle = new URL(
  '../../../../shared/conformance/traces/savvycan-vehicle-candump.log',
  import.meta.url,
);
const vehicleTest = existsSync(vehicle) || process.env.CI === 'true' ? test : test.skip;

vehicleTest('the bus of a real Model S on the road is known as it, and as nothing else', async () => {
  const traffic = new CanTraffic();
  for (const text of readFileSync(vehicle, 'utf8').split('\n')) {
    const line = parseCandumpLine(text);
    if (line) traffic.add({ ...line, length: line.data.length }, 1000 * line.t_s);
  }
  expect(traffic.frames).toBeGreaterThan(10_000);
  const [best, next] = await scanTraffic(traffic, profiles.values());
  expect(best).toMatchObject({ profile: 'tesla-model-s', cells: 96 });
  expect(best.confidence_pct).toBeGreaterThan(80);
  expect(next?.confidence_pct ?? 0, JSON.stringify(next)).toBeLessThanOrEqual(MAX_FOREIGN_PCT);
});

test.each([
  ['can-bus-bms-lv', { voltage_step_v: 0.1 }],
  ['jk-can-v2', { positive_current_is: 'charge' }],
] as const)(
  '%s with %o: an option is proposed where it resolves a contradiction, and only there',
  async (id, options) => {
    const profile = shipped(id);
    const cells = Math.min(16, profile.cells.max);
    const binding = candidateBinding(profile, profile.address?.default, cells, undefined, options);
    const [best] = await scanTraffic(trafficOf([binding]), profiles.values());
    expect(best.profile).toBe(id);
    expect(best.confidence_pct).toBeGreaterThan(80);
    if (id === 'can-bus-bms-lv') {
      expect(best.options).toEqual(options);
      expect(best.why.join()).toContain(
        '"voltage_step_v: 0.1" resolves: voltage 5.3 V does not fit a charge limit of 56.8 V',
      );
      expect(best.contradictions.join()).not.toContain('does not fit');
    } else expect(best.options).toBeUndefined();
    const yaml = configurationFor({ id: 'can', type: 'socketcan', interface: 'can0' }, [best], profiles);
    expect(yaml?.includes('voltage_step_v: 0.1')).toBe(id === 'can-bus-bms-lv');
  },
);
