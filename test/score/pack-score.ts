/** Weak cells of two electric vehicles, from what their own systems recorded. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { WeakCells } from '../../core/estimate/weak/weak-cells.ts';
import { dataFile } from './battery-data.ts';

/** A twentieth of the capacity of such a pack. */
const REST_A = 6;

/** The cells that are called weak, from 1, the weakest first. */
export function weakCellsOf(car: string): number[] {
  const text = gunzipSync(readFileSync(dataFile(`ev_pack_faults/${car}.csv.gz`))).toString('latin1');
  const [heading, ...lines] = text.trimEnd().split('\n');
  const names = heading.split(',');
  const at = names.flatMap((name, i) => (name.startsWith('cell_mV_') ? [i] : []));
  const current = names.indexOf('current_A');
  const cells = new WeakCells(at.length, REST_A);
  const voltages = new Float64Array(at.length);
  let last_s = Number.NaN;
  for (const line of lines) {
    const row = line.split(',');
    const now_s = Date.parse(`${row[0]}Z`) / 1000;
    for (let i = 0; i < at.length; i++)
      voltages[i] = Number(row[at[i]]) > 1000 ? Number(row[at[i]]) / 1000 : Number.NaN;
    cells.observe(now_s - last_s, row[current] === '' ? Number.NaN : Number(row[current]), voltages);
    last_s = now_s;
  }
  return cells.found().map(({ cell }) => cell + 1);
}
