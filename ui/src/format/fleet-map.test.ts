/** The map of all cells: every cell has one place, and those that stand out are found. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BatteryDetail } from '../../../core/contract/model.ts';
import { cellAt, layOutMap, outliers } from './fleet-map.ts';

const fleet = fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 8,
});

test('every cell is found again at its place, within the width and its own row', () => {
  fc.assert(
    fc.property(fleet, fc.integer({ min: 150, max: 1200 }), (cells, width) => {
      const layout = layOutMap(cells, width);
      expect(layout.boxes.map(box => box.cells)).toEqual(cells.flat());
      for (const box of layout.boxes) {
        expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-6);
        expect(Math.floor(box.y / layout.row_px)).toBe(box.battery);
        expect(Math.floor((box.y + box.height) / layout.row_px)).toBe(box.battery);
        for (let cell = 0; cell < box.cells; cell++) {
          const found = cellAt(layout, box.x + (cell + 0.5) * layout.cell_px, box.y + box.height / 2);
          expect(found).toEqual({ box, cell });
        }
      }
    }),
  );
});

test('between packs there is no cell', () => {
  const layout = layOutMap([[2, 2]], 400);
  const [first] = layout.boxes;
  expect(cellAt(layout, first.x + first.width + 1, first.y + 1)).toBeUndefined();
});

test('narrow cells take more lines rather than vanish', () => {
  const ten = [Array.from({ length: 10 }, () => 10)];
  expect(new Set(layOutMap(ten, 1100).boxes.map(box => box.y)).size).toBe(1);
  expect(new Set(layOutMap(ten, 230).boxes.map(box => box.y)).size).toBe(2);
});

test('outliers: one of a pack, furthest first, good cells only, noise left out', () => {
  const pack = (id: string, values: number[], quality: string) => ({
    id,
    name: `Pack ${id}`,
    cells: { voltage_v: { values, quality }, temperature_c: { values: [], quality: '' } },
  });
  const packs = [
    pack('calm', [3.3, 3.301, 3.299], 'ggg'),
    pack('weak', [3.3, 3.3, 3.24], 'ggg'),
    pack('doubtful', [3.3, 8.1, 3.3], 'gug'),
    pack('high', [3.3, 3.33, 3.3], 'ggg'),
    pack('silent', [3.3, 3.1, 3.3], 'sss'),
  ];
  const details = [{ packs } as unknown as BatteryDetail];
  expect(outliers(details, 'voltage_v', 3).map(({ pack_id, cell_no }) => [pack_id, cell_no])).toEqual([
    ['weak', 3],
    ['high', 2],
  ]);
  expect(outliers(details, 'voltage_v', 1)).toHaveLength(1);
  expect(outliers(details, 'temperature_c', 3)).toEqual([]);
});
