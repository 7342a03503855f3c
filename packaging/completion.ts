/** What bash completes after `bms-gateway`, from the table of commands. */
import type { Command, Option } from '../daemon/cli/command.ts';

/** Words in the help that stand for a file or a directory. */
const FILES = /\b(FILE|LOG|MODEL|PACK)\b/;
const DIRECTORIES = /\b(DIR|DIRECTORY)\b/;

export function bashCompletion(commands: readonly Command[], profiles: readonly string[]): string {
  const names = [...commands.map(({ name }) => name), 'help', '--help', '--version'];
  return `# bash completion for bms-gateway(1)
_bms_gateway() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '${names.join(' ')}' -- "$word")
    return
  fi
  case $command:$before in
${commands.flatMap(command => valueCases(command, profiles)).join('\n')}
  esac
  case $command in
    help) mapfile -t COMPREPLY < <(compgen -W '${commands.map(({ name }) => name).join(' ')}' -- "$word") ;;
${commands.map(command => wordCase(command, profiles)).join('\n')}
  esac
}
complete -F _bms_gateway bms-gateway
`;
}

/** Behind an option that takes a value, its values. */
function valueCases({ name, options }: Command, profiles: readonly string[]): string[] {
  return Object.entries(options)
    .filter(([, option]) => option.type === 'string')
    .map(([option, about]) => {
      const words = [`--${option}`, about.short && `-${about.short}`].filter(one => one !== undefined);
      return `    ${words.map(word => `${name}:${word}`).join('|')}) ${valuesOf(option, about, profiles)} return ;;`;
    });
}

function valuesOf(name: string, { value = '' }: Option, profiles: readonly string[]): string {
  if (name === 'profile') return reply(`-W '${profiles.join(' ')}'`);
  if (/^[a-z]+(\|[a-z]+)+$/.test(value)) return reply(`-W '${value.replaceAll('|', ' ')}'`);
  if (DIRECTORIES.test(value)) return reply('-d');
  return FILES.test(value) ? reply('-f') : '';
}

function wordCase({ name, options, operands, forms }: Command, profiles: readonly string[]): string {
  const words = [...Object.keys(options).map(option => `--${option}`), '--help'].join(' ');
  const operand = operands === 0 ? '' : (/^\[?[A-Z]+/.exec(forms[0])?.[0] ?? '');
  const others = operand.endsWith('ID')
    ? reply(`-W '${profiles.join(' ')}'`)
    : DIRECTORIES.test(operand)
      ? reply('-d')
      : operands > 0
        ? reply('-f')
        : ':;';
  return `    ${name}) if [[ $word == -* ]]; then ${reply(`-W '${words}'`)} else ${others} fi ;;`;
}

const reply = (what: string) => `mapfile -t COMPREPLY < <(compgen ${what} -- "$word");`;
