/** The cell models that come with the program, by chemistry. */
import { join } from 'node:path';
import type { CellModel, Chemistry } from '../../core/estimate/model/cell-model.ts';
import { readModelFile } from './estimate.ts';

const FOLDER = join(import.meta.dirname, '../../core/estimate/models');
/** Chemistries that have no model of their own; the nearest in its curve. */
const NEAREST: Partial<Record<Chemistry, Chemistry>> = { lmo: 'lco' };

export function shippedModel(chemistry: Chemistry): CellModel {
  return readModelFile(join(FOLDER, `${NEAREST[chemistry] ?? chemistry}.yaml`));
}
