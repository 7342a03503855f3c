/** What is out of service: judged, but of no force, until it is put back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Alert } from './alert.ts';
import { AlertBook } from './alert-book.ts';
import { isInForce, lifecycleOf } from './lifecycle.ts';
import { OutOfServiceList, type ServiceScope, serviceId } from './out-of-service.ts';

const PACK = { index: 0, battery_id: 'b', pack_id: 'p1', connection_id: null };
const GATEWAY = { index: 0, battery_id: null, pack_id: null, connection_id: null };
const RULE = { id: 'cell_high', severity: 'critical' } as const;

function open() {
  const list = new OutOfServiceList();
  const book = new AlertBook('run', list.of);
  const emitted: Alert[] = [];
  const emit = (alert: Alert) => void emitted.push(alert);
  const take = (scope: ServiceScope, t_ms: number, until_ms: number | null = null) => {
    list.put({ ...scope, id: serviceId(scope), by: 'mo', at_ms: t_ms, until_ms, reason: 'sensor replaced' });
    book.applyService(t_ms, 'mo', emit);
  };
  const putBack = (scope: ServiceScope, t_ms: number) => {
    list.remove(serviceId(scope));
    book.applyService(t_ms, 'mo', emit);
  };
  return { list, book, emitted, emit, take, putBack };
}

test('an alert that is active goes out of service with reason and person, and comes back in force', () => {
  const { book, emit, emitted, take, putBack } = open();
  book.raise(RULE, PACK, { message: 'high' }, 1, emit);
  take({ ...PACK, rule_id: 'cell_high' }, 2, 100);
  const [alert] = book.all();
  expect(alert).toMatchObject({
    change: 'out_of_service',
    changed_by: 'mo',
    state: 'active',
    out_of_service: { by: 'mo', at_ms: 2, until_ms: 100, reason: 'sensor replaced' },
  });
  expect([lifecycleOf(alert), isInForce(alert)]).toEqual(['out_of_service', false]);
  putBack({ ...PACK, rule_id: 'cell_high' }, 3);
  expect(emitted.at(-1)).toMatchObject({ change: 'in_service', out_of_service: null });
  expect(book.all().map(isInForce)).toEqual([true]);
});

test('what is raised of a pack that is out of service is so from the start; its occurrences as well', () => {
  const { book, emit, emitted, take } = open();
  take({ ...PACK, rule_id: null }, 1);
  book.raise(RULE, PACK, { message: 'high' }, 2, emit);
  book.clear(RULE, PACK, 3, emit);
  book.raise(RULE, PACK, { message: 'high' }, 4, emit);
  expect(emitted).toHaveLength(3);
  expect(emitted.some(isInForce)).toBe(false);
  book.raise(RULE, { ...PACK, index: 1, pack_id: 'p2' }, { message: 'high' }, 5, emit);
  book.raise(RULE, { ...GATEWAY, index: 2 }, { message: 'of the gateway' }, 5, emit);
  expect(emitted.slice(3).every(isInForce)).toBe(true);
});

test('rule and pack are apart: one that is put back leaves what the other covers out of service', () => {
  const { book, emit, take, putBack } = open();
  book.raise(RULE, PACK, { message: 'high' }, 1, emit);
  take({ ...PACK, rule_id: null }, 2);
  take({ ...PACK, rule_id: 'cell_high' }, 3);
  putBack({ ...PACK, rule_id: null }, 4);
  expect(book.all()[0].out_of_service).toMatchObject({ at_ms: 3 });
  putBack({ ...PACK, rule_id: 'cell_high' }, 5);
  expect(book.all()[0].out_of_service).toBeNull();
});

test('an alert of the gateway itself, and one of a connection, are taken out alone', () => {
  const { book, emit, take } = open();
  const CONNECTION = { index: 1, battery_id: null, pack_id: null, connection_id: 'can0' };
  book.raise(RULE, GATEWAY, { message: 'of the gateway' }, 1, emit);
  book.raise(RULE, CONNECTION, { message: 'of can0' }, 1, emit);
  take({ ...CONNECTION, rule_id: 'cell_high' }, 2);
  expect(book.all().map(alert => [alert.connection_id, isInForce(alert)])).toEqual(
    expect.arrayContaining([
      [null, true],
      ['can0', false],
    ]),
  );
});

test('over any order of steps an alert is of no force exactly while something covers it', () => {
  const scope = fc.constantFrom<ServiceScope>(
    { ...PACK, rule_id: null },
    { ...PACK, rule_id: 'cell_high' },
    { ...PACK, pack_id: 'p2', rule_id: null },
  );
  const step = fc.record({ do: fc.constantFrom('take', 'back', 'raise', 'clear', 'acknowledge'), scope });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const { list, book, emit, take, putBack } = open();
      steps.forEach((one, t_ms) => {
        if (one.do === 'take') take(one.scope, t_ms);
        if (one.do === 'back') putBack(one.scope, t_ms);
        if (one.do === 'raise' && !book.find(RULE.id, PACK))
          book.raise(RULE, PACK, { message: '' }, t_ms, emit);
        if (one.do === 'clear') book.clear(RULE, PACK, t_ms, emit);
        if (one.do === 'acknowledge')
          for (const { id } of book.all()) book.acknowledge(id, { by: 'mo', at_ms: t_ms }, null, emit);
        for (const alert of book.all()) {
          const isCovered = list.of(alert.rule_id, alert) !== null;
          expect(alert.out_of_service !== null).toBe(isCovered);
          expect(isInForce(alert)).toBe(alert.state === 'active' && !isCovered);
        }
      });
    }),
  );
});

test('ids are the same for the same scope, and other for any other', () => {
  const text = fc.string();
  const scope = fc.record({
    rule_id: fc.option(text.filter(id => id !== '*')),
    pack_id: fc.option(text.filter(id => id !== '')),
    connection_id: fc.constant(null),
    battery_id: fc.constant(null),
  });
  fc.assert(
    fc.property(scope, scope, (a, b) => {
      const isSame = a.rule_id === b.rule_id && a.pack_id === b.pack_id;
      expect(serviceId(a) === serviceId(b)).toBe(isSame);
    }),
  );
});
