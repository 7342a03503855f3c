/**
 * `node test/score/make-models.ts`: writes the cell models that are shipped (core/estimate/models): NCA and LFP from
 * sets whose licence allows it, with attribution, the others from published curves.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CellModel } from '../../core/estimate/model/cell-model.ts';
import { writeModel } from '../../core/estimate/model/model-file.ts';
import { shippedLfp } from './essl1-model.ts';
import { publishedModels } from './published-cells.ts';
import { fitPanasonic } from './soc-score.ts';

const FOLDER = fileURLToPath(new URL('../../core/estimate/models/', import.meta.url));

const nca: CellModel = {
  ...fitPanasonic(),
  name: 'NCA 18650, 2.9 Ah (Panasonic NCR18650PF)',
  origin: [
    'Fitted to: Phillip Kollmeyer, Panasonic 18650PF Li-ion Battery Data, Mendeley Data (2018), doi:10.17632/wykht8y7tg.1, CC BY 4.0: C/20 test at 25 °C, first drive cycle at each of 25, 10, 0, -10 and -20 °C',
  ],
  licence: 'CC BY 4.0',
};

for (const model of [nca, shippedLfp(), ...publishedModels()]) {
  const file = `${FOLDER}${model.chemistry}.yaml`;
  writeFileSync(file, writeModel(model));
  console.log(`${file}: ${model.name}`);
}
