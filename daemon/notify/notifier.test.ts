/** Who is notified of what and when: grouping, bounds, quiet hours, escalation, failures, restarts. */
import { expect, test } from 'vitest';
import { NotifyBench, policy, route } from './testing/notify-bench.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function started(...fields: ConstructorParameters<typeof NotifyBench>): Promise<NotifyBench> {
  const bench = new NotifyBench(...fields);
  await bench.start();
  return bench;
}

test('what is raised is notified within the time of a group, and recovered to whom it was', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(4000);
  expect(bench.received).toEqual([]);
  await bench.advance(3000);
  expect(bench.events()).toEqual(['raised p0']);
  const [{ subject, text, alerts }] = bench.received;
  expect(subject).toBe('[CRITICAL] North: raised: Pack 0: cell_high');
  expect(text).toBe(
    'Test site, North\n\nCRITICAL raised at 2026-01-01 01:00:00 GMT+1\nNorth, p0: Pack 0: cell_high\n' +
      'Check next: Look at it\nhttps://box/pack/p0?cell=3&from=1767225000000&to=1767226200000\n\n' +
      'Gateway gw, 2026-01-01 01:00:06 GMT+1\nhttps://box\n',
  );
  const url = 'https://box/pack/p0?cell=3&from=1767225000000&to=1767226200000';
  expect(alerts).toMatchObject([{ event: 'raised', pack_id: 'p0', cell_no: 3, occurrence: 1, url }]);
  bench.clear(0);
  await bench.advance(10_000);
  expect(bench.events()).toEqual(['raised p0', 'recovered p0']);
  expect(bench.received[1].text).toContain('CRITICAL recovered at 2026-01-01 01:00:07 GMT+1');
  await bench.advance(HOUR_MS);
  expect(bench.received).toHaveLength(2);
});

test('alerts of a battery go in one message, those of another in one of their own', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(2000);
  bench.raise(1, 'warning');
  bench.raise(2);
  await bench.advance(10_000);
  expect(bench.events().sort()).toEqual(['raised p0, raised p1', 'raised p2']);
  expect(bench.received[0].subject).toBe('[CRITICAL] North: raised: 2 alerts');
});

test('what is over before it is sent is not sent, and counted', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(2000);
  bench.clear(0);
  await bench.advance(HOUR_MS);
  expect(bench.received).toEqual([]);
  expect(bench.notifier.status()?.counters.notify_alerts_withdrawn).toBe(1);
});

test('while the server is away the message is checked before each attempt: what has cleared leaves it', async () => {
  const bench = await started();
  bench.answer = 'refused';
  bench.raise(0);
  bench.raise(1);
  await bench.advance(30_000);
  expect(bench.attempts).toBeGreaterThan(1);
  expect(bench.notifier.view().receivers).toMatchObject([{ state: 'down', reason: 'refused' }]);
  bench.clear(0);
  bench.raise(2);
  bench.answer = 'accepted';
  await bench.advance(HOUR_MS);
  expect(bench.events()).toEqual(['raised p1, raised p2']);
  expect(bench.received[0].text).toContain('Gathered while messages could not be delivered.');
  expect(bench.notifier.view().receivers).toMatchObject([{ state: 'ok', reason: null }]);
});

test('all of it over: the message is withdrawn, and the receiver still counts as failing', async () => {
  const bench = await started();
  bench.answer = 'refused';
  bench.raise(0);
  await bench.advance(10_000);
  bench.clear(0);
  await bench.advance(MINUTE_MS);
  expect(bench.notifier.view().notifications).toMatchObject([{ outcome: 'withdrawn', reply: 'refused' }]);
  expect(bench.notifier.failing()).toEqual([{ id: 'office', reason: 'refused' }]);
  await bench.kill();
  expect(bench.notifier.failing()).toEqual([{ id: 'office', reason: 'refused' }]);
  bench.answer = 'accepted';
  await bench.notifier.test('office');
  expect(bench.notifier.failing()).toEqual([]);
});

test('shelved and suppressed alerts are not notified; from the shelf they are', async () => {
  const bench = await started();
  bench.raise(0);
  bench.raise(1);
  bench.book.shelve(bench.alertOf(0)!.id, bench.act, bench.clock.wallMs() + HOUR_MS, 'repair', bench.emit);
  const p1 = { index: 1, battery_id: 'north', pack_id: 'p1', connection_id: null };
  bench.book.suppress('cell_high', p1, 'cause', bench.clock.wallMs(), bench.emit);
  await bench.advance(MINUTE_MS);
  expect(bench.received).toEqual([]);
  bench.book.unshelve(bench.alertOf(0)!.id, bench.act, bench.emit);
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p0']);
});

test('an alert that gets worse is notified again, once; to whom only critical ones go it is raised then', async () => {
  const bench = await started({
    receivers: ['office', 'boss'].map(id => ({ ...policy().receivers[0], id })),
    routes: [route(), route({ to: ['boss'], severities: ['critical'] })],
  });
  bench.raise(0, 'warning');
  await bench.advance(MINUTE_MS);
  bench.worsen(0, 'critical');
  await bench.advance(MINUTE_MS);
  bench.worsen(0, 'warning');
  await bench.advance(MINUTE_MS);
  bench.worsen(0, 'critical');
  await bench.advance(MINUTE_MS);
  bench.clear(0);
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p0', 'worsened p0', 'recovered p0']);
  expect(bench.events('boss')).toEqual(['raised p0', 'recovered p0']);
});

test('another occurrence before it is acknowledged is notified as one', async () => {
  const bench = await started();
  for (let i = 0; i < 2; i++) {
    bench.raise(0);
    await bench.advance(MINUTE_MS);
    bench.clear(0);
    await bench.advance(MINUTE_MS);
  }
  expect(bench.events()).toEqual(['raised p0', 'recovered p0', 'raised p0', 'recovered p0']);
  expect(bench.received[2].alerts).toMatchObject([{ occurrence: 2 }]);
  expect(bench.received[2].text).toContain('Occurrence 2; the first at 2026-01-01 01:00:00 GMT+1');
});

test('never more than so many messages in an hour; what is more comes in one digest after it', async () => {
  const bench = await started({ max_per_hour: 3, group_ms: 0 });
  for (let i = 0; i < 10; i++) {
    bench.raise(i % 4, 'warning', `rule_${i}`);
    await bench.advance(2 * MINUTE_MS);
  }
  expect(bench.received).toHaveLength(3);
  await bench.advance(HOUR_MS);
  expect(bench.received).toHaveLength(4);
  expect(bench.received[3]).toMatchObject({ kind: 'digest' });
  expect(bench.received[3].alerts).toHaveLength(7);
  expect(bench.received[3].text).toContain('more than 3 messages an hour');
});

test('the bound holds over restarts', async () => {
  const bench = await started({ max_per_hour: 3, group_ms: 0 });
  for (let i = 0; i < 10; i++) {
    bench.raise(i % 4, 'warning', `rule_${i}`);
    await bench.advance(MINUTE_MS);
    await bench.kill();
  }
  expect(bench.received).toHaveLength(3);
});

test('quiet hours: warnings wait until they are over, critical ones break through', async () => {
  // The bench begins at 01:00 in Berlin.
  const bench = await started({ quiet_hours: { from_min: 22 * 60, to_min: 6 * 60, except: ['critical'] } });
  bench.raise(0, 'warning');
  bench.raise(2, 'warning');
  await bench.advance(HOUR_MS);
  expect(bench.received).toEqual([]);
  bench.raise(1, 'critical');
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p1']);
  await bench.advance(3 * HOUR_MS + 58 * MINUTE_MS);
  expect(bench.received).toHaveLength(1);
  await bench.advance(2 * MINUTE_MS);
  expect(bench.events()).toEqual(['raised p1', 'raised p0, raised p2']);
  expect(bench.received[1].text).toContain('Held back in quiet hours.');
});

test('a route for the digest gathers until its time, also over a restart', async () => {
  const bench = await started({ routes: [route({ when: 'digest' })] });
  bench.raise(0, 'warning');
  await bench.advance(HOUR_MS);
  bench.raise(2, 'info');
  await bench.advance(HOUR_MS);
  await bench.kill();
  await bench.advance(3 * HOUR_MS + 59 * MINUTE_MS);
  expect(bench.received).toEqual([]);
  await bench.advance(2 * MINUTE_MS);
  expect(bench.received).toHaveLength(1);
  expect(bench.received[0]).toMatchObject({
    kind: 'digest',
    subject: '[WARNING] Several batteries: digest: 2 alerts',
  });
});

test('what nobody acknowledges goes to further receivers after its time, once, also over a restart', async () => {
  const bench = await started({
    receivers: ['office', 'boss'].map(id => ({ ...policy().receivers[0], id })),
    routes: [route({ escalate_after_ms: 30 * MINUTE_MS, escalate_to: ['boss', 'office'] })],
  });
  bench.raise(0);
  bench.raise(2);
  await bench.advance(20 * MINUTE_MS);
  bench.book.acknowledge(bench.alertOf(2)!.id, bench.act, null, bench.emit);
  await bench.kill();
  expect(bench.events('boss')).toEqual([]);
  await bench.advance(11 * MINUTE_MS);
  expect(bench.events('boss')).toEqual(['escalated p0']);
  expect(bench.events().slice(2)).toEqual(['escalated p0']);
  await bench.advance(HOUR_MS);
  bench.clear(0);
  bench.clear(2);
  await bench.advance(MINUTE_MS);
  expect(bench.events('boss')).toEqual(['escalated p0', 'recovered p0']);
  expect(bench.events().slice(3).sort()).toEqual(['recovered p0', 'recovered p2']);
});

test('routes: by battery, by severity, by rule; alerts of the gateway not for users', async () => {
  const receiver = policy().receivers[0];
  const bench = await started({
    receivers: [
      { ...receiver, id: 'south' },
      { ...receiver, id: 'silence' },
      { ...receiver, id: 'user', role: 'user' },
      { ...receiver, id: 'admin' },
    ],
    routes: [
      route({ to: ['south'], batteries: ['south'], about: ['batteries'], severities: ['warning'] }),
      route({ to: ['silence'], rules: ['device_alarm'] }),
      route({ to: ['user', 'admin'], about: ['gateway'] }),
    ],
  });
  bench.raise(0, 'warning');
  bench.raise(2, 'warning');
  bench.raise(3, 'critical');
  bench.raise(1, 'info', 'device_alarm/E7');
  bench.raiseOfGateway();
  await bench.advance(MINUTE_MS);
  expect(bench.events('south')).toEqual(['raised p2']);
  expect(bench.events('silence')).toEqual(['raised p1']);
  expect(bench.events('user')).toEqual([]);
  expect(bench.events('admin')).toEqual(['raised gateway']);
  expect(bench.received.find(({ receiver: to }) => to === 'admin')?.subject).toContain(
    'Gateway: raised: The disk is full',
  );
});

test('killed after the server had it: it comes again, as it was, with the same id', async () => {
  const bench = await started();
  bench.answer = 'killed';
  bench.raise(0);
  await bench.advance(10_000);
  expect(bench.received).toHaveLength(1);
  bench.answer = 'accepted';
  bench.clear(0);
  await bench.kill();
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p0', 'raised p0', 'recovered p0']);
  const [first, second, third] = bench.received;
  expect({ ...second, at_ms: 0 }).toEqual({ ...first, at_ms: 0 });
  expect(third.notification_id).not.toBe(first.notification_id);
});

test('a disk that fails while a message is accepted: that it was sent is stored later, and it goes once', async () => {
  const bench = new NotifyBench();
  await bench.start();
  bench.answer = 'refused';
  bench.raise(0);
  await bench.advance(8000);
  bench.answer = 'accepted';
  bench.disk_fails = true;
  await bench.advance(20_000);
  expect(bench.events()).toEqual(['raised p0']);
  bench.disk_fails = false;
  await bench.advance(11_000);
  await bench.kill();
  await bench.advance(60_000);
  expect(bench.events()).toEqual(['raised p0']);
});

test('an alert that was over while the gateway was off is recovered with what is stored of it', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(MINUTE_MS);
  bench.clear(0);
  bench.book.acknowledge(bench.alertOf(0)!.id, bench.act, null, bench.emit);
  await bench.kill();
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p0', 'recovered p0']);
  expect(bench.received[1].text).toContain('CRITICAL recovered at 2026-01-01 01:01:00 GMT+1');
});

test('what is taken out of the configuration is not called recovered in the text', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(MINUTE_MS);
  const alert = bench.alertOf(0)!;
  bench.book.clear(
    { id: 'cell_high' },
    { index: 0, battery_id: 'north', pack_id: 'p0', connection_id: null },
    0,
    () => {},
  );
  bench.book.acknowledge(alert.id, bench.act, null, () => {});
  bench.emit({ ...alert, state: 'out_of_service', is_open: false });
  await bench.advance(MINUTE_MS);
  expect(bench.received[1].text).toContain('over: its rule or pack is no longer configured');
});

test('a stop while a server stalls ends at once, and it goes again after the next start', async () => {
  const bench = await started();
  bench.answer = 'stalled';
  bench.raise(0);
  await bench.advance(10_000);
  expect(bench.attempts).toBe(1);
  bench.answer = 'accepted';
  await bench.restart();
  await bench.advance(MINUTE_MS);
  expect(bench.events()).toEqual(['raised p0']);
});

test('of a failure to notify the receiver that fails is not notified; the alert is on the disk before anybody is', async () => {
  const bench = await started();
  bench.answer = 'refused';
  bench.raise(0);
  await bench.advance(20_000);
  bench.raiseOfGateway('notify_failed');
  bench.answer = 'accepted';
  // It is cleared at the next check of the gateway, 5 s later at most.
  while (bench.received.length === 0) await bench.advance(1000);
  await bench.advance(4000);
  bench.book.clear(
    { id: 'notify_failed' },
    { index: 0, battery_id: null, pack_id: null, connection_id: null },
    bench.clock.wallMs(),
    bench.emit,
  );
  await bench.advance(HOUR_MS);
  expect(bench.events()).toEqual(['raised p0']);
  expect(bench.flushes).toBe(bench.attempts);
});

test('a test goes at once, is not of the bound, and not twice within seconds', async () => {
  const bench = await started({ max_per_hour: 1 });
  expect(await bench.notifier.test('office')).toEqual({ accepted: true, reply: 'OK' });
  await expect(bench.notifier.test('office')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await expect(bench.notifier.test('nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  bench.raise(0);
  await bench.advance(10_000);
  expect(bench.received.map(({ kind }) => kind)).toEqual(['test', 'alerts']);
  expect(bench.notifier.view().notifications.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
    'alerts sent',
    'test sent',
  ]);
  const { id } = bench.alertOf(0)!;
  expect(bench.notifier.notifiedOf(id)).toMatchObject([{ receiver: 'office', event: 'raised' }]);
});

test('what is kept is bounded, and what is forgotten notifies nobody again', async () => {
  const bench = await started({ group_ms: 0, max_per_hour: 1_000_000 });
  bench.raise(0, 'critical', 'stays');
  for (let i = 0; i < 350; i++) {
    bench.raise(1);
    await bench.advance(2000);
    bench.clear(1);
    bench.book.acknowledge(bench.alertOf(1)!.id, bench.act, null, bench.emit);
    await bench.advance(2000);
  }
  expect(bench.received).toHaveLength(700);
  expect(bench.stored.size).toBeLessThanOrEqual(501);
  await bench.restart();
  await bench.advance(HOUR_MS);
  expect(bench.received).toHaveLength(700);
  bench.clear(0, 'stays');
  await bench.advance(MINUTE_MS);
  expect(bench.events().at(-1)).toBe('recovered p0');
});

test('of what is out of service nobody is notified until it is put back', async () => {
  const bench = await started();
  bench.raise(0);
  await bench.advance(10_000);
  bench.takeOut(1);
  bench.raise(1);
  bench.worsen(1, 'critical');
  await bench.advance(HOUR_MS);
  expect(bench.events()).toEqual(['raised p0']);
  bench.putBack(1);
  await bench.advance(10_000);
  expect(bench.events()).toEqual(['raised p0', 'raised p1']);
});
