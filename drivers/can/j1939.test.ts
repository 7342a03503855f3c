/** Messages a DBC gives as J1939 parameter groups: matched whatever priority, source and destination. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { PackMetric } from '../../core/metrics.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import type { Profile } from '../profiles/profile.ts';
import { createCanDriver } from './can-driver.ts';
import { createCanEncoder } from './can-encoder.ts';
import { PackDecoder } from './pack-decoder.ts';
import { bindingOf, snapshot } from './testing/bench.ts';
import { VirtualCanHub } from './virtual-bus.ts';

const directory = mkdtempSync(join(tmpdir(), 'j1939-'));
afterAll(() => rmSync(directory, { recursive: true }));
// Broadcast group FFFD (PDU 2), group EF00 to a destination (PDU 1), and one message that is no parameter group.
writeFileSync(
  join(directory, 'rig.dbc'),
  `VERSION ""
BO_ ${0x80000000 + 0x18fffdfe} Broadcast: 8 BMS
 SG_ Voltage : 0|16@1+ (0.05,0) [0|0] "V" Vector__XXX
BO_ ${0x80000000 + 0x18ef00fe} Directed: 8 BMS
 SG_ Soc : 0|8@1+ (0.5,0) [0|0] "%" Vector__XXX
BO_ ${0x80000000 + 0x18fffc21} Plain: 8 BMS
 SG_ Soh : 0|8@1+ (0.5,0) [0|0] "%" Vector__XXX
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "J1939PG";
BA_ "VFrameFormat" BO_ ${0x80000000 + 0x18fffc21} 1;
`,
);
const groups = { Broadcast: { pack: { voltage_v: 'Voltage' } }, Directed: { pack: { soc_pct: 'Soc' } } };
const can = { bitrate: 250_000, dbc: 'rig.dbc' };
const profile: Profile = {
  directory,
  id: 'rig',
  title: 'Rig',
  vendor: 'none',
  models: [],
  source: 'none',
  transport: 'can',
  cells: { max: 0 },
  can: { ...can, messages: { ...groups, Plain: { pack: { soh_pct: 'Soh' } } } },
};
/** Without the plain message, whose one id no two packs can share. */
const addressed: Profile = {
  ...profile,
  address: { min: 0, max: 253, default: 0x46 },
  can: { ...can, messages: groups },
};

async function rig(bindings: Parameters<typeof createCanDriver>[1]) {
  const hub = new VirtualCanHub();
  const context = {
    clock: new ManualClock(),
    log: silentLogger,
    interval_ms: 1000,
    onUpdate() {},
    onLink() {},
  };
  const driver = createCanDriver({ id: 'bus', type: 'virtual-can' }, bindings, context, hub);
  await driver.start();
  const node = hub.bus('bus').attach();
  const send = (id: number, first: number) =>
    node.send({ id, extended: true, data: Uint8Array.of(first, 1, 0, 0, 0, 0, 0, 0), length: 8 });
  const value = (pack: number, metric: number) => snapshot(driver.packs[pack], 0).values[metric];
  return { driver, send, value, unknown: () => driver.health().counters.unknown_ids };
}

test('a parameter group is known by its number alone, a plain message by its whole id', async () => {
  const { driver, send, value, unknown } = await rig([bindingOf(profile, { cells: 0 })]);
  let expected_unknown = 0;
  fc.assert(
    fc.property(fc.nat(7), fc.nat(255), fc.nat(255), fc.nat(200), (priority, source, destination, raw) => {
      const top = priority * 2 ** 26;
      send(top + 0xfffd00 + source, raw);
      expect(value(0, PackMetric.voltage_v)).toBeCloseTo((raw + 256) * 0.05, 6);
      send(top + 0xef0000 + destination * 256 + source, raw);
      expect(value(0, PackMetric.soc_pct)).toBeCloseTo(raw * 0.5, 6);
      // Another group, another data page.
      send(top + 0xfffe00 + source, raw);
      send(top + 0x1000000 + 0xfffd00 + source, raw);
      expected_unknown += 2;
      if (top + 0xfffc00 + source !== 0x18fffc21) {
        send(top + 0xfffc00 + source, raw);
        expected_unknown++;
      }
      expect(unknown()).toBe(expected_unknown);
    }),
    { numRuns: runsOf(50) },
  );
  send(0x18fffc21, 180);
  expect(value(0, PackMetric.soh_pct)).toBe(90);
  await driver.stop();
});

test('with addresses, the source distinguishes the packs of one bus', async () => {
  const packs = [0x46, 0x47].map((address, pack) => bindingOf(addressed, { pack, address, cells: 0 }));
  const { driver, send, value, unknown } = await rig(packs);
  send(0x18fffd46, 10);
  send(0x0cfffd47, 20);
  send(0x18fffd48, 30);
  expect([0, 1].map(pack => value(pack, PackMetric.voltage_v))).toEqual([
    expect.closeTo(13.3, 6),
    expect.closeTo(13.8, 6),
  ]);
  expect(unknown()).toBe(1);
  const ids: number[] = [];
  const truth = snapshot(driver.packs[1], 0);
  createCanEncoder(packs[1]).frames(truth, ({ id }) => ids.push(id));
  expect(ids).toEqual([0x18fffd47]);
  expect(new PackDecoder(packs[1]).mapping.messages.map(({ mask }) => mask)).toEqual([
    0x03ffffff, 0x03ff00ff,
  ]);
  await driver.stop();
});
