/** `npm run score`: every estimator over the measured sets, disturbed, beside the baseline and the goal. */
import { hasBatteryData } from './battery-data.ts';
import { type HealthScore, healthScores } from './health-score.ts';
import { weakCellsOf } from './pack-score.ts';
import { type SocScore, socScores } from './soc-score.ts';

/** A plain extended Kalman filter with one resistance and capacitance; RMSE and worst, by group and disturbance. */
const BASELINE: Readonly<Record<string, string>> = {
  'Panasonic NCA, 0 °C and above|both': '1.38 / 2.7',
  'Panasonic NCA, below 0 °C|both': '1.55 / 2.5',
  'A123 LFP, 5 °C and above, temperature left out|both': '2.55 / 5.4',
  'A123 LFP, -5 °C, temperature left out|both': '2.55 / 5.4',
  'A123 LFP, 5 °C and above, temperature left out|both, 5 s': '7.6 / -',
  'A123 LFP, -5 °C, temperature left out|both, 5 s': '7.6 / -',
};
const GOAL: Readonly<Record<string, string>> = {
  'Panasonic NCA, 0 °C and above|both, 5 s': '1.0 / 3.0',
  'Panasonic NCA, below 0 °C|both, 5 s': '2.5 / -',
  'A123 LFP, 5 °C and above, temperature left out|both, 5 s': '2.5 / -',
  'A123 LFP, -5 °C, temperature left out|both, 5 s': '5.0 / -',
  'Panasonic NCA, 0 °C and above|none': '0.5 / -',
};

function main(): number {
  if (!hasBatteryData) {
    console.log('skipped: ../shared/battery-data is not on this machine');
    return process.env.CI ? 1 : 0;
  }
  const wanted = process.argv[2];
  if (!wanted || wanted === 'soc') printSoc([...socScores()]);
  if (!wanted || wanted === 'health') printHealth([...healthScores()]);
  if (!wanted || wanted === 'packs') {
    console.log('\nWeak cells of vehicles (goal: car3 2 and 81, car1 none)');
    for (const car of ['car3', 'car1']) console.log(`  ${car}: ${weakCellsOf(car).join(', ') || 'none'}`);
  }
  return 0;
}

function printSoc(scores: readonly SocScore[]): void {
  console.log(
    'State of charge, % (fit: the first cycle at each temperature; judged: the others, or the one left out)',
  );
  console.log(
    '"worst" after 10 min: mean over files; then the worst file. 90 %: how often truth lies in the stated 90 %\n',
  );
  const columns = [
    'disturbance',
    'files',
    'RMSE',
    'MAE',
    'worst',
    'worst file',
    'min to 5 %',
    '90 %',
    'baseline',
    'goal',
  ];
  const widths = [28, 6, 6, 6, 6, 30, 11, 6, 12, 9];
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => cell.padEnd(widths[i])).join(' '));
  for (const [group, ofGroup] of Map.groupBy(scores, ({ group }) => group)) {
    console.log(group);
    line(columns);
    for (const [disturbance, rows] of Map.groupBy(ofGroup, ({ disturbance }) => disturbance)) {
      const mean = (of: (score: SocScore) => number) =>
        rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
      const worst = rows.reduce((most, row) => (row.worst > most.worst ? row : most));
      const key = `${group}|${disturbance}`;
      const file = worst.file.replace(/^.*\/drive_|\.csv$/g, '');
      line([
        disturbance,
        String(rows.length),
        mean(row => row.rmse).toFixed(2),
        mean(row => row.mae).toFixed(2),
        mean(row => row.worst).toFixed(1),
        `${worst.worst.toFixed(1)} ${file}`,
        mean(row => (Number.isNaN(row.minutes) ? 999 : row.minutes)).toFixed(1),
        mean(row => row.covered).toFixed(0),
        BASELINE[key] ?? '',
        GOAL[key] ?? '',
      ]);
    }
    console.log('');
  }
  console.log('Calibration, by temperature (both, 5 s)');
  for (const [file, rows] of Map.groupBy(
    scores.filter(({ disturbance }) => disturbance === 'both, 5 s'),
    ({ file, group }) =>
      `${file.replace(/^.*\/drive_|_Cycle.*$|\.csv$/g, '')}${group.endsWith('left out') ? ', left out' : ''}`,
  ))
    console.log(
      `  ${file.padEnd(24)} ${(rows.reduce((sum, row) => sum + row.covered, 0) / rows.length).toFixed(0)} %`,
    );
}

function printHealth(scores: readonly HealthScore[]): void {
  console.log('\nState of health, % of nominal, as stated at the end of each cycle');
  const widths = [52, 7, 6, 6, 6, 11, 5];
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, i) => cell.padEnd(widths[i])).join(' '));
  line(['cell', 'cycles', 'MAE', 'worst', '90 %', 'baseline', 'goal']);
  for (const { name, cycles, mae, worst, covered, baseline, goal } of scores)
    line([name, String(cycles), mae.toFixed(2), worst.toFixed(1), covered.toFixed(0), baseline, goal]);
}

process.exitCode = main();
