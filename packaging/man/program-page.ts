/** bms-gateway(1), from the table of commands that `--help` is written from. */
import type { Command } from '../../daemon/cli/command.ts';
import { bold, entry, head, type PageHead, paragraphs, roff } from './roff.ts';

export interface ProgramPage extends Pick<PageHead, 'epoch_s' | 'version'> {
  readonly commands: readonly Command[];
  readonly description: string;
  /** docs/configuration.md, which has the table of the environment. */
  readonly configurationDocs: string;
}

export async function programPage({ commands, description, configurationDocs, ...stamp }: ProgramPage) {
  const about = 'reads battery management systems, keeps and syncs every reading';
  const parts = [
    head({ name: 'bms-gateway', section: 1, about, ...stamp }),
    `.SH SYNOPSIS\n${bold('bms-gateway')} \\fIcommand\\fR [\\fIoptions\\fR]\n.br\n${bold('bms-gateway help')} [\\fIcommand\\fR]\n`,
    `.SH DESCRIPTION\n${roff(description)}\n`,
    `.PP\nThe service ${bold('bms-gateway.service')} calls ${bold('bms-gateway run')}.\n`,
    '.SH COMMANDS\n',
    ...(await Promise.all(commands.map(commandPart))),
    '.SH ENVIRONMENT\nThe environment wins over the file. The service takes it from\n.IR /etc/bms\\-gateway/environment .\n',
    ...environmentOf(configurationDocs).map(([name, text]) => entry(bold(name), text)),
    '.SH EXIT STATUS\n',
    entry('0', 'Done.'),
    entry('1', 'Failed.'),
    entry('2', 'The command line or the configuration was wrong.'),
    '.SH FILES\n',
    entry('\\fI/etc/bms\\-gateway/config.yaml\\fR', 'The configuration.'),
    entry('\\fI/etc/bms\\-gateway/environment\\fR', 'Secrets, one NAME=value a line.'),
    entry('\\fI/etc/bms\\-gateway/profiles/\\fR', "The site's own profiles of devices."),
    entry('\\fI/var/lib/bms\\-gateway/\\fR', 'Everything that is stored.'),
    entry(
      '\\fI/usr/share/doc/bms\\-gateway/\\fR',
      'All documents; install.md leads from a bare box to a battery.',
    ),
    '.SH SEE ALSO\n.BR bms\\-gateway.yaml (5),\n.BR systemctl (1),\n.BR journalctl (1),\n.BR candump (1)\n',
  ];
  return parts.join('');
}

async function commandPart({ name, forms, about, details, options }: Command): Promise<string> {
  const calls = forms.map(form => `${bold(name)} ${roff(form)}`.trimEnd()).join('\n.br\n');
  const more = typeof details === 'function' ? await details() : details;
  const listed = Object.entries(options).map(([option, { short, value, about, multiple }]) => {
    const names = [short && `-${short}`, `--${option}`].filter(one => one !== undefined).map(bold);
    const term = `${names.join(', ')}${value ? ` \\fI${roff(value)}\\fR` : ''}`;
    return entry(term, multiple ? `${about}; repeatable` : about);
  });
  const sentence = `${about.slice(0, 1).toUpperCase()}${about.slice(1)}.`;
  return `.SS ${roff(name)}\n${calls}\n.PP\n${roff(sentence)}\n${more ? paragraphs(more) : ''}${listed.join('')}`;
}

/** Name and meaning of each variable, from the table under "Environment". */
export function environmentOf(docs: string): [string, string][] {
  const [, section = ''] = /^## Environment\n([\s\S]*?)^## /m.exec(docs) ?? [];
  return [...section.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, name, text]) => [name, text]);
}
