/**
 * Whatever happens, in whatever order: alerts come and go, are acknowledged and shelved, servers refuse, stall and lose,
 * the gateway is stopped and killed. Nothing is lost, nothing is notified twice, recovered comes only after raised, and
 * no hour has more than the bound.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInForce } from '../../core/alerts/lifecycle.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import { type Answer, NotifyBench, type Received } from './testing/notify-bench.ts';

const HOUR_MS = 3_600_000;
const MAX_PER_HOUR = 2;

const pack = fc.integer({ min: 0, max: 3 });
const severity = fc.constantFrom('critical' as const, 'warning' as const);
const answers: Answer[] = ['accepted', 'refused', 'lost', 'arrived', 'killed', 'killed', 'stalled'];
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('raise' as const), pack, severity }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('clear' as const), pack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('worsen' as const), pack }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), pack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shelve' as const), pack }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unshelve' as const), pack }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 600_000 })),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('answer' as const), answer: fc.constantFrom(...answers) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type AnyStep = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function run(bench: NotifyBench, one: AnyStep): Promise<void> {
  switch (one.do) {
    case 'raise':
      if (!isActive(bench, one.pack)) bench.raise(one.pack, one.severity);
      return;
    case 'clear':
      return bench.clear(one.pack);
    case 'worsen':
      return bench.worsen(one.pack, 'critical');
    case 'wait':
      return bench.advance(one.ms);
    case 'answer':
      bench.answer = one.answer;
      return;
    case 'kill':
      return bench.kill();
    case 'restart':
      return bench.restart();
    default: {
      const id = bench.alertOf(one.pack)?.id;
      if (id === undefined) return;
      if (one.do === 'acknowledge') bench.book.acknowledge(id, bench.act, null, bench.emit);
      else if (one.do === 'unshelve') bench.book.unshelve(id, bench.act, bench.emit);
      else bench.book.shelve(id, bench.act, bench.clock.wallMs() + HOUR_MS, 'test', bench.emit);
    }
  }
}

const isActive = (bench: NotifyBench, index: number) =>
  bench.book.find('cell_high', { index, battery_id: null, pack_id: null, connection_id: null }) !== undefined;

/** As a receiver sees it that drops what comes again with an id that it has. */
function withoutCopies(received: readonly Received[]): Received[] {
  return received.filter(
    ({ notification_id }, i) => received.findIndex(one => one.notification_id === notification_id) === i,
  );
}

test('nothing lost, nothing twice, recovered only after raised, never more than the bound', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
      const bench = new NotifyBench({ max_per_hour: MAX_PER_HOUR });
      await bench.start();
      for (const one of steps) await run(bench, one);
      bench.answer = 'accepted';
      await bench.kill();
      await bench.advance(2.5 * HOUR_MS);
      await bench.restart();

      for (const { at_ms } of bench.received) {
        const within = bench.received.filter(one => one.at_ms > at_ms - HOUR_MS && one.at_ms <= at_ms);
        expect(within.length).toBeLessThanOrEqual(MAX_PER_HOUR);
      }
      const said = withoutCopies(bench.received).flatMap(({ alerts }) => alerts);
      const names = said.map(({ alert_id, occurrence, event }) => `${event} ${occurrence} of ${alert_id}`);
      expect(names).toEqual([...new Set(names)]);
      const last = new Map<string, (typeof said)[number]>();
      for (const one of said) {
        const before = last.get(one.alert_id);
        if (one.event !== 'raised') expect(before, `before ${one.event}`).toBeDefined();
        if (one.event !== 'raised') expect(before?.event).not.toBe('recovered');
        last.set(one.alert_id, one);
      }
      for (const alert of bench.book.all().filter(isInForce)) {
        const { event, occurrence } = last.get(alert.id) ?? {};
        expect({ event, occurrence }, alert.id).toEqual({
          event: expect.stringMatching(/raised|worsened/),
          occurrence: alert.occurrences,
        });
      }
      const open = new Map(bench.book.all().map(alert => [alert.id, alert]));
      for (const [alert_id, { event }] of last) {
        const alert = open.get(alert_id);
        const isOver = !alert || (alert.state !== 'active' && !alert.shelved);
        if (isOver) expect(event, alert_id).toBe('recovered');
      }
    }),
    { numRuns: runsOf(40) },
  );
});
