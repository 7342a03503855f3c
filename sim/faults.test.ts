/** The fault board: what it refuses and how it says so, and when a fault is at work. */
import { expect, test } from 'vitest';
import { GatewayError } from '../core/errors.ts';
import { FaultBoard } from './faults.ts';

const board = () =>
  new FaultBoard([
    { pack_id: 'rack-01', cell_count: 10 },
    { pack_id: 'rack-02', cell_count: 16 },
  ]);

test.each([
  [{ kind: 'hot', pack: 'rack-01', cell: 1 }, /fault\.kind: found "hot", expected one of weak_cell/],
  [{ kind: 'weak_cell', cell: 1 }, /fault: found no pack/],
  [{ kind: 'weak_cell', pack: 'rack-01' }, /fault\.cell: found nothing, expected a cell number from 1 to 10/],
  [
    { kind: 'weak_cell', pack: 'rack-02', cell: 17 },
    /fault\.cell: found 17, expected a cell number from 1 to 16/,
  ],
  [{ kind: 'weak_cell', pack: 'rack-02', cell: 0 }, /fault\.cell: found 0, expected .*at least 1/],
  [{ kind: 'dead_unit', pack: 'rack-3' }, /fault\.pack: found "rack-3", expected .*rack-01, rack-02/],
  [
    { kind: 'dead_unit', pack: 'rack-01', for_s: 0 },
    /fault\.for_s: found 0, expected a number greater than 0/,
  ],
  [{ kind: 'dead_unit', pack: 'rack-01', when: 3 }, /found when, expected only kind, pack/],
  ['weak_cell', /found "weak_cell", expected a fault/],
  [null, /found nothing, expected a fault/],
])('refuses %j', (fault, message) => {
  const order = () => board().add(fault, 0, 'fault', 'BAD_REQUEST');
  expect(order).toThrow(GatewayError);
  expect(order).toThrow(message);
});

test('a fault waits, works and is over at the times ordered', () => {
  const faults = board();
  const id = faults.add(
    { kind: 'overheating', pack: 'rack-02', cell: 3, after_s: 10, for_s: 5 },
    1000,
    'fault',
    'BAD_REQUEST',
  );
  expect(faults.activeAt(10_999)).toEqual([]);
  expect(faults.list(10_999)).toMatchObject([{ id, state: 'waiting' }]);
  expect(faults.activeAt(11_000)).toMatchObject([{ kind: 'overheating', index: 1, cell: 2 }]);
  expect(faults.list(11_000)).toMatchObject([{ id, kind: 'overheating', state: 'active' }]);
  expect(faults.activeAt(15_999)).toHaveLength(1);
  expect(faults.activeAt(16_000)).toEqual([]);
  expect(faults.list(16_000)).toEqual([]);
});

test('a fault without an end stays until it is removed, once', () => {
  const faults = board();
  const id = faults.add({ kind: 'dead_unit', pack: 'rack-01' }, 0, 'fault', 'BAD_REQUEST');
  expect(faults.activeAt(1e12)).toMatchObject([{ kind: 'dead_unit', index: 0, cell: -1 }]);
  expect(faults.remove(id)).toBe(true);
  expect(faults.remove(id)).toBe(false);
  expect(faults.activeAt(1e12)).toEqual([]);
});

test('faults are bounded', () => {
  const faults = board();
  const order = () => faults.add({ kind: 'dead_unit', pack: 'rack-01' }, 0, 'fault', 'BAD_REQUEST');
  for (let k = 0; k < 1000; k++) order();
  expect(order).toThrow(/found 1000 faults already/);
});
