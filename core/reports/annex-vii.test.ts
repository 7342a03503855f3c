/** The report of Annex VII: each parameter has a value with method and source, or the reason why there is none. */
import { expect, test } from 'vitest';
import type { EstimatesReply } from '../contract/estimates.ts';
import type { AnnexParameter, LifetimeAccount } from '../contract/lifetime.ts';
import type { PackDetail } from '../contract/model.ts';
import { Odometer } from '../estimate/running/odometer.ts';
import { HARMS, type HarmName } from '../lifetime/harms.ts';
import { Lifetime } from '../lifetime/lifetime.ts';
import { PACK_METRICS } from '../metrics.ts';
import { annexParameters } from './annex-vii.ts';

const T_MS = Date.UTC(2027, 1, 18);
const DAY_MS = 86_400_000;

interface Given {
  readonly values?: Readonly<Record<string, number>>;
  readonly resistance_mohm?: readonly (number | null)[];
  readonly leaks?: EstimatesReply['leaks'];
  readonly nominal_ah?: number | null;
  readonly odometer?: Partial<LifetimeAccount['odometer']>;
  readonly harms?: Partial<Record<HarmName, Partial<LifetimeAccount['harms'][HarmName]>>>;
}

function reportOf(given: Given): AnnexParameter[] {
  const { values = {}, resistance_mohm = [null, null], leaks = null, nominal_ah = null } = given;
  const shown = Object.fromEntries(
    PACK_METRICS.map(({ name }) => [
      name,
      { value: values[name] ?? null, quality: name in values ? 'good' : 'missing' },
    ]),
  );
  const cells = {
    estimated_resistance_mohm: {
      values: resistance_mohm,
      quality: resistance_mohm.map(value => (value === null ? 'm' : 'g')).join(''),
    },
  };
  const detail = { id: 'p1', values: shown, cells } as unknown as PackDetail;
  const { since_ms: _, band_hours, ...counts } = new Odometer().toJSON();
  const none = { since_ms: null, equivalent_full_cycles: null, band_hours: [...band_hours], ...counts };
  const odometer = { ...none, ...given.odometer };
  const { extremes, harms } = new Lifetime({}).toJSON();
  const account = {
    since_ms: odometer.since_ms,
    odometer,
    extremes,
    harms: Object.fromEntries(
      HARMS.map(name => [name, { limit: 2.5, under_load: null, ...harms[name], ...given.harms?.[name] }]),
    ),
  } as LifetimeAccount;
  const basis = { nominal_ah } as EstimatesReply['basis'];
  const estimates = { basis, leaks } as EstimatesReply;
  return annexParameters({ detail, estimates, account, t_ms: T_MS });
}

const named = (report: readonly AnnexParameter[], name: RegExp) => {
  const found = report.filter(one => name.test(one.name));
  expect(found).toHaveLength(1);
  return found[0]!;
};

test('of a pack that nobody knows yet every parameter is there, each with its reason and none with a number', () => {
  const report = reportOf({});
  expect(report.map(({ part, no }) => `${part}${no}`)).toEqual(
    'A1 A2 A3 A4 A5 B1 B1 B2 B2 B3 B3 B4 B4 B4 B4 B4 B4 B5'.split(' '),
  );
  for (const { value, not_determinable, source, sd } of report) {
    expect([value, source, sd]).toEqual([null, null, null]);
    expect(not_determinable).toMatch(/^[a-z][^.]+$/);
  }
});

test('what the gateway estimated comes before what the device reports, with its deviation', () => {
  const values = { estimated_soh_pct: 91, estimated_soh_sd_pct: 1.5, soh_pct: 100, capacity_full_ah: 280 };
  expect(named(reportOf({ values, nominal_ah: 280 }), /capacity/)).toMatchObject({
    value: 254.8,
    unit: 'Ah',
    sd: 4.2,
    source: 'gateway',
  });
  const { estimated_soh_pct: _, ...by_device } = values;
  expect(named(reportOf({ values: by_device, nominal_ah: 280 }), /capacity/)).toMatchObject({
    value: 280,
    sd: null,
    source: 'device',
  });
  expect(named(reportOf({ values: { capacity_full_ah: 276.5 } }), /capacity/)).toMatchObject({
    value: 276.5,
  });
});

test('power capability is the limit that the device reports, else of its current', () => {
  const values = { discharge_current_limit_a: 100, voltage_v: 51.2 };
  expect(named(reportOf({ values }), /power/)).toMatchObject({ value: 5120, unit: 'W', source: 'device' });
  const with_power = { ...values, discharge_power_limit_w: 5000 };
  expect(named(reportOf({ values: with_power }), /power/).value).toBe(5000);
});

test('throughput, cycles and efficiency say since when, and how much of the time was counted', () => {
  const since_ms = T_MS - 100 * DAY_MS;
  const counted = { since_ms, hours: 1200, kwh_in: 5000, kwh_out: 4700, ah_in: 98_000, ah_out: 97_000 };
  const report = reportOf({ odometer: { ...counted, equivalent_full_cycles: 346.4 } });
  const shared = { from_ms: since_ms, to_ms: T_MS, completeness_pct: 50, not_determinable: null };
  expect(named(report, /Energy discharged/)).toMatchObject({ value: 4700, unit: 'kWh', ...shared });
  expect(named(report, /Charge charged/)).toMatchObject({ value: 98_000, unit: 'Ah', ...shared });
  expect(named(report, /equivalent cycles/)).toMatchObject({ value: 346.4, ...shared });
  expect(named(report, /efficiency/)).toMatchObject({ value: 94, sd: 0.1, ...shared });
  const young = reportOf({ odometer: { ...counted, equivalent_full_cycles: 3 } });
  expect(named(young, /efficiency/)).toMatchObject({
    value: null,
    not_determinable: expect.stringContaining('3 full cycles were counted; 10 are needed'),
  });
});

test('harmful events have their count or time, their limit and how far they went', () => {
  const odometer = { since_ms: T_MS - DAY_MS, hours: 24 };
  const worst = { worst_ms: T_MS - 5, worst_no: 3, is_on: false };
  const report = reportOf({
    odometer,
    harms: {
      deep_discharge: { count: 2, seconds: 90, worst: 2.31, under_load: 2, ...worst },
      cold_charge: { limit: 0, count: 3, seconds: 5400, worst: -6.5, ...worst },
      hot_charge: { limit: null },
    },
  });
  expect(named(report, /Deep/)).toMatchObject({
    value: 2,
    method: 'Beyond 2.5 V (2 V under load), 90 s in all; the furthest was 2.31 V',
  });
  expect(named(report, /cold/)).toMatchObject({
    value: 5400,
    unit: 's',
    method: 'Beyond 0 °C, 3 times; the furthest was -6.5 °C',
  });
  expect(named(report, /Overcharges/)).toMatchObject({ value: 0, method: 'Beyond 2.5 V, 0 s in all' });
  expect(named(report, /heat/).not_determinable).toContain('no limit');
});

test('resistance is the sum of all cells or none; self-discharge is of the worst cell, or why none is known', () => {
  expect(named(reportOf({ resistance_mohm: [0.4, 0.55] }), /resistance/)).toMatchObject({ value: 0.95 });
  expect(named(reportOf({ resistance_mohm: [0.4, null] }), /resistance/).not_determinable).toContain(
    '1 of 2',
  );
  const leaks = [{ cell_no: 7, lost_pct_per_day: 0.31, leak_ma: 13 }];
  expect(named(reportOf({ leaks }), /Self-discharge/)).toMatchObject({
    value: 0.31,
    method: expect.stringContaining('Cell 7'),
  });
  expect(named(reportOf({ leaks: [] }), /Self-discharge/)).toMatchObject({
    value: null,
    not_determinable: expect.stringContaining('no cell loses 0.1 % a day more'),
  });
});
