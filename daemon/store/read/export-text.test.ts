/** Lines of an export: CSV and JSON say the same, and what the reading says. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CELL_METRICS, PACK_METRICS, roundTo } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { QUALITY_NAMES } from '../../../core/reading/quality.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { cellId } from '../../../core/topology/topology.ts';
import { type ExportForm, ExportText } from './export-text.ts';

const shape = { cell_count: 3, sensor_count: 0, device_alarms: [] };
const moment = { pack_id: 'rack-1', t_ms: Date.UTC(2026, 0, 7) + 250, certain: false };
const anyValue = fc.tuple(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 3 }));

function linesOf(form: ExportForm, reading: PackReading): string[] {
  const text = new ExportText(form, 1);
  text.head();
  text.reading(reading, moment);
  return Buffer.from(text.done())
    .toString()
    .trimEnd()
    .split(form.format === 'csv' ? '\r\n' : '\n');
}

/** As the columns of a line name them. */
function expectedCells(reading: PackReading): object[] {
  const current = { ...shownOf(PACK_METRICS[1], reading.values[1], reading.value_quality[1]) };
  return Array.from({ length: shape.cell_count }, (_, cell) => ({
    cell_id: cellId('rack-1', cell + 1),
    ...current,
    ...Object.assign(
      {},
      ...CELL_METRICS.map((metric, m) =>
        shownOf(metric, reading.column(m)[cell], reading.columnQuality(m)[cell]),
      ),
    ),
  }));
}

const shownOf = (
  metric: (typeof PACK_METRICS)[number] | (typeof CELL_METRICS)[number],
  value: number,
  quality: number,
) => ({
  // Not the zero that is below zero: JSON has none.
  [metric.name]: quality === 0 ? null : roundTo(metric, value) + 0,
  [`${metric.name}_quality`]: QUALITY_NAMES[quality],
});

test('any reading', () => {
  const values = fc.array(anyValue, {
    minLength: PACK_METRICS.length + CELL_METRICS.length * shape.cell_count,
    maxLength: PACK_METRICS.length + CELL_METRICS.length * shape.cell_count,
  });
  fc.assert(
    fc.property(values, fc.constantFrom(Number.NaN, 250), fc.boolean(), (all, age, is_repeated) => {
      const reading = new PackReading(0, shape);
      reading.newest_age_ms = age;
      reading.oldest_age_ms = age;
      reading.is_repeated = is_repeated;
      all.forEach(([value, quality], i) => {
        const at = i - PACK_METRICS.length;
        const [into, qualities, k] =
          at < 0 ? [reading.values, reading.value_quality, i] : [reading.cells, reading.cell_quality, at];
        into[k] = quality === 0 ? Number.NaN : value;
        qualities[k] = quality;
      });
      const whole = {
        time: '2026-01-07T00:00:00.250Z',
        t_ms: moment.t_ms,
        pack_id: 'rack-1',
        time_certain: false,
        newest_age_ms: Number.isNaN(age) ? null : age,
        oldest_age_ms: Number.isNaN(age) ? null : age,
        is_repeated,
      };
      const packs = PACK_METRICS.map((metric, m) =>
        shownOf(metric, reading.values[m], reading.value_quality[m]),
      );
      const expected = {
        cell: expectedCells(reading).map(cell => ({ ...whole, ...cell })),
        pack: [Object.assign({ ...whole }, ...packs)],
      };
      for (const rows of ['cell', 'pack'] as const) {
        const objects = linesOf({ rows, format: 'ndjson' }, reading).map(line => JSON.parse(line));
        expect(objects).toEqual(expected[rows]);
        const [head, ...lines] = linesOf({ rows, format: 'csv' }, reading);
        expect(head.split(',')).toEqual(Object.keys(objects[0]));
        expect(lines).toEqual(
          objects.map(object =>
            Object.values(object)
              .map(value => value ?? '')
              .join(','),
          ),
        );
      }
    }),
    { numRuns: runsOf(200) },
  );
});
