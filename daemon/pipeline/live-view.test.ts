/** A pack in full: each cell with the moment it was updated, however the driver's clock runs. */
import { expect, test } from 'vitest';
import { makeTestSite } from '../server/testing/test-site.ts';

test('every cell has its own moment, the same on each call while nothing new came', () => {
  const { clock, services, setCells, topology } = makeTestSite();
  const { id } = topology.packs[0];
  clock.advance(5000);
  setCells(0, 3.31);
  const updated_ms = clock.wallMs();
  clock.advance(1234);
  const first = services.live.pack(id)?.cell_updated_ms;
  expect(first?.map(t_ms => t_ms !== null && Math.abs(t_ms - updated_ms) <= 5)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  clock.advance(777);
  expect(services.live.pack(id)?.cell_updated_ms).toEqual(first);
});
