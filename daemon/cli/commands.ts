/**
 * Every command of `bms-gateway`: its options, its help, and what it calls. A command is loaded when it is called:
 * `export` beside a running gateway needs none of the memory of the others.
 */
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../core/clock/system-clock.ts';
import { formatProblems } from '../../core/schema/problem.ts';
import type { Environment } from '../config/environment.ts';
import { type Command, command, type Option, type Options } from './command.ts';
import { ESTIMATE_COMMANDS } from './estimate-commands.ts';
import { stateDirectory } from './state-dir.ts';
import { UsageError, wholeNumber } from './usage.ts';

const DEFAULT_CONFIG = '/etc/bms-gateway/config.yaml';

const CONFIG = {
  config: {
    type: 'string',
    short: 'c',
    value: 'FILE',
    about: `the configuration (default: BMS_CONFIG, ${DEFAULT_CONFIG})`,
  },
} as const satisfies Options;
const STATE_DIR = {
  'state-dir': {
    type: 'string',
    value: 'DIR',
    about: 'where the storage lies (default: BMS_STATE_DIR, or that of the installed service)',
  },
} as const satisfies Options;
const PROFILE = {
  type: 'string',
  value: 'ID',
  about: 'a profile; "bms-gateway profiles" lists them',
} as const;
const PROFILE_OPTION = {
  type: 'string',
  multiple: true,
  value: 'NAME=VALUE',
  about: 'an option of the profile',
} as const satisfies Option;

export const COMMANDS: readonly Command[] = [
  command({
    name: 'run',
    forms: ['[--config FILE]'],
    about: `run the gateway (default: BMS_CONFIG, ${DEFAULT_CONFIG})`,
    operands: 0,
    options: CONFIG,
    async run({ config_file = DEFAULT_CONFIG, environment, version }) {
      const { run } = await import('./run.ts');
      return run({ config_file, environment, version });
    },
  }),
  command({
    name: 'check-config',
    forms: ['[FILE]'],
    about: 'check a configuration and say what it describes; exit code 2 when it is wrong',
    operands: 1,
    options: CONFIG,
    async run({ operands, config_file = DEFAULT_CONFIG, env }) {
      const { checkConfig } = await import('../config/check.ts');
      const { ok, lines } = checkConfig(operands[0] ?? config_file, env);
      (ok ? process.stdout : process.stderr).write(`${lines.join('\n')}\n`);
      return ok ? 0 : 2;
    },
  }),
  command({
    name: 'profiles',
    forms: ['[ID]', 'draft --csv FILE [--id ID] [--code 3|4]', 'draft --dbc FILE [--id ID]'],
    about:
      'the devices that can be read, your own among them; all about one of them; a first profile for another',
    details: `draft: a profile to begin with, from the vendor's table of registers (CSV with columns such as address, name,
type, scale, unit) or DBC file. It goes to standard output; what was not guessed to standard error, too.`,
    operands: 1,
    options: {
      csv: { type: 'string', value: 'FILE', about: 'draft: a table of registers' },
      dbc: { type: 'string', value: 'FILE', about: 'draft: a DBC file' },
      id: { type: 'string', value: 'ID', about: 'draft: its id (default: after the file)' },
      code: { type: 'string', value: '3|4', about: 'draft: function that reads the registers (default: 3)' },
      ...CONFIG,
    },
    async run({ operands, values, config_file }) {
      const { csv, dbc, id, code } = values;
      if (operands[0] === 'draft') {
        const { draftProfile } = await import('./draft/command.ts');
        const { text, open } = draftProfile({ csv, dbc, id, code });
        process.stderr.write(open.map(line => `${line}\n`).join(''));
        if (text === '') return 2;
        return print(text);
      }
      if ([csv, dbc, id, code].some(value => value !== undefined))
        throw new UsageError('--csv, --dbc, --id and --code belong to "profiles draft"');
      const { explainProfile, listProfiles } = await import('./profiles.ts');
      const profiles = await knownProfiles(config_file);
      return printLines(operands[0] ? explainProfile(profiles, operands[0]) : listProfiles(profiles));
    },
  }),
  command({
    name: 'decode',
    forms: ['LOG --dbc FILE', 'LOG --profile ID [--cells N] [--address N] [--option NAME=VALUE]'],
    about:
      'what a recording says: each frame of a CAN bus as a DBC file names it, or what a profile makes of it',
    details: `LOG: what candump writes or prints, .asc, .trc, the CSV of SavvyCAN; each also as .gz. With a profile for Modbus:
requests and replies in hex, a pair a line, RTU (with check sums) or TCP; # begins a remark. Exit code 1 when one is
wrong.`,
    operands: 1,
    options: {
      dbc: { type: 'string', value: 'FILE', about: 'a DBC file' },
      profile: PROFILE,
      cells: { type: 'string', value: 'N', about: 'cells of the pack' },
      address: { type: 'string', value: 'N', about: 'address of the pack' },
      option: PROFILE_OPTION,
      ...CONFIG,
    },
    async run({ operands: [log_file], values, config_file }) {
      if (!log_file || (values.dbc === undefined) === (values.profile === undefined))
        throw new UsageError('decode needs a recording and either --dbc FILE or --profile ID');
      if (values.dbc !== undefined) {
        const { decodeWithDbc } = await import('./decode-dbc.ts');
        for await (const line of decodeWithDbc(log_file, values.dbc)) process.stdout.write(`${line}\n`);
        return 0;
      }
      const profiles = await knownProfiles(config_file);
      const profile = profiles.get(values.profile ?? '');
      if (!profile)
        throw new UsageError(`no profile "${values.profile}"; there are ${[...profiles.keys()].join(', ')}`);
      const cells = wholeNumber('--cells', values.cells);
      const address = wholeNumber('--address', values.address);
      const dryRun = { profile, cells, address, options: values.option ?? [] };
      if (profile.transport === 'can') {
        const { decodeWithProfile } = await import('./decode-profile.ts');
        return printLines(await decodeWithProfile(log_file, dryRun));
      }
      const { decodeExchanges } = await import('./decode-modbus.ts');
      const { lines, problems } = await decodeExchanges(log_file, dryRun);
      process.stderr.write(problems.map(line => `${line}\n`).join(''));
      if (lines.length > 0) printLines(lines);
      return problems.length > 0 ? 1 : 0;
    },
  }),
  command({
    name: 'anomaly',
    forms: ['PACK [--out FILE]'],
    about: 'which cells of a recording stand apart from their siblings, and since when',
    details: `PACK: a CSV with columns time, current_A, pack_V and cell_mV_1, cell_mV_2, …, also as .gz. FILE gets cell,first_flagged.
The same is learnt by the gateway of every pack (docs/alerts.md, "Weak cells").`,
    operands: 1,
    options: { out: { type: 'string', value: 'FILE', about: 'the cells that were found, CSV' } },
    async run({ operands: [file], values }) {
      if (!file) throw new UsageError('anomaly needs a recording of a pack, CSV');
      const { anomalyLines, findAnomalies, flaggedCsv } = await import('./anomaly.ts');
      const report = findAnomalies(file);
      if (values.out !== undefined) writeFileSync(values.out, flaggedCsv(report));
      return printLines(anomalyLines(file, report));
    },
  }),
  command({
    name: 'scan',
    forms: ['TARGET [--seconds N] [--units 1-16] [--profile ID] [--json]'],
    about: 'which profiles fit what is on a bus or line, and the configuration for it; read-only',
    async details() {
      const { TARGET_FORMS } = await import('../../drivers/scan/target.ts');
      return `TARGET: ${TARGET_FORMS}.\ndocs/scan.md says more.`;
    },
    operands: 1,
    options: {
      seconds: { type: 'string', value: 'N', about: 'how long to listen' },
      units: { type: 'string', value: '1-16', about: 'Modbus units to ask, or addresses' },
      profile: { ...PROFILE, about: 'try this profile alone' },
      json: { type: 'boolean', about: 'the result as JSON' },
      ...CONFIG,
    },
    async run({ operands, values: { profile, units, seconds, json = false }, config_file }) {
      const { scan } = await import('./scan.ts');
      const wanted = {
        target: operands[0],
        seconds: wholeNumber('--seconds', seconds),
        units,
        profile,
        json,
      };
      const outcome = await scan(wanted, await knownProfiles(config_file));
      print(outcome.text);
      return outcome.code;
    },
  }),
  ...ESTIMATE_COMMANDS,
  command({
    name: 'certificate',
    forms: ['[--config FILE]'],
    about: 'the TLS certificate that is served, with the fingerprint a browser should show',
    operands: 0,
    options: CONFIG,
    async run({ config_file = DEFAULT_CONFIG, environment }) {
      const { describeCertificate } = await import('./certificate.ts');
      return printLines(describeCertificate(config_file, environment));
    },
  }),
  command({
    name: 'setup-code',
    forms: ['[--new] [--state-dir DIR]'],
    about:
      'the code that makes the first administrator; --new: another one, which also recovers a lost administrator',
    operands: 0,
    options: {
      new: { type: 'boolean', about: 'make another one (needs to write the state directory)' },
      ...STATE_DIR,
    },
    async run({ values, env, environment }) {
      const { setupCode } = await import('./setup-code.ts');
      return print(await setupCode(stateDirectoryOf(values, env, environment), values.new ?? false));
    },
  }),
  command({
    name: 'hash-password',
    forms: [''],
    about: 'reads a password, prints its hash for the table users at the centre',
    operands: 0,
    options: {},
    async run() {
      const { hashPassword } = await import('./hash-password.ts');
      return print(await hashPassword(process.stdin));
    },
  }),
  command({
    name: 'migrate',
    forms: ['[--check]'],
    about: 'bring the central database up to this program; --check: only say what it lacks',
    operands: 0,
    options: {
      check: { type: 'boolean', about: 'change nothing; exit code 1 when something is pending' },
      ...CONFIG,
    },
    async run({ values: { check = false }, config_file = DEFAULT_CONFIG, environment }) {
      const { migrate } = await import('./migrate.ts');
      const done = await migrate({ check, config_file, environment });
      print(done.text);
      return done.code;
    },
  }),
  command({
    name: 'export',
    forms: ['--from TIME [--to TIME] [--pack ID] [--output FILE]'],
    about: 'readings as CSV or JSON lines, oldest first, also while the gateway runs',
    details: 'TIME: 2026-01-31, 2026-01-31T08:00Z, or so long ago: 90m, 24h, 7d.',
    operands: 0,
    options: {
      from: { type: 'string', value: 'TIME', about: 'begin of the span' },
      to: { type: 'string', value: 'TIME', about: 'end of the span, excluded (default: now)' },
      pack: { type: 'string', multiple: true, value: 'ID', about: 'only this pack (default: all)' },
      rows: {
        type: 'string',
        value: 'cell|pack',
        about: 'a row per cell and moment, or per pack and moment (default: cell)',
      },
      format: { type: 'string', value: 'csv|ndjson', about: '(default: csv)' },
      output: {
        type: 'string',
        value: 'FILE',
        about: '(default: standard output); a file that is there is not written over',
      },
      ...STATE_DIR,
    },
    async run({ values, env, environment }) {
      const { exportReadings } = await import('./export.ts');
      return exportReadings(values, stateDirectoryOf(values, env, environment), systemClock.wallMs());
    },
  }),
  command({
    name: 'backup',
    forms: ['DIRECTORY [--state-dir DIR]'],
    about: 'a checked copy of all that is stored, into a new directory, also while the gateway runs',
    details: `Readings, alerts, settings, users and the audit log; it is there under its name only once it is whole, and
docs/storage.md says how it is put back. Not in it: who is logged in, the key that signs logins, the TLS key, the
set-up code, the configuration.`,
    operands: 1,
    options: STATE_DIR,
    async run({ operands, values, env, environment, version }) {
      const { backup } = await import('./backup.ts');
      const place = { state_dir: stateDirectoryOf(values, env, environment), directory: operands[0] };
      return backup(place, version, systemClock);
    },
  }),
  command({
    name: 'simulate',
    forms: [
      '--profile ID [--config FILE] --listen TARGET [options]',
      '--config FILE --listen CONNECTION=TARGET [--listen …]',
    ],
    about:
      'virtual hardware for other programs: batteries of any profile on a CAN interface, a TCP port, a serial line or a pty',
    async details() {
      const { describeServeForms } = await import('../../sim/transports.ts');
      return `Every device answers and broadcasts in the bytes of its profile. With --config alone the packs on the file's
virtual connections are served; with --profile beside it a profile of your own, from the folder "profiles" beside that
file, which need not be there yet.

TARGET:
${describeServeForms().join('\n')}`;
    },
    operands: 0,
    options: {
      listen: { type: 'string', multiple: true, value: 'TARGET', about: 'where it is served' },
      profile: PROFILE,
      ...CONFIG,
      packs: { type: 'string', value: 'N', about: 'how many, on addresses one after the other (default: 1)' },
      address: { type: 'string', value: 'N', about: "address of the first (default: the profile's)" },
      cells: {
        type: 'string',
        value: 'N',
        about: 'of each pack (default: as many as the profile carries, at most 16)',
      },
      sensors: { type: 'string', value: 'N', about: 'temperature sensors of each pack' },
      option: PROFILE_OPTION,
      chemistry: { type: 'string', value: 'lfp|nmc', about: '(default: lfp)' },
      capacity: { type: 'string', value: 'AH', about: 'of every cell (default: 100)' },
      seed: { type: 'string', value: 'N', about: 'same seed, same batteries (default: 1)' },
      load: { type: 'string', value: 'solar|drive', about: 'what the site does (default: solar)' },
      'time-scale': { type: 'string', value: 'N', about: 'simulated seconds per second (default: 1)' },
      interval: {
        type: 'string',
        value: 'MS',
        about: 'new values this often (default: 1000, or that of --config)',
      },
      fault: {
        type: 'string',
        multiple: true,
        value: 'KIND:PACK[:CELL]',
        about: 'weak_cell, overheating, stuck_sensor or dead_unit, as weak_cell:pack-1:3',
      },
      seconds: { type: 'string', value: 'N', about: 'stop after this long (default: at Ctrl-C)' },
    },
    async run({ values, config_file, environment }) {
      const { simulate } = await import('./simulate.ts');
      const profiles = await loadedProfiles(config_file);
      return simulate(values, { config_file: values.config, environment, profiles });
    },
  }),
  command({
    name: 'demo',
    forms: [''],
    about: 'a simulated fleet of 1,000 cells with dashboard and PostgreSQL',
    operands: 0,
    options: { config: { ...CONFIG.config, about: 'another configuration than that of the demo' } },
    async run({ config_file, environment, version }) {
      const { demo } = await import('./demo.ts');
      return demo({ config_file, environment, version });
    },
  }),
];

function stateDirectoryOf(
  values: { readonly 'state-dir'?: string | undefined },
  env: NodeJS.ProcessEnv,
  { state_dir }: Environment,
): string {
  const is_named = env.BMS_STATE_DIR || env.STATE_DIRECTORY;
  return stateDirectory(values['state-dir'] ?? (is_named ? state_dir : undefined), state_dir);
}

/** With those in the folder `profiles` beside the configuration; that file itself need not be there yet. */
async function knownProfiles(config_file = DEFAULT_CONFIG) {
  return (await loadedProfiles(config_file)).profiles;
}

async function loadedProfiles(config_file = DEFAULT_CONFIG) {
  const { loadProfilesFor } = await import('../../drivers/profiles/load.ts');
  const loaded = loadProfilesFor(config_file);
  for (const line of formatProblems(loaded.problems)) process.stderr.write(`profile left out: ${line}\n`);
  return loaded;
}

function printLines(lines: readonly string[]): number {
  return print(`${lines.join('\n')}\n`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
