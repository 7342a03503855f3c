/** Alert rules as an administrator sees and changes them; alerts and delays over a restart. */
import { expect, test } from 'vitest';
import type { Alert } from '../../core/alerts/alert.ts';
import type { OutOfService } from '../../core/alerts/out-of-service.ts';
import { makeRule } from '../../core/alerts/testing/make-rule.ts';
import { CellMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { Quality } from '../../core/reading/quality.ts';
import { FAULTY_STORAGE, MemoryDocuments, makeTestSite } from '../server/testing/test-site.ts';
import { AlertService } from './alert-service.ts';

const soc_low = makeRule({
  id: 'soc_low',
  label: 'State of charge low',
  on: { scope: 'pack', metric: 'soc_pct' },
  direction: 'below',
  limits: [{ chemistry: 'lfp', warning: 10, critical: 3, hysteresis: 5, from: 'default' }],
  raise_after_ms: 60_000,
  critical_after_ms: 60_000,
  next_check: 'Charge it',
});
const high = makeRule({ raise_after_ms: 5000, critical_after_ms: 5000 });
const ada = { by: 'ada', at_ms: 1000 };

function makeAlerts(
  documents = new MemoryDocuments(),
  recorded: Alert[] = [],
  rules = [soc_low, high],
  onServiceEnded: (entry: OutOfService) => void = () => {},
) {
  const { topology } = makeTestSite();
  const newest = () => [...new Map(recorded.map(alert => [alert.id, alert])).values()];
  const store = {
    documents,
    appendAlert: (alert: Alert) => void recorded.push(alert),
    alerts: async () => newest().filter(({ is_open }) => is_open),
    pastAlerts: async () => newest().filter(({ is_open }) => !is_open),
  };
  return new AlertService(
    topology,
    rules,
    { silent_after_ms: 1e9, deviceAlarmLabel: (_, code) => code, onServiceEnded },
    store,
  );
}

function reading(t_ms: number, voltage_v: number): PackReading {
  const of_pack = new PackReading(0, {
    cell_count: 4,
    sensor_count: 1,
    device_alarms: ['cell_over_voltage'],
  });
  of_pack.t_ms = of_pack.mono_ms = t_ms;
  of_pack.column(CellMetric.voltage_v).fill(voltage_v);
  of_pack.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  return of_pack;
}

function judge(alerts: AlertService, t_ms: number, voltage_v: number): void {
  alerts.judge(0, { reading: reading(t_ms, voltage_v) }, t_ms, t_ms);
  alerts.finishMoment(t_ms, t_ms);
}

test('every rule says what it judges and where its limits come from, in configuration order', () => {
  const { rules, version, changed } = makeAlerts().settings();
  expect([Object.keys(rules), version, changed]).toEqual([['soc_low', 'cell_voltage_high'], 0, null]);
  expect(rules.soc_low).toMatchObject({
    label: 'State of charge low',
    scope: 'pack',
    metric: 'soc_pct',
    metric_label: 'state of charge',
    unit: '%',
    direction: 'below',
    limits: [{ chemistry: 'lfp', warning: 10, critical: 3, hysteresis: 5, from: 'default' }],
    raise_after_ms: 60_000,
    next_check: 'Charge it',
    is_changed: false,
  });
});

test('a change holds over the configuration, as a numbered version, also after a restart', async () => {
  const documents = new MemoryDocuments();
  const alerts = makeAlerts(documents);
  const first = { rules: { soc_low: { limits: [{ battery: 'north', warning: 12 }], raise_after_ms: 0 } } };
  await alerts.changeSettings({ ...first, note: 'the new inverter' }, ada);
  const second = { rules: { cell_voltage_high: { limits: [{ critical: 3.7 }] } } };
  const reply = await alerts.changeSettings(second, { by: 'mo', at_ms: 2000 });
  expect(reply).toMatchObject({ version: 2, changed: { at_ms: 2000, by: 'mo', note: null } });
  expect(reply.rules.soc_low).toMatchObject({ raise_after_ms: 0, is_changed: true });
  expect(reply.rules.soc_low.limits.at(-1)).toEqual({
    battery: 'north',
    warning: 12,
    from: 'settings, version 2',
  });
  const kept = await documents.list('alert-rules');
  expect(kept.map(({ id }) => id)).toEqual(['000000001', '000000002']);
  const restarted = makeAlerts(documents);
  await restarted.restore(0, 0);
  expect(restarted.settings()).toEqual(reply);
  const undone = await restarted.changeSettings({ rules: { soc_low: null } }, ada);
  expect(undone.rules.soc_low).toMatchObject({ raise_after_ms: 60_000, is_changed: false });
});

test('thresholds that were stored in their first form are taken over', async () => {
  const documents = new MemoryDocuments();
  const thresholds = {
    soc_low: { raise_at: 12, clear_at: 18, delay_ms: 1000 },
    cell_voltage_critical_high_lfp: { raise_at: 3.7, clear_at: 3.6, delay_ms: 0 },
  };
  await documents.put('settings', 'thresholds', { thresholds });
  const alerts = makeAlerts(documents);
  await alerts.restore(0, 0);
  const { rules } = alerts.settings();
  expect(rules.soc_low.limits.at(-1)).toEqual({ warning: 12, hysteresis: 6, from: 'settings' });
  expect(rules.cell_voltage_high).toMatchObject({ critical_after_ms: 0 });
  expect(rules.cell_voltage_high.limits.at(-1)).toMatchObject({ chemistry: 'lfp', critical: 3.7 });
});

test.each([
  [{ unknown: {} }, 'rules.unknown: no such rule; the rules are soc_low, cell_voltage_high'],
  [
    { soc_low: { limits: [{ chemistry: 'lfp', warning: 2 }] } },
    'rules.soc_low.limits[0].warning: found 2, expected at least 3, the critical limit',
  ],
  [
    { cell_voltage_high: { limits: [{ critical: 3.65, hysteresis: 4 }] } },
    'rules.cell_voltage_high.limits[0].hysteresis: found 4, expected a limit and a hysteresis that leave room between 0.5 and 5 V: it would clear at -0.35 V, never',
  ],
  [
    { soc_low: { limits: [{ battery: 'north', pack: 'n1', warning: 20 }] } },
    'rules.soc_low.limits[0]: found battery and pack, expected one of pack, battery, profile, chemistry',
  ],
  [
    { soc_low: { limits: [{ battery: 'nort', warning: 20 }] } },
    'rules.soc_low.limits[0].battery: found "nort", expected the id of a battery in use; did you mean "north"?',
  ],
  [
    { cell_voltage_high: { limits: [{ critical: { over: ['soc_pct'], at: [[0, 50]], limits: [3.6] } }] } },
    'rules.cell_voltage_high.limits[0].critical.limits: found 1 entries, expected 2, one for each value of soc_pct',
  ],
])('a rule that cannot be is refused with the place: %j', async (rules, message) => {
  const alerts = makeAlerts();
  await expect(alerts.changeSettings({ rules: rules as never }, ada)).rejects.toThrow(message);
  expect(alerts.settings().version).toBe(0);
});

test('a changed rule neither doubles nor resets what is active, and clears it by its new limits', async () => {
  const recorded: Alert[] = [];
  const alerts = makeAlerts(undefined, recorded, [makeRule()]);
  judge(alerts, 1000, 3.7);
  await alerts.changeSettings({ rules: { cell_voltage_high: { limits: [{ critical: 3.72 }] } } }, ada);
  judge(alerts, 2000, 3.7);
  expect(recorded.map(({ change }) => change)).toEqual(['raised']);
  judge(alerts, 3000, 3.66);
  expect(recorded.map(({ change }) => change)).toEqual(['raised', 'cleared']);
});

test('a delay goes on over a restart, and acknowledgement, shelving and occurrences are kept', async () => {
  const documents = new MemoryDocuments();
  const recorded: Alert[] = [];
  const first = makeAlerts(documents, recorded, [high]);
  judge(first, 0, 3.7);
  judge(first, 4000, 3.7);
  await first.stop(4000, 4000);
  const second = makeAlerts(documents, recorded, [high]);
  await second.restore(4500, 4500);
  judge(second, 5000, 3.7);
  expect(recorded.map(({ change, changed_ms }) => [change, changed_ms])).toEqual([['raised', 5000]]);
  const [{ id }] = second.open();
  second.acknowledge(id, ada, 'seen');
  second.shelve(id, { by: 'mo', at_ms: 6000 }, { duration_ms: 60_000, reason: 'repair' });
  expect([second.open().length, second.active().length]).toEqual([1, 0]);
  const third = makeAlerts(documents, recorded, [high]);
  await third.restore(7000, 7000);
  expect(third.open()).toEqual(second.open());
  judge(third, 8000, 3.3);
  judge(third, 67_000, 3.3);
  expect(third.open()).toEqual([]);
  const fourth = makeAlerts(documents, recorded, [makeRule()]);
  await fourth.restore(70_000, 70_000);
  judge(fourth, 71_000, 3.7);
  expect(fourth.open()).toMatchObject([{ earlier_occurrences: 1, earlier_ms: 5000, acknowledged: null }]);
});

test('alerts of the gateway are recorded, emitted and listed, and go on after a restart', async () => {
  const recorded: Alert[] = [];
  const alerts = makeAlerts(undefined, recorded);
  const emitted: Alert[] = [];
  alerts.onChange(alert => emitted.push(alert));
  alerts.judgeGateway(FAULTY_STORAGE, 1000, 0);
  alerts.judgeGateway(FAULTY_STORAGE, 11_000, 10_000);
  expect(recorded).toMatchObject([{ rule_id: 'storage_fault', battery_id: null, state: 'active' }]);
  expect(emitted).toEqual(recorded);
  expect(alerts.active()).toEqual(recorded);
  const restarted = makeAlerts(undefined, recorded);
  await restarted.restore(20_000, 20_000);
  expect(restarted.active()).toEqual(emitted);
  restarted.judgeGateway(FAULTY_STORAGE, 30_000, 0);
  restarted.judgeGateway(FAULTY_STORAGE, 90_000, 60_000);
  expect(recorded).toEqual(emitted);
});

test('what is out of service stays so over a restart, and is put back when its time is over', async () => {
  const documents = new MemoryDocuments();
  const recorded: Alert[] = [];
  const alerts = makeAlerts(documents, recorded);
  judge(alerts, 0, 3.8);
  judge(alerts, 5000, 3.8);
  expect(alerts.active()).toHaveLength(1);
  const scope = { rule_id: null, battery_id: 'north', pack_id: 'n1', connection_id: null };
  await alerts.takeOutOfService(scope, { ...ada, until_ms: 60_000, reason: 'rack rebuilt' });
  expect([alerts.active(), alerts.open().length]).toEqual([[], 1]);
  const ended: OutOfService[] = [];
  const after = makeAlerts(documents, recorded, undefined, entry => ended.push(entry));
  await after.restore(20_000, 20_000);
  expect(after.outOfService()).toMatchObject([{ pack_id: 'n1', by: 'ada', reason: 'rack rebuilt' }]);
  judge(after, 20_000, 3.8);
  expect(after.active()).toEqual([]);
  let changes = 0;
  after.onServiceChange(() => changes++);
  judge(after, 60_000, 3.8);
  expect([after.outOfService(), after.active().length, changes]).toEqual([[], 1, 1]);
  expect(ended).toMatchObject([{ pack_id: 'n1' }]);
  expect(await documents.list('out-of-service')).toEqual([]);
});

test('an end of being out of service that was stored before its alerts is made good at the next start', async () => {
  const documents = new MemoryDocuments();
  const recorded: Alert[] = [];
  const alerts = makeAlerts(documents, recorded);
  judge(alerts, 0, 3.8);
  judge(alerts, 5000, 3.8);
  const scope = { rule_id: 'cell_voltage_high', battery_id: 'north', pack_id: 'n1', connection_id: null };
  const { id } = await alerts.takeOutOfService(scope, { ...ada, until_ms: null, reason: 'rack rebuilt' });
  await documents.delete('out-of-service', id);
  const after = makeAlerts(documents, recorded);
  await after.restore(9000, 9000);
  expect(after.active()).toMatchObject([{ out_of_service: null, change: 'in_service' }]);
});

test('delays that run are saved by the first stop; a second one, with the store closed, has nothing to do', async () => {
  const documents = new MemoryDocuments();
  const alerts = makeAlerts(documents);
  await alerts.restore(0, 0);
  judge(alerts, 1000, 3.9);
  await alerts.stop(2000, 2000);
  documents.put = async () => {
    throw new Error('the store is not open');
  };
  await alerts.stop(2100, 2100);
});
