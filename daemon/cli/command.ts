/** What a command of the program is: its forms, its options with their help, what it does. How its words are read. */
import { parseArgs } from 'node:util';
import { describeError } from '../../core/errors.ts';
import { didYouMean } from '../../core/schema/problem.ts';
import type { Environment } from '../config/environment.ts';
import { UsageError } from './usage.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly multiple?: true;
  readonly short?: string;
  /** What stands for its value in the help, such as FILE. */
  readonly value?: string;
  readonly about: string;
}
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { readonly type: 'boolean' }
  ? boolean
  : O extends { readonly multiple: true }
    ? string[]
    : string;
export type Values<O extends Options> = { readonly [Name in keyof O]?: ValueOf<O[Name]> | undefined };

export interface Call<O extends Options> {
  readonly values: Values<O>;
  readonly operands: readonly string[];
  /** Given by option or environment; undefined: neither. */
  readonly config_file: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly environment: Environment;
  readonly version: string;
}

export interface CommandSpec<O extends Options> {
  readonly name: string;
  /** What may stand behind the name, one for each way to call it. */
  readonly forms: readonly string[];
  /** For the list of commands. */
  readonly about: string;
  /** What else its own help says, before the options. */
  readonly details?: string | (() => Promise<string>);
  /** Most words that are no options. */
  readonly operands: number;
  readonly options: O;
  /** Exit code. @throws UsageError, ConfigError, GatewayError */
  readonly run: (call: Call<O>) => Promise<number> | number;
}

export interface Command extends Omit<CommandSpec<Options>, 'run'> {
  /** Reads the words behind the name and runs; prints the help where that is asked for. */
  readonly call: (
    args: readonly string[],
    context: Omit<Call<Options>, 'values' | 'operands'>,
  ) => Promise<number>;
}

const HELP: Option = { type: 'boolean', short: 'h', about: '' };

export function command<const O extends Options>(spec: CommandSpec<O>): Command {
  const { run, ...rest } = spec;
  return {
    ...rest,
    async call(args, context) {
      const { values, positionals } = parse(rest, args);
      if (values.help) {
        process.stdout.write(await helpOf(rest));
        return 0;
      }
      const config_file = (values as { config?: string }).config ?? context.config_file;
      return run({ ...context, config_file, values: values as Values<O>, operands: positionals });
    },
  };
}

function parse({ name, options, operands }: Omit<CommandSpec<Options>, 'run'>, args: readonly string[]) {
  const known = { ...options, help: HELP };
  const parseOptions = Object.fromEntries(
    Object.entries(known).map(([option, { type, multiple = false, short }]) => [
      option,
      { type, multiple, ...(short !== undefined && { short }) },
    ]),
  );
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options: parseOptions, allowPositionals: true });
  } catch (error) {
    const more = `see bms-gateway ${name} --help`;
    const [, unknown] = /^Unknown option '(-[^']*)'/.exec(describeError(error)) ?? [];
    if (unknown === undefined) throw new UsageError(`${name}: ${describeError(error)}; ${more}`);
    const meant = didYouMean(unknown.replace(/^--?/, ''), Object.keys(options)).replace('"', '"--');
    throw new UsageError(`${name} has no option ${unknown}${meant}; ${more}`);
  }
  const beyond = parsed.positionals[operands];
  if (beyond !== undefined)
    throw new UsageError(
      `${name}: found "${beyond}", expected ${operands === 0 ? 'nothing but options' : `no more than ${operands} word${operands > 1 ? 's' : ''}`}; see bms-gateway ${name} --help`,
    );
  return parsed;
}

const COLUMN = 32;
const WIDTH = 120;

/** All commands, as `bms-gateway help` lists them. */
export function listOf(commands: readonly Command[]): string {
  return commands
    .flatMap(({ name, forms, about }) =>
      forms.map((form, i) => inColumns(`${name} ${form}`.trim(), i === forms.length - 1 ? about : '')),
    )
    .join('\n');
}

export async function helpOf({
  name,
  forms,
  about,
  details,
  options,
}: Omit<Command, 'call'>): Promise<string> {
  const calls = forms.map((form, i) =>
    `${i === 0 ? 'Usage:' : '      '} bms-gateway ${name} ${form}`.trimEnd(),
  );
  const listed = Object.entries(options).map(([option, { short, value, about, multiple }]) => {
    const names = `${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`;
    return inColumns(names, multiple ? `${about}; repeatable` : about);
  });
  const parts = [
    calls.join('\n'),
    `${about.slice(0, 1).toUpperCase()}${about.slice(1)}.`,
    typeof details === 'function' ? await details() : details,
    listed.join('\n'),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** What it is, and at the same column what it is about, wrapped. */
function inColumns(what: string, about: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of about.split(' ')) {
    if (line && COLUMN + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(line);
  const head = `  ${what}`;
  if (lines.length === 0) return head;
  const indent = ' '.repeat(COLUMN);
  return head.length < COLUMN
    ? [head.padEnd(COLUMN) + lines[0], ...lines.slice(1).map(one => indent + one)].join('\n')
    : [head, ...lines.map(one => indent + one)].join('\n');
}
