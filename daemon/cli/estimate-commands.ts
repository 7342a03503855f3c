/** The commands about cells: models of them, and estimates of recordings. */
import { type Command, command } from './command.ts';

export const ESTIMATE_COMMANDS: readonly Command[] = [
  command({
    name: 'fit-cell',
    forms: ['--chemistry NAME --nominal-ah AH --ocv FILE… [--capacity FILE…] [--drive FILE…] --out MODEL'],
    about: "a cell model from a site's own tests: what estimates of charge and health rest on",
    details: `FILE: a CSV of one cell with columns of time, current (positive while charging), voltage and temperature, as
time_s, current_A, voltage_V, temp_C. docs/estimates.md says how a cell is commissioned.`,
    operands: 0,
    options: {
      chemistry: { type: 'string', value: 'NAME', about: 'lfp, nmc, nca, lco, lmo or lto' },
      'nominal-ah': { type: 'string', value: 'AH', about: 'capacity on the label' },
      ocv: { type: 'string', multiple: true, value: 'FILE', about: 'a low-rate test, C/10 or slower' },
      capacity: { type: 'string', multiple: true, value: 'FILE', about: 'a discharge from full to empty' },
      drive: { type: 'string', multiple: true, value: 'FILE', about: 'a drive or load cycle, from full' },
      history: {
        type: 'string',
        multiple: true,
        value: 'FILE',
        about: "weeks of the gateway's own history, where no test was made",
      },
      name: { type: 'string', value: 'TEXT', about: 'of the model' },
      licence: { type: 'string', value: 'TEXT', about: 'of the measurements' },
      out: { type: 'string', value: 'MODEL', about: 'the model, YAML' },
      plot: { type: 'string', value: 'FILE', about: 'the fit as SVG (default: beside the model)' },
    },
    async run({ values }) {
      const { runFitCell } = await import('./fit-cell.ts');
      const {
        ocv = [],
        capacity = [],
        drive = [],
        history = [],
        chemistry,
        name,
        licence,
        out,
        plot,
      } = values;
      const nominal_ah = values['nominal-ah'];
      const wanted = { chemistry, nominal_ah, ocv, capacity, drive, history, name, licence, out, plot };
      return runFitCell(wanted, warn);
    },
  }),
  command({
    name: 'estimate',
    forms: ['MODEL DATA [--initial-soc X] [--capacity-ah AH] [--health] [--out FILE]'],
    about: 'state of charge of a recording, row by row, with its standard deviation',
    details: `MODEL: a cell model of fit-cell. DATA: a CSV as fit-cell takes it; times may be irregular and have gaps. A field is
empty where the estimate is not to be trusted; exit code 1 when none is.`,
    operands: 2,
    options: {
      'initial-soc': { type: 'string', value: 'X', about: "the device's figure at the begin, 0 to 1" },
      'capacity-ah': {
        type: 'string',
        value: 'AH',
        about: 'what the cell holds now (default: as the model)',
      },
      health: { type: 'boolean', about: 'add soh and soh_sd: capacity over nominal' },
      out: { type: 'string', value: 'FILE', about: '(default: standard output)' },
    },
    async run({ operands: [model_file, data_file], values }) {
      const { estimate } = await import('./estimate.ts');
      const {
        'initial-soc': initial_soc,
        'capacity-ah': capacity_ah,
        health: is_health = false,
        out,
      } = values;
      return estimate({ model_file, data_file, initial_soc, capacity_ah, is_health, out }, warn);
    },
  }),
];

const warn = (line: string) => void process.stderr.write(`${line}\n`);
