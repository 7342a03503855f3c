/** Cell models as files: what is written is read back; what an estimator could not use is named with its place. */
import { expect, test } from 'vitest';
import { formatProblem } from '../../schema/problem.ts';
import { madeModel } from '../testing/made-cell.ts';
import type { CellModel } from './cell-model.ts';
import { readModel, writeModel } from './model-file.ts';

test('what is written is read back the same', () => {
  const model = madeModel('lfp');
  const { model: read, problems } = readModel('a.yaml', writeModel(model));
  expect(problems).toEqual([]);
  expect(read).toEqual(model);
});

const WRONG: readonly [string, (model: CellModel) => object, RegExp][] = [
  [
    'another format',
    model => ({ ...model, format: 'x' }),
    /format: found "x", expected bms-gateway-cell-model\/1/,
  ],
  [
    'an unknown chemistry',
    model => ({ ...model, chemistry: 'lpf' }),
    /chemistry: found "lpf".*did you mean "lfp"/,
  ],
  [
    'a curve that falls',
    model => ({ ...model, ocv: { ...model.ocv, middle_v: [model.ocv.middle_v[0].toReversed()] } }),
    /ocv\.middle_v\[0\]\[1\]: found 4.1 after 4.19, expected a voltage that does not fall/,
  ],
  [
    'a row too few',
    model => ({
      ...model,
      resistance: { ...model.resistance, series_ohm: model.resistance.series_ohm.slice(1) },
    }),
    /resistance\.series_ohm: found 3 rows, expected 4/,
  ],
  [
    'a value too few',
    model => ({ ...model, ocv: { ...model.ocv, half_gap_v: [[0, 0]] } }),
    /ocv\.half_gap_v\[0\]: found 2 values, expected 13/,
  ],
  [
    'temperatures that fall',
    model => ({ ...model, capacity: { temperature_c: [25, 10], ah: [3, 3] } }),
    /capacity\.temperature_c\[1\]: found 10 after 25, expected values that rise/,
  ],
  [
    'an end missing',
    model => ({ ...model, ocv: { ...model.ocv, soc: model.ocv.soc.map(s => s * 0.9) } }),
    /ocv\.soc: found 13 values from 0, expected five at least, from 0 to 1/,
  ],
];

test.each(WRONG)('%s is named', (_, change, message) => {
  const changed = change(madeModel()) as CellModel;
  const { model, problems } = readModel('m.yaml', writeModel(changed));
  expect(model).toBeUndefined();
  expect(problems.map(formatProblem).join('\n')).toMatch(message);
});
