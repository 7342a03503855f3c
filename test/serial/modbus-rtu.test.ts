/** The driver on a serial port whose far end is a player of bytes in another process and language. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import type { Driver } from '../../drivers/driver.ts';
import { shipped } from '../../drivers/modbus/testing/registers.ts';
import type { Profile } from '../../drivers/profiles/profile.ts';
import {
  closeLine,
  killPlayer,
  type PlayedUnit,
  packOf,
  play,
  serialRuns as runs,
  snapshot,
  start,
  until,
} from './line.ts';

afterEach(closeLine);

/** The captured replies of a profile's golden file as a unit; registers nobody captured read 0. */
function goldenUnit(id: string, unit: number, reply_id: number): PlayedUnit {
  const file = new URL(`../../drivers/profiles/${id}.golden.json`, import.meta.url);
  const [{ replies }] = JSON.parse(readFileSync(file, 'utf8')) as {
    replies: { code: number; address: number; count: number; data: string }[];
  }[];
  const blocks = new Map<number, number[]>();
  for (const { code, address, count, data } of replies) {
    const bytes = Buffer.from(data, 'hex');
    const words = blocks.get(code) ?? [];
    for (let i = 0; i < count; i++) {
      words[address + i] = code <= 2 ? (bytes[i >> 3] >> (i & 7)) & 1 : bytes.readUInt16BE(2 * i);
    }
    blocks.set(code, words);
  }
  const filled = [...blocks].map(([code, words]) => ({
    code,
    address: 0,
    words: Array.from(words, word => word ?? 0),
  }));
  return { id: unit, reply_id, blocks: filled };
}

const captured = () => ({
  units: [
    goldenUnit('seplos-v3', 0, 0),
    goldenUnit('daly-81-51', 0x81, 0x51),
    goldenUnit('daly-d2', 0xd2, 0xd2),
  ],
  bindings: [
    packOf(shipped('seplos-v3'), 0, 0, 16, 4),
    packOf(shipped('daly-81-51'), 1, 0x81, 16, 4),
    packOf(shipped('daly-d2'), 2, 0xd2, 24, 4),
  ],
});

function expectDocumented(of: Driver): void {
  const [seplos, daly, d2] = [0, 1, 2].map(i => snapshot(of, i));
  expect(seplos.values[PackMetric.voltage_v]).toBe(52.81);
  expect(seplos.values[PackMetric.cell_temperature_max_c]).toBe(21.5);
  expect(seplos.column(CellMetric.voltage_v)[0]).toBe(Math.fround(3.302));
  expect(daly.values[PackMetric.voltage_v]).toBe(53);
  expect(daly.values[PackMetric.current_a]).toBe(-8.9);
  expect(daly.values[PackMetric.capacity_remaining_ah]).toBe(271.2);
  expect(daly.column(CellMetric.voltage_v)[15]).toBe(Math.fround(3.317));
  expect(d2.values[PackMetric.soc_pct]).toBe(33.3);
  expect([...d2.sensors]).toEqual([16, 14, 16, 16]);
}

test.runIf(runs).each([false, true])(
  'captured units on one line give the documented values (echo: %s)',
  async echo => {
    const { units, bindings } = captured();
    const line = start(await play({ units, echo }), bindings, { echo });
    await line.start();
    await until(() => line.health().packs.every(({ state }) => state === 'up'));
    expectDocumented(line);
    expect(line.health().counters).toMatchObject({ timeouts: 0, bad_replies: 0 });
  },
);

test.runIf(runs)('an echo nobody announced is named as such', async () => {
  const { units, bindings } = captured();
  const line = start(await play({ units: [], echo: true }), bindings.slice(0, 1), { timeout_ms: 100 });
  expect(units).toHaveLength(3);
  await line.start();
  await until(() => line.health().packs[0].state === 'down');
  expect(line.health().packs[0].reason).toContain('echo of the request, which "echo: true" takes off');
});

test.runIf(runs)(
  'late, truncated, disturbed and missing replies cost time, never a wrong value',
  async () => {
    const { units, bindings } = captured();
    const kinds = ['late', 'truncated', 'wrong_crc', 'garbage', 'silence', 'pieces'];
    const faults = kinds.map((kind, i) => ({ request: 3 + 4 * i, kind, ms: 260 }));
    const line = start(await play({ units, faults }), bindings, { timeout_ms: 200, retries: 3 });
    await line.start();
    await until(() => line.health().counters.rounds > 15);
    await until(() => line.health().packs.every(({ state }) => state === 'up'));
    expectDocumented(line);
    // Late and missing are silence; truncated and a wrong check sum are bad; noise before a reply is only noise. A busy
    // machine adds some of its own.
    const { timeouts, bad_replies, retries, stray_bytes } = line.health().counters;
    expect(Math.min(timeouts, bad_replies)).toBeGreaterThanOrEqual(2);
    expect(retries).toBeGreaterThanOrEqual(4);
    expect(stray_bytes).toBeGreaterThan(6);
  },
);

/** Two blocks that differ in nothing but their address, as a late reply does not carry it. */
const twins = {
  ...shipped('daly-d2'),
  id: 'twins',
  cells: { max: 1 },
  sensors: { max: 0 },
  device_alarms: [],
  options: {},
  registers: {
    retries: 3,
    blocks: { a: { code: 3, first: 0, last: 0 }, b: { code: 3, first: 100, last: 100 } },
    pack: { voltage_v: { block: 'a', at: 0 }, soc_pct: { block: 'b', at: 100 } },
  },
} as Profile;

test.runIf(runs)('a reply that comes late never answers the next request', async () => {
  const words = Array.from({ length: 101 }, (_, i) => i + 1);
  // Far enough from the time-out that a busy machine does not blur the two.
  const faults = [1, 4, 7, 10, 13].map(request => ({ request, kind: 'late', ms: 400 }));
  const unit = { id: 5, reply_id: 5, blocks: [{ code: 3, address: 0, words }] };
  const line = start(await play({ units: [unit], faults }), [packOf(twins, 0, 5, 1, 0)], { timeout_ms: 250 });
  await line.start();
  const seen = new Set<string>();
  await until(() => {
    const { values } = snapshot(line, 0);
    seen.add(`${values[PackMetric.voltage_v]} ${values[PackMetric.soc_pct]}`);
    return line.health().counters.rounds >= 12;
  });
  seen.delete('NaN NaN');
  expect([...seen]).toEqual(['1 101']);
  expect(line.health().counters.timeouts).toBeGreaterThanOrEqual(5);
});

test.runIf(runs)('a dead unit is probed less and less while its neighbours are read on', async () => {
  const { units, bindings } = captured();
  const line = start(await play({ units: units.slice(0, 2) }), bindings, { timeout_ms: 100, retries: 1 });
  await line.start();
  // On a busy machine the neighbours are late for once, too.
  const states = () => line.health().packs.map(({ state }) => state);
  await until(() => line.health().counters.timeouts >= 3 && states().join() === 'up,up,down');
  await until(() => line.health().counters.rounds > line.health().counters.timeouts);
  expect(line.health().packs[2].reason).toMatch(
    /^unit 210 at \/dev\/pts\/\d+: no reply within 100 ms for registers 0 to/,
  );
});

test.runIf(runs)('a port that is not there is reported in one line and tried again', async () => {
  const line = start('/dev/does-not-exist', captured().bindings);
  await line.start();
  await until(() => line.health().state === 'down');
  expect(line.health().reason).toMatch(/^cannot connect to \/dev\/does-not-exist: .*No such file/);
  await line.stop();
  expect(line.health().state).toBe('stopped');
});

test.runIf(runs)('a player that dies takes the line down, and stopping is still safe', async () => {
  const { units, bindings } = captured();
  const line = start(await play({ units }), bindings, { timeout_ms: 100 });
  await line.start();
  await until(() => line.health().packs.every(({ state }) => state === 'up'));
  killPlayer();
  await until(() => line.health().packs.every(({ state }) => state === 'down'));
  await Promise.all([line.stop(), line.stop()]);
  expect(line.health().state).toBe('stopped');
});
