/** `anomaly` over what two electric cars recorded for weeks. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findAnomalies, flaggedCsv } from '../../daemon/cli/anomaly.ts';

const CARS = fileURLToPath(new URL('../../../shared/battery-data/ev_pack_faults', import.meta.url));
const isSkipped = !existsSync(CARS) && process.env.CI !== 'true';
if (isSkipped) console.warn(`Measured cars skipped: ${CARS} not found`);

test.skipIf(isSkipped)(
  'of a measured car exactly the two weak cells are named; a healthy one is silent',
  () => {
    const weak = findAnomalies(join(CARS, 'car3.csv.gz'));
    expect(weak.flagged.map(({ cell }) => cell)).toEqual([2, 81]);
    expect(flaggedCsv(weak)).toMatch(
      /^cell,first_flagged\n2,2019-04-16T\d\d:\d\d:\d\d\.000Z\n81,2019-04-16T/,
    );
    const healthy = findAnomalies(join(CARS, 'car1.csv.gz'));
    expect([healthy.flagged, healthy.is_enough]).toEqual([[], true]);
    expect(flaggedCsv(healthy)).toBe('cell,first_flagged\n');
  },
);
