/** A low-rate test (C/10 or slower, from full to empty and back) as branches of the open-circuit curve. */
import { chargeOf, type Series } from '../series/series.ts';

export interface Branch {
  /** Ascending. */
  readonly soc: Float64Array;
  readonly voltage_v: Float64Array;
  readonly current_a: number;
}

export interface OcvTest {
  readonly temperature_c: number;
  readonly discharge: Branch | undefined;
  readonly charge: Branch | undefined;
  /** From full to empty. */
  readonly capacity_ah: number;
  readonly notes: readonly string[];
}

interface Run {
  begin: number;
  end: number;
  ah: number;
  current_a: number;
}

/** Less of the nominal capacity than this in one direction is no test of the curve. */
const LEAST_SHARE = 0.6;
/** A counter that comes back to its start no nearer than this cannot place the charge branch. */
const CLOSING_SHARE = 0.03;

export function readOcvTest(series: Series, nominal_ah: number, temperature_c: number): OcvTest | string {
  const ah = chargeOf(series);
  const runs = steadyRuns(series, ah, nominal_ah);
  const down = longest(runs.filter(run => run.ah < 0));
  const up = longest(runs.filter(run => run.ah > 0));
  const isLong = (run: Run | undefined) => run && Math.abs(run.ah) >= LEAST_SHARE * nominal_ah;
  if (!isLong(down) && !isLong(up)) {
    const best = Math.max(0, ...runs.map(run => Math.abs(run.ah)));
    return (
      `${series.name}: found no steady charge or discharge below C/7 of more than ${best.toFixed(2)} Ah, ` +
      `expected one over the whole ${nominal_ah} Ah (a low-rate test)`
    );
  }
  const notes: string[] = [];
  let capacity_ah = isLong(up) ? (up as Run).ah : 0;
  let discharge: Branch | undefined;
  if (down && isLong(down)) {
    let least = ah[down.end];
    for (let i = down.begin; i < series.length; i++) {
      if (up && i >= up.begin && up.begin > down.end) break;
      least = Math.min(least, ah[i]);
    }
    capacity_ah = ah[down.begin] - least;
    discharge = branch(series, down, row => 1 + (ah[row] - ah[down.begin]) / capacity_ah);
  }
  let charge: Branch | undefined;
  if (up && isLong(up)) {
    const span_ah = discharge && down && up.begin > down.end ? spanUp(series, ah, up) : up.ah;
    if (!discharge || Math.abs(span_ah / capacity_ah - 1) <= CLOSING_SHARE)
      charge = branch(series, up, row => (ah[row] - ah[up.begin]) / (discharge ? span_ah : capacity_ah));
    else {
      const found = `${span_ah.toFixed(3)} Ah charged after ${capacity_ah.toFixed(3)} Ah discharged`;
      notes.push(`${series.name}: found ${found}, expected the same; the charge branch is left out`);
    }
  }
  return { temperature_c, discharge, charge, capacity_ah, notes };
}

/** What was charged in all from the begin of a run to the last moment of the test. */
function spanUp(series: Series, ah: Float64Array, up: Run): number {
  let most = ah[up.end];
  for (let i = up.end; i < series.length; i++) most = Math.max(most, ah[i]);
  return most - ah[up.begin];
}

const longest = (runs: readonly Run[]) =>
  runs.reduce<Run | undefined>(
    (best, run) => (best && Math.abs(best.ah) >= Math.abs(run.ah) ? best : run),
    undefined,
  );

/** Rows in which about the same low current flows. */
function steadyRuns(series: Series, ah: Float64Array, nominal_ah: number): Run[] {
  const { current_a, length } = series;
  const runs: Run[] = [];
  let run: Run | undefined;
  for (let i = 0; i < length; i++) {
    const a = current_a[i];
    const isLow = Math.abs(a) > nominal_ah / 250 && Math.abs(a) < nominal_ah / 7;
    if (run && isLow && Math.abs(a - run.current_a) < 0.15 * Math.abs(run.current_a)) {
      run.end = i;
      run.ah = ah[i] - ah[run.begin];
      continue;
    }
    run = undefined;
    if (!isLow) continue;
    run = { begin: i, end: i, ah: 0, current_a: a };
    runs.push(run);
  }
  return runs;
}

function branch(series: Series, run: Run, socOf: (row: number) => number): Branch {
  const points: [number, number][] = [];
  for (let i = run.begin; i <= run.end; i++)
    if (Number.isFinite(series.voltage_v[i])) points.push([socOf(i), series.voltage_v[i]]);
  points.sort((a, b) => a[0] - b[0]);
  return {
    soc: Float64Array.from(points, ([soc]) => soc),
    voltage_v: Float64Array.from(points, ([, v]) => v),
    current_a: run.current_a,
  };
}
