/** Devices that speak only when asked: what goes out, how often, and that nothing else ever does. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../core/clock/manual-clock.ts';
import { silentLogger } from '../../core/log.ts';
import { CellMetric, PackMetric } from '../../core/metrics.ts';
import { DeviceAlarmLevel, PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { canKey } from './can-bus.ts';
import { createCanDriver } from './can-driver.ts';
import { createCanEncoder } from './can-encoder.ts';
import { bindingOf, shippedProfile, snapshot } from './testing/bench.ts';
import { type SentFrame, VirtualCanHub, type VirtualCanNode } from './virtual-bus.ts';

const daly = shippedProfile('daly-can');
const bindings = [1, 2, 3].map((address, pack) => bindingOf(daly, { pack, address, cells: 16, sensors: 1 }));

interface Asked {
  readonly at_ms: number;
  readonly id: number;
  readonly data: string;
}

function rig() {
  const clock = new ManualClock();
  const hub = new VirtualCanHub();
  const asked: Asked[] = [];
  const began = clock.monoMs();
  let answer = (_request: SentFrame, _from: VirtualCanNode): void => {};
  const node = hub.bus('bus').attach(request => {
    const data = Buffer.from(request.data.subarray(0, request.length)).toString('hex');
    asked.push({ at_ms: clock.monoMs() - began, id: request.id, data });
    answer(request, node);
  });
  const driver = createCanDriver(
    { id: 'bus', type: 'virtual-can' },
    bindings,
    { clock, log: silentLogger, interval_ms: 2000, onUpdate() {}, onLink() {} },
    hub,
  );
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5) clock.advance(5);
  };
  return {
    clock,
    hub,
    driver,
    asked,
    run,
    answerWith(reply: typeof answer) {
      answer = reply;
    },
  };
}

/** What Daly's paper allows to ask: command 90 to 98 or 50, any unit, from host 40, eight zero bytes. */
function isDocumented({ id, data }: Asked): boolean {
  const command = (id >> 16) & 0xff;
  const reads = (command >= 0x90 && command <= 0x98) || command === 0x50;
  return reads && id >>> 24 === 0x18 && (id & 0xff) === 0x40 && data === '0000000000000000';
}

test('only documented requests go out, one after the other, each unit with its own address', async () => {
  const { driver, asked, run } = rig();
  await driver.start();
  run(3000);
  await driver.stop();
  expect(asked.filter(one => !isDocumented(one))).toEqual([]);
  expect(new Set(asked.map(({ id }) => (id >> 8) & 0xff))).toEqual(new Set([1, 2, 3]));
  expect(new Set(asked.map(({ id }) => (id >> 16) & 0xff)).size).toBe(10);
  for (let i = 1; i < asked.length; i++)
    expect(asked[i].at_ms - asked[i - 1].at_ms).toBeGreaterThanOrEqual(25);
  expect(driver.health().counters.polls_sent).toBe(asked.length);
  run(3000);
  expect(driver.health().counters.polls_sent).toBe(asked.length);
});

test('the answers become readings, of the unit that was asked', async () => {
  const { driver, clock, answerWith, run } = rig();
  const truth = new PackReading(1, bindings[1].shape);
  truth.values[PackMetric.voltage_v] = 53.2;
  truth.values[PackMetric.current_a] = -2.1;
  truth.column(CellMetric.voltage_v).fill(3.325);
  truth.device_alarm_level.fill(DeviceAlarmLevel.none);
  const { messages } = createCanEncoder(bindings[1]);
  answerWith(({ id }, from) => {
    if (((id >> 8) & 0xff) !== 2) return;
    const reply = canKey((id & 0xffff0000) + 0x4002, true);
    for (const message of messages)
      message.frames(truth, frame => {
        if (canKey(frame.id, frame.extended) === reply) from.send(frame);
      });
  });
  await driver.start();
  run(2500);
  const readings = driver.packs.map(state => snapshot(state, clock.monoMs()));
  expect(readings[1].values[PackMetric.voltage_v]).toBeCloseTo(53.2, 6);
  expect(readings[1].values[PackMetric.current_a]).toBeCloseTo(-2.1, 6);
  expect(readings[1].columnQuality(CellMetric.voltage_v)).toEqual(new Uint8Array(16).fill(Quality.good));
  expect(readings[0].value_quality[PackMetric.voltage_v]).toBe(Quality.missing);
  run(2500);
  expect(driver.health().packs.map(({ state }) => state)).toEqual(['down', 'up', 'down']);
  expect(driver.health().packs[0].reason).toContain('no frame within 3 s of the start though asked');
  await driver.stop();
});

test('a bus that is down is not asked; one that is back is', async () => {
  const { driver, hub, asked, run } = rig();
  await driver.start();
  hub.bus('bus').setDown('cable pulled');
  run(2000);
  expect(asked).toEqual([]);
  expect(driver.health().counters).toMatchObject({ polls_sent: 0, polls_refused: 0 });
  hub.bus('bus').setDown(undefined);
  run(1000);
  expect(asked.length).toBeGreaterThan(10);
  await driver.stop();
});
