/** bms-gateway.yaml(5), from the schema that docs/configuration.md is written from. */
import type { ReferenceSection } from '../../daemon/config/reference.ts';
import { bold, head, type PageHead, roff } from './roff.ts';

export interface ConfigurationPage extends Pick<PageHead, 'epoch_s' | 'version'> {
  readonly sections: readonly ReferenceSection[];
  /** A whole file, shown as it is. */
  readonly example: string;
}

export function configurationPage({ sections, example, ...stamp }: ConfigurationPage): string {
  return [
    head({ name: 'bms-gateway.yaml', section: 5, about: 'configuration of the BMS Gateway', ...stamp }),
    '.SH SYNOPSIS\n.I /etc/bms\\-gateway/config.yaml\n',
    '.SH DESCRIPTION\nOne YAML file says which buses and lines there are, which batteries and packs are on them, when alerts are raised,\n',
    'what is stored and for how long, and where the page is served.\n',
    `${bold('bms-gateway check-config')} says what a file describes, or names each mistake by line, what was found and what was\nexpected. A change takes effect when the service is restarted.\n`,
    '.SH KEYS\n',
    ...sections.map(section),
    `.SH EXAMPLE\n.nf\n${example.trimEnd().split('\n').map(roff).join('\n')}\n.fi\n`,
    '.SH SEE ALSO\n.BR bms\\-gateway (1),\n.I /usr/share/doc/bms\\-gateway/configuration.md\n',
  ].join('');
}

function section({ title, about, rows }: ReferenceSection): string {
  const keys = rows.map(({ key, values, fallback, text }) => {
    const stated = fallback === 'required' ? 'required' : fallback && `default: ${fallback}`;
    const lines = [text && `${roff(text)}.`, `${roff(values)}${stated && ` (${roff(stated)})`}.`];
    return `.TP\n${bold(key)}\n${lines.filter(Boolean).join('\n.br\n')}\n`;
  });
  return `.SS "${roff(title)}"\n${about && `${roff(about)}\n`}${keys.join('')}`;
}
