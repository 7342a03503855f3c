/** The reference image, read point by point and through the driver, against what another decoder made of it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import { qualityLetters } from '../../../core/reading/quality.ts';
import { RegisterImage } from '../register-image.ts';
import { goldenImage, goldenPresent, goldenUnit } from '../testing/golden.ts';
import { bindingOf, startVirtual } from '../testing/line.ts';
import { type DecodedModel, decodeModel } from './decode.ts';
import { MODELS } from './models.ts';

interface GoldenReply {
  readonly address: number;
  readonly count: number;
  readonly data: string;
  readonly expect: {
    readonly pack: Readonly<Record<string, number>>;
    readonly cells: { readonly voltage_v: readonly number[] };
    readonly alarms: Readonly<Record<string, keyof typeof DeviceAlarmLevel>>;
  };
}

type Repeat = Record<string, number>;

const title = goldenPresent ? '' : ' (skipped: ../shared/conformance is not on this machine)';

test.runIf(goldenPresent)(`every point of every model has the expected value${title}`, () => {
  const { base_address, models, registers, expected } = goldenImage();
  for (const { id, address, length } of models) {
    const from = address - base_address;
    const slice = Uint16Array.from(registers.slice(from, from + length + 2));
    expect(decodeModel(MODELS.get(id)!, slice)).toEqual(expected[id]);
  }
});

test.runIf(goldenPresent)(`a bank is its 802, 803 and the cells of its 805${title}`, async () => {
  const { expected } = goldenImage();
  const bench = startVirtual([bindingOf({ cells: 16 })]);
  bench.hub.attach('link', 1, pdu => goldenUnit().answer(pdu));
  await bench.run(500);
  expect(bench.driver.health()).toMatchObject({ state: 'up', reason: undefined });
  const reading = bench.snapshot(0);
  const { 802: bank, 803: lithium, 805: module } = expected;
  expect(reading.values[PackMetric.voltage_v]).toBe(bank.V);
  expect(reading.values[PackMetric.current_a]).toBe(15.3);
  expect(bank).toMatchObject({ ChaSt: 4, A: -15.3 });
  expect(reading.values[PackMetric.soc_pct]).toBe(bank.SoC);
  expect(reading.values[PackMetric.soh_pct]).toBe(bank.SoH);
  expect(reading.values[PackMetric.cycle_count]).toBe(bank.NCyc);
  expect(reading.values[PackMetric.capacity_full_ah]).toBe(bank.AHRtg);
  expect(reading.values[PackMetric.charge_voltage_limit_v]).toBe(bank.VMax);
  expect(reading.values[PackMetric.discharge_voltage_limit_v]).toBe(bank.VMin);
  expect(reading.values[PackMetric.charge_current_limit_a]).toBe(bank.AChaMax);
  expect(reading.values[PackMetric.discharge_current_limit_a]).toBe(bank.ADisChaMax);
  expect(reading.values[PackMetric.cell_voltage_max_v]).toBe(bank.CellVMax);
  expect(reading.values[PackMetric.temperature_c]).toBe(lithium.ModTmpAvg);
  expectCells(reading, module);
  const raised = reading.shape.device_alarms.filter((_, i) => reading.device_alarm_level[i] !== 0);
  expect(raised).toEqual(['voltage_imbalance']);
  await bench.driver.stop();
});

test.runIf(goldenPresent)(`a string is its 804, with the cells of its own modules${title}`, async () => {
  const { 804: string, 805: module } = goldenImage().expected;
  const bench = startVirtual([
    bindingOf({ cells: 16, options: { string: 1, positive_current_is: 'charge' } }),
    bindingOf({ pack: 1, cells: 16, options: { string: 2 } }),
  ]);
  bench.hub.attach('link', 1, pdu => goldenUnit().answer(pdu));
  await bench.run(500);
  const reading = bench.snapshot(0);
  expect(reading.values[PackMetric.voltage_v]).toBe(string.V);
  expect(reading.values[PackMetric.current_a]).toBe(string.A);
  expect(reading.values[PackMetric.soh_pct]).toBe(string.SoH);
  expectCells(reading, module);
  const [first, second] = bench.driver.health().packs;
  expect(first).toMatchObject({ state: 'up', reason: undefined });
  expect(second.state).toBe('degraded');
  expect(second.reason).toContain('no model 804 with Idx 2; 0 cells in model 805, 16 configured');
  await bench.driver.stop();
});

function expectCells(reading: ReturnType<ReturnType<typeof startVirtual>['snapshot']>, module: DecodedModel) {
  const cells = module['lithium-ion-module-cell'] as Repeat[];
  const column = (metric: number) => [...reading.column(metric)];
  expect(column(CellMetric.voltage_v)).toEqual(cells.map(cell => Math.fround(cell.CellV)));
  expect(column(CellMetric.temperature_c)).toEqual(cells.map(cell => Math.fround(cell.CellTmp)));
  expect(column(CellMetric.balancing)).toEqual(cells.map(cell => cell.CellSt & 1));
  expect(qualityLetters(reading.columnQuality(CellMetric.voltage_v))).toBe('g'.repeat(16));
}

test('the golden image beside the profile gives its values', async () => {
  const file = new URL('../../profiles/sunspec-battery.golden.json', import.meta.url);
  const [{ replies }] = JSON.parse(readFileSync(file, 'utf8')) as { replies: GoldenReply[] }[];
  const [{ address, count, data, expect: wanted }] = replies;
  const bytes = Buffer.from(data, 'hex');
  const registers = Uint16Array.from({ length: count }, (_, i) => bytes.readUInt16BE(2 * i));
  const bench = startVirtual([bindingOf({ cells: wanted.cells.voltage_v.length })]);
  bench.hub.attach('link', 1, pdu => new RegisterImage({ address, registers }).answer(pdu));
  await bench.run(500);
  const reading = bench.snapshot(0);
  for (const [name, value] of Object.entries(wanted.pack))
    expect([name, reading.values[PackMetric[name as keyof typeof PackMetric]]]).toEqual([name, value]);
  expect([...reading.column(CellMetric.voltage_v)]).toEqual(wanted.cells.voltage_v.map(Math.fround));
  const levels = Object.keys(wanted.alarms).map(
    code => reading.device_alarm_level[reading.shape.device_alarms.indexOf(code)],
  );
  expect(levels).toEqual(Object.values(wanted.alarms).map(level => DeviceAlarmLevel[level]));
  await bench.driver.stop();
});
