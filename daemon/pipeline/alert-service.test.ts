/** Thresholds as an administrator sees and changes them. */
import { expect, test } from 'vitest';
import type { Alert, ThresholdRule } from '../../core/alerts/alert.ts';
import { FAULTY_STORAGE, MemoryDocuments, makeTestSite } from '../server/testing/test-site.ts';
import { AlertService } from './alert-service.ts';

const soc_low: ThresholdRule = {
  id: 'soc_low',
  label: 'State of charge low',
  severity: 'warning',
  chemistry: 'lfp',
  on: { scope: 'pack', metric: 'soc_pct' },
  direction: 'below',
  raise_at: 10,
  clear_at: 15,
  delay_ms: 60_000,
};
const spread: ThresholdRule = {
  id: 'spread',
  label: 'Cells drift apart',
  severity: 'info',
  on: { scope: 'pack', metric: 'cell_voltage_spread_v' },
  direction: 'above',
  raise_at: 0.3,
  clear_at: 0.2,
  delay_ms: 0,
};

function makeAlerts(documents = new MemoryDocuments(), recorded: Alert[] = []): AlertService {
  const { topology } = makeTestSite();
  const store = {
    documents,
    appendAlert: (alert: Alert) => void recorded.push(alert),
    alerts: async () => recorded.filter(({ state }) => state === 'active'),
  };
  return new AlertService(
    topology,
    [soc_low, spread],
    { silent_after_ms: 1, deviceAlarmLabel: (_, code) => code },
    store,
  );
}

test('every rule says what it judges, in configuration order', () => {
  const { thresholds } = makeAlerts().settings();
  expect(Object.keys(thresholds)).toEqual(['soc_low', 'spread']);
  expect(thresholds.soc_low).toEqual({
    label: 'State of charge low',
    severity: 'warning',
    scope: 'pack',
    metric: 'soc_pct',
    metric_label: 'state of charge',
    unit: '%',
    direction: 'below',
    chemistry: 'lfp',
    raise_at: 10,
    clear_at: 15,
    delay_ms: 60_000,
  });
  expect(thresholds.spread).toMatchObject({
    metric_label: 'cell voltage spread',
    unit: 'V',
    chemistry: null,
  });
});

test('a change holds for the rules it names, also after a restart, and nothing but thresholds is kept', async () => {
  const documents = new MemoryDocuments();
  const alerts = makeAlerts(documents);
  const before = alerts.settings();
  const change = { raise_at: 12, clear_at: 18, delay_ms: 0 };
  const reply = await alerts.changeSettings({ thresholds: { soc_low: change } });
  expect(reply.thresholds).toEqual({
    ...before.thresholds,
    soc_low: { ...before.thresholds.soc_low, ...change },
  });
  expect(await documents.get('settings', 'thresholds')).toEqual({
    thresholds: { soc_low: change, spread: { raise_at: 0.3, clear_at: 0.2, delay_ms: 0 } },
  });
  const restarted = makeAlerts(documents);
  await restarted.restore(0);
  expect(restarted.settings()).toEqual(reply);
});

test('a threshold that would flicker is refused with what is allowed', async () => {
  const wrong = { thresholds: { soc_low: { raise_at: 12, clear_at: 11, delay_ms: 0 } } };
  await expect(makeAlerts().changeSettings(wrong)).rejects.toThrow(
    'thresholds.soc_low.clear_at: found 11, expected a value at or above raise_at (12)',
  );
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
  await restarted.restore(20_000);
  expect(restarted.active()).toEqual(emitted);
  restarted.judgeGateway(FAULTY_STORAGE, 30_000, 0);
  restarted.judgeGateway(FAULTY_STORAGE, 90_000, 60_000);
  expect(recorded).toEqual(emitted);
});
