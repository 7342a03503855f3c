/** The cell models that come with the program, by chemistry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CellModel, Chemistry } from '../../core/estimate/model/cell-model.ts';
import { readModel } from '../../core/estimate/model/model-file.ts';
import { formatProblems } from '../../core/schema/problem.ts';

const FOLDER = join(import.meta.dirname, '../../core/estimate/models');
/** Chemistries that have no model of their own; the nearest in its curve. */
const NEAREST: Partial<Record<Chemistry, Chemistry>> = { lmo: 'lco' };
const models = new Map<string, CellModel>();

export function shippedModel(chemistry: Chemistry): CellModel {
  const file = join(FOLDER, `${NEAREST[chemistry] ?? chemistry}.yaml`);
  const known = models.get(file);
  if (known) return known;
  const { model, problems } = readModel(file, readFileSync(file, 'utf8'));
  if (!model) throw new Error(formatProblems(problems).join('\n'));
  models.set(file, model);
  return model;
}
