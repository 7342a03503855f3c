/** The register image and the driver are inverse: what is written is read back, within the register's step. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import { runsOf } from '../../../core/testing/property-runs.ts';
import { bindingOf, startVirtual } from '../testing/line.ts';
import { createSunSpecImage } from './sunspec-image.ts';

const MAPPED = [
  ['voltage_v', 0, 1000, 0.1],
  ['current_a', -2000, 2000, 0.1],
  ['temperature_c', -40, 120, 0.1],
  ['soc_pct', 0, 100, 0.01],
  ['soh_pct', 0, 110, 0.1],
  ['cell_voltage_min_v', 0.5, 5, 0.0001],
  ['cell_voltage_max_v', 0.5, 5, 0.0001],
  ['charge_voltage_limit_v', 0, 1000, 0.1],
  ['charge_current_limit_a', 0, 2000, 0.1],
  ['cycle_count', 0, 100_000, 1],
] as const;

const maybe = (min: number, max: number) =>
  fc.option(fc.double({ min, max, noNaN: true }), { nil: Number.NaN });

test('a reading written to the image comes back through wire, driver and profile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(...MAPPED.map(([, min, max]) => maybe(min, max))),
      fc.array(fc.tuple(maybe(0.5, 5), maybe(-40, 120), fc.constantFrom(0, 1, Number.NaN)), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.constantFrom('charge', 'discharge'),
      fc.constantFrom(0, 3),
      async (values, cells, positive_current_is, string) => {
        const binding = bindingOf({ cells: cells.length, options: { positive_current_is, string } });
        const { image, write } = createSunSpecImage(binding);
        const written = new PackReading(0, binding.shape);
        MAPPED.forEach(([name], i) => {
          written.values[PackMetric[name]] = values[i];
        });
        cells.forEach(([voltage, temperature, balancing], cell) => {
          written.column(CellMetric.voltage_v)[cell] = voltage;
          written.column(CellMetric.temperature_c)[cell] = temperature;
          written.column(CellMetric.balancing)[cell] = balancing;
        });
        written.device_alarm_level.fill(0);
        written.device_alarm_level[1] = 1;
        written.device_alarm_level[5] = 2;
        write(written);
        const bench = startVirtual([binding]);
        bench.hub.attach('link', 1, pdu => image.answer(pdu));
        await bench.run(100);
        expect(bench.driver.health()).toMatchObject({ state: 'up', reason: undefined });
        const read = bench.snapshot(0);
        const limits = string === 0 ? MAPPED : MAPPED.filter(([name]) => !name.includes('limit'));
        for (const [name, , , step] of limits) {
          expectNear(read.values[PackMetric[name]], written.values[PackMetric[name]], step / 2);
        }
        for (const [metric, step] of [
          [CellMetric.voltage_v, 0.0001],
          [CellMetric.temperature_c, 0.1],
          [CellMetric.balancing, 1],
        ]) {
          for (const [cell, value] of read.column(metric).entries()) {
            expectNear(value, written.column(metric)[cell], step / 2 + 1e-5);
          }
        }
        expect(read.value_quality[PackMetric.charge_enabled]).toBe(Quality.missing);
        expect(read.device_alarm_level).toEqual(written.device_alarm_level);
        await bench.driver.stop();
      },
    ),
    { numRuns: runsOf(60) },
  );
});

function expectNear(found: number, wanted: number, tolerance: number): void {
  if (Number.isNaN(wanted)) expect(found).toBeNaN();
  else expect(Math.abs(found - wanted)).toBeLessThanOrEqual(tolerance + 1e-9);
}
