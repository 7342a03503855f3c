/** A cell model as YAML: read with a check of everything an estimator relies on, and written. */
import { Document, isScalar, visit } from 'yaml';
import type { Finding, Problem } from '../../schema/problem.ts';
import { checkYaml } from '../../schema/yaml-document.ts';
import { CellModel, type Grid } from './cell-model.ts';

export interface ReadModel {
  readonly model: CellModel | undefined;
  readonly problems: readonly Problem[];
}

/** `file` is named in problems. */
export function readModel(file: string, text: string): ReadModel {
  const { value, problems, locate } = checkYaml(file, text, CellModel);
  if (!value) return { model: undefined, problems };
  const findings = findingsOf(value);
  return { model: findings.length > 0 ? undefined : value, problems: findings.map(locate) };
}

export function writeModel(model: CellModel): string {
  const document = new Document(model);
  // Numbers in rows, as a table is read; everything else in blocks.
  visit(document, {
    Seq: (_key, list) => {
      list.flow = list.items.every(item => isScalar(item) && typeof item.value === 'number');
    },
  });
  return document.toString({ lineWidth: 110, flowCollectionPadding: false });
}

function findingsOf(model: CellModel): Finding[] {
  const { capacity, ocv, resistance, error } = model;
  const findings: Finding[] = [];
  const add = (path: (string | number)[], found: string, expected: string) =>
    findings.push({ path, found, expected });
  const ascending = (path: string[], values: readonly number[]) => {
    const at = values.findIndex((value, i) => i > 0 && value <= values[i - 1]);
    if (at > 0) add([...path, at], `${values[at]} after ${values[at - 1]}`, 'values that rise');
  };
  const column = (path: string[], values: readonly number[], length: number) => {
    if (values.length !== length)
      add(path, `${values.length} values`, `${length}, one for each of temperature_c`);
  };
  const table = (path: (string | number)[], grid: Grid, rows: number, columns: number) => {
    if (grid.length !== rows) add(path, `${grid.length} rows`, `${rows}, one for each of temperature_c`);
    const odd = grid.findIndex(row => row.length !== columns);
    if (odd >= 0) add([...path, odd], `${grid[odd].length} values`, `${columns}, one for each of soc`);
  };
  if (model.min_v >= model.max_v) add(['min_v'], `${model.min_v}`, `less than max_v (${model.max_v})`);
  ascending(['capacity', 'temperature_c'], capacity.temperature_c);
  column(['capacity', 'ah'], capacity.ah, capacity.temperature_c.length);
  ascending(['ocv', 'temperature_c'], ocv.temperature_c);
  ascending(['ocv', 'soc'], ocv.soc);
  if (ocv.soc.length < 5 || ocv.soc[0] !== 0 || ocv.soc[ocv.soc.length - 1] !== 1)
    add(['ocv', 'soc'], `${ocv.soc.length} values from ${ocv.soc[0]}`, 'five at least, from 0 to 1');
  const size = [ocv.temperature_c.length, ocv.soc.length] as const;
  table(['ocv', 'middle_v'], ocv.middle_v, ...size);
  table(['ocv', 'half_gap_v'], ocv.half_gap_v, ...size);
  ocv.middle_v.forEach((row, c) => {
    const at = row.findIndex((v, i) => i > 0 && v < row[i - 1]);
    if (at > 0)
      add(['ocv', 'middle_v', c, at], `${row[at]} after ${row[at - 1]}`, 'a voltage that does not fall');
  });
  ascending(['resistance', 'temperature_c'], resistance.temperature_c);
  ascending(['resistance', 'soc'], resistance.soc);
  const knots = [resistance.temperature_c.length, resistance.soc.length] as const;
  table(['resistance', 'series_ohm'], resistance.series_ohm, ...knots);
  for (const [i, { ohm }] of resistance.branches.entries())
    table(['resistance', 'branches', i, 'ohm'], ohm, ...knots);
  ascending(['error', 'temperature_c'], error.temperature_c);
  for (const name of ['slow_v', 'fast_v', 'resistance_share'] as const)
    column(['error', name], error[name], error.temperature_c.length);
  return findings;
}
