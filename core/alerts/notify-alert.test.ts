/** Of notifications that do not go through the gateway raises an alert, which ends as soon as something does. */
import { expect, test } from 'vitest';
import { GatewayBench } from './testing/gateway-bench.ts';

test('raised with the reason after a second failure, updated when others fail, cleared at once', () => {
  const box = new GatewayBench();
  const failing = (...ids: string[]) => {
    box.parts = { ...box.parts, notify: { failing: ids.map(id => ({ id, reason: 'connection refused' })) } };
  };
  failing('office');
  expect(box.pass(10_000)).toEqual([]);
  expect(box.pass(5000)).toMatchObject([
    {
      rule_id: 'notify_failed',
      severity: 'warning',
      change: 'raised',
      message: 'Notifications do not go through to "office" (connection refused)',
    },
  ]);
  expect(box.pass(60_000)).toEqual([]);
  failing('office', 'scada');
  expect(box.pass(5000)).toMatchObject([{ change: 'updated', message: expect.stringContaining('"scada"') }]);
  failing('scada');
  expect(box.pass(5000)).toMatchObject([{ change: 'updated' }]);
  failing();
  expect(box.pass(5000)).toMatchObject([{ rule_id: 'notify_failed', change: 'cleared' }]);
});
