/**
 * A program that knows more quantities than the one that stored a reading reads the same from it. Beside the slow tests
 * because only those load modules in a way in which another table can stand in.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { Metric } from '../../core/metrics.ts';
import type { Golden } from '../../daemon/store/format/golden/golden.ts';

const METRICS = '../../core/metrics.ts';
const GOLDEN = join(import.meta.dirname, '../../daemon/store/format/golden');

afterEach(() => {
  vi.doUnmock(METRICS);
  vi.resetModules();
});

/** What this program makes of the golden readings once its tables are so much longer. */
async function readWith(golden: Golden, more_values: number, more_columns: number) {
  vi.resetModules();
  vi.doMock(METRICS, async importOriginal => {
    const known = await importOriginal<typeof import('../../core/metrics.ts')>();
    const longer = (metrics: readonly Metric[], more: number) => [
      ...metrics,
      ...Array.from({ length: more }, (_, i) => ({ ...metrics[0], name: `later_${i}` })),
    ];
    return {
      ...known,
      PACK_METRICS: longer(known.PACK_METRICS, more_values),
      CELL_METRICS: longer(known.CELL_METRICS, more_columns),
    };
  });
  const { ReadingDecoder } = await import('../../core/reading/codec.ts');
  const { BodyTokens } = await import('../../core/reading/codec-tokens.ts');
  const { meaningOf } = await import('../../daemon/store/format/golden/golden.ts');
  const { openChunk } = await import('../../daemon/store/format/chunk.ts');
  const { groupValues } = await import('../../daemon/store/format/chunk-series.ts');
  const decoder = new ReadingDecoder();
  const tokens = new BodyTokens();
  const readings = golden.readings.map(({ bytes }) => {
    const body = Buffer.from(bytes, 'hex');
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    const reading = decoder.decode(view, 0, body.length);
    if (typeof reading === 'number') return reading;
    return { ...meaningOf(reading), splits: tokens.split(view, 0, body.length) };
  });
  const series = openChunk(Buffer.from(golden.chunk.bytes, 'hex')).map(group => [...groupValues(group, {})]);
  return { readings, series };
}

test('readings and histories are the same with any longer table', async () => {
  const files = readdirSync(GOLDEN).filter(file => /^stored-\d+\.json$/.test(file));
  for (const file of files) {
    const golden: Golden = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8'));
    const today = await readWith(golden, 0, 0);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.nat(12), async (values, columns) => {
        const later = await readWith(golden, values, columns);
        expect(later.series).toEqual(today.series);
        expect(later.readings).toEqual(today.readings);
      }),
      { numRuns: 12 },
    );
  }
});
