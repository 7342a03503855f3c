/** Which cell model and which capacity the estimates of each pack rest on; a model file is read and checked here. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describeError } from '../../core/errors.ts';
import {
  type CellModel,
  CHEMISTRIES,
  type Chemistry as ModelChemistry,
} from '../../core/estimate/model/cell-model.ts';
import { readModel } from '../../core/estimate/model/model-file.ts';
import { formatProblem, type Path } from '../../core/schema/problem.ts';
import { type EstimatePlan, noEstimates } from '../estimates/plan.ts';
import { shippedModel } from '../estimates/shipped-models.ts';
import { DEFAULTS } from './defaults.ts';
import type { ExpandedPack } from './expand-packs.ts';
import type { Findings } from './findings.ts';
import type { Config } from './schema.ts';

const NONE = 'none';
/** Of a model's own capacity; beyond it is another cell. */
const MIN_RATIO = 0.3;
const MAX_RATIO = 3;

/** In the order of the packs. `directory`: files are meant from there. */
export function estimatePlans(
  { batteries }: Config,
  packs: readonly ExpandedPack[],
  directory: string,
  findings: Findings,
): EstimatePlan[] {
  const files = new ModelFiles(directory, findings);
  const plans = new Map<string, EstimatePlan>();
  return packs.map(({ battery, entry, path }) => {
    // Packs of a range are alike.
    const key = path.join();
    const known = plans.get(key);
    if (known) return known;
    const of_battery = batteries[battery];
    const place = (name: 'cell_model' | 'nominal_ah') =>
      entry[name] === undefined ? ['batteries', battery, name] : [...path, name];
    const plan = planOf(
      entry.cell_model ?? of_battery.cell_model,
      entry.nominal_ah ?? of_battery.nominal_ah,
      of_battery.chemistry ?? DEFAULTS.chemistry,
      entry.cells,
      place,
      files,
      findings,
    );
    plans.set(key, plan);
    return plan;
  });
}

function planOf(
  wanted: string | undefined,
  nominal_ah: number | undefined,
  chemistry: string,
  cells: number,
  place: (name: 'cell_model' | 'nominal_ah') => Path,
  files: ModelFiles,
  { problems, warnings }: Findings,
): EstimatePlan {
  if (wanted === NONE) return noEstimates('switched off by "cell_model: none"');
  const named = wanted ?? chemistry;
  if (isShipped(named)) {
    const nominal_from = nominal_ah === undefined ? 'device' : 'configuration';
    const shared = { is_own: false, nominal_ah, nominal_from, reason: undefined } as const;
    return cells === 0
      ? noEstimates('the device reports no single cell')
      : { model: shippedModel(named), ...shared };
  }
  if (wanted === undefined) return noEstimates(`there is no cell model of chemistry "${chemistry}"`);
  const model = files.read(wanted, place('cell_model'));
  if (!model) return noEstimates('the model cannot be read');
  if (model.chemistry !== chemistry)
    warnings.push({
      path: place('cell_model'),
      found: `a model of ${model.chemistry} in a battery of ${chemistry}`,
      expected: 'a model of the same chemistry',
    });
  const ratio = (nominal_ah ?? model.nominal_ah) / model.nominal_ah;
  if (ratio < MIN_RATIO || ratio > MAX_RATIO)
    problems.push({
      path: place('nominal_ah'),
      found: `${nominal_ah} Ah`,
      expected: `about the ${model.nominal_ah} Ah of the model "${model.name}"`,
    });
  if (cells === 0) return noEstimates('the device reports no single cell');
  const nominal_from = nominal_ah === undefined ? 'model' : 'configuration';
  return { model, is_own: true, nominal_ah: nominal_ah ?? model.nominal_ah, nominal_from, reason: undefined };
}

const isShipped = (name: string): name is ModelChemistry => (CHEMISTRIES as readonly string[]).includes(name);

/** Each read once. */
class ModelFiles {
  readonly #directory: string;
  readonly #findings: Findings;
  readonly #read = new Map<string, CellModel | undefined>();

  constructor(directory: string, findings: Findings) {
    this.#directory = directory;
    this.#findings = findings;
  }

  read(name: string, path: Path): CellModel | undefined {
    const file = resolve(this.#directory, name);
    if (!this.#read.has(file)) this.#read.set(file, this.#load(file, path));
    return this.#read.get(file);
  }

  #load(file: string, path: Path): CellModel | undefined {
    const expected = `a cell model as \`bms-gateway fit-cell\` writes it, one of ${CHEMISTRIES.join(', ')}, or none`;
    try {
      const { model, problems } = readModel(file, readFileSync(file, 'utf8'));
      for (const problem of problems.slice(0, 5))
        this.#findings.problems.push({ path, found: formatProblem(problem), expected });
      return model;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const found = code === 'ENOENT' ? `no file ${file}` : `${file}: ${describeError(error)}`;
      this.#findings.problems.push({ path, found, expected });
      return undefined;
    }
  }
}
