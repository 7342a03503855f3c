/** An exception to one block costs that block alone, whatever its code, and pack and connection name both; on TCP as on RTU. */
import { afterEach, expect, test } from 'vitest';
import { PackMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { encodeMbap } from './mbap.ts';
import { encodeRtu } from './rtu/crc.ts';
import {
  addressOf,
  fastClock,
  honest,
  type OddBench,
  oddDevice,
  type Request,
  startOn,
  until,
  VALUES,
} from './testing/odd-device.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Registers from these addresses are refused with this code. */
interface Refusal {
  code: number;
  addresses: readonly number[];
}

async function refusing(type: string, refusal: Refusal): Promise<OddBench> {
  const rtu = type === 'modbus-rtu-tcp';
  const act = ({ socket, transaction, unit, pdu }: Request) => {
    const refused = refusal.addresses.includes(addressOf(pdu));
    const answer = refused ? Uint8Array.of(0x80 | pdu[0], refusal.code) : honest(pdu);
    socket.write(rtu ? encodeRtu(unit, answer) : encodeMbap(transaction, unit, answer));
  };
  const device = await oddDevice(act, { rtu });
  cleanups.push(() => device.close());
  const bench = await startOn(device, { type, interval_ms: 400 }, fastClock(5));
  cleanups.push(() => bench.driver.stop());
  return bench;
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'exception 01 (illegal function)',
  4: 'exception 04 (device failure)',
  6: 'exception 06 (device busy)',
  10: 'exception 0A (gateway path unavailable)',
  11: 'exception 0B (gateway target did not respond)',
};
const CODES = [1, 2, 3, 4, 6, 10, 11];
const TYPES = ['modbus-tcp', 'modbus-rtu-tcp'];
const CASES = TYPES.flatMap(type => CODES.map(code => [type, code] as const));

const reasonFor = (code: number) =>
  code <= 3 && code > 1 ? 'the unit has no register 200' : `${NAMES[code]} for registers 200 to 200 (FC04)`;

test.each(CASES)(
  '%s: exception %d to one block: the other values are good, and it is named',
  async (type, code) => {
    const { driver, right } = await refusing(type, { code, addresses: [200] });
    await until(() => right() === VALUES - 1 && driver.health().counters.rounds > 4);
    for (let check = 0; check < 20; check++) {
      expect(right()).toBe(VALUES - 1);
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    const [pack] = driver.health().packs;
    expect(pack.state).toBe('degraded');
    expect(pack.reason).toContain(reasonFor(code));
    expect(driver.health().state).toBe('degraded');
    expect(driver.health().reason).toContain(reasonFor(code));
  },
);

test.each([4, 11])(
  'exception %d to the first block of all: after a moment the others are read',
  async code => {
    const { driver, right } = await refusing('modbus-tcp', { code, addresses: [0] });
    await until(() => right() === VALUES - 2);
    expect(driver.health().packs[0]).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining(`${NAMES[code]} for registers 0 to 1 (FC04)`),
    });
  },
);

test.each([1, 4, 10, 11])('exception %d to every block: the unit is down, with the reason', async code => {
  const { driver, right } = await refusing('modbus-tcp', { code, addresses: [0, 100, 200, 300] });
  await until(() => driver.health().packs[0].state === 'down');
  expect(driver.health().packs[0].reason).toContain(NAMES[code]);
  expect(right()).toBe(0);
});

test.each([4, 11])(
  'exception %d that begins later is named, and its values are good no longer',
  async code => {
    const refusal: Refusal = { code, addresses: [] };
    const { driver, right } = await refusing('modbus-tcp', refusal);
    await until(() => right() === VALUES);
    refusal.addresses = [200];
    await until(() => driver.health().packs[0].state === 'degraded' && right() === VALUES - 1);
    expect(driver.health().packs[0].reason).toContain(reasonFor(code));
    // First old, then missing: what it was long ago says nothing.
    const soc = () => {
      const reading = new PackReading(0, driver.packs[0].shape);
      driver.packs[0].snapshotInto(reading, 0, 0);
      return reading.value_quality[PackMetric.soc_pct];
    };
    await until(() => soc() === Quality.missing, 30_000);
    refusal.addresses = [];
    await until(() => driver.health().packs[0].state === 'up' && right() === VALUES, 30_000);
  },
);
