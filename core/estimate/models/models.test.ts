/** The cell models that are shipped: sound, and each with its source, licence and whether it was verified. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatProblem } from '../../schema/problem.ts';
import { readModel } from '../model/model-file.ts';

const FOLDER = import.meta.dirname;
const files = readdirSync(FOLDER).filter(name => name.endsWith('.yaml'));

test.each(files)('%s is sound and says where it comes from', file => {
  const { model, problems } = readModel(file, readFileSync(join(FOLDER, file), 'utf8'));
  expect(problems.map(formatProblem)).toEqual([]);
  if (!model) throw new Error('no model');
  expect(file).toBe(`${model.chemistry}.yaml`);
  expect(model.origin.join(' ')).not.toMatch(/A123|Plett/i);
  expect(model.origin.join(' ')).toMatch(/doi|J\. Electrochem\.|IEEE|ESSL1/);
  const [low, high] = [model.ocv.middle_v[0][0], model.ocv.middle_v[0].at(-1) ?? 0];
  expect(low).toBeGreaterThan(model.min_v - 0.3);
  expect(high).toBeLessThan(model.max_v);
  expect(model.verified).toBe(file === 'nca.yaml');
});
