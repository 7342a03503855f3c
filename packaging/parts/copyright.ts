/** debian/copyright in its machine-readable form: the gateway's licence, and the text of each part's as it came. */
import { distinctParts, type Part } from './licences.ts';

export function copyrightFile(parts: readonly Part[]): string {
  const stanzas = distinctParts(parts).map(
    ({ name, version, licence, text }) => `Files: ${name}@${version}
Copyright: ${holders(text)}
License: ${licence} and its own text (${name}@${version})
${indented(shown(licence, text))}
`,
  );
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: BMS Gateway
Comment: Of the npm packages below the code is in /usr/lib/bms-gateway: bundled into dist and ui/dist, or in
 node_modules. node is the program /usr/lib/bms-gateway/node. bms-gateway.cdx.json lists them all for programs.

Files: *
Copyright: the authors of BMS Gateway
License: Apache-2.0
 ${APACHE}

${stanzas.join('\n')}`;
}

const APACHE = 'On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.';

function shown(licence: string, text: string | undefined): string {
  if (licence === 'Apache-2.0') return APACHE;
  return text ?? `The package states "${licence}" and brings no text of it.`;
}

function holders(text = ''): string {
  const lines = text.split('\n').map(line => line.trim());
  const found = lines.filter(line => /^(copyright|\(c\)|©)\s.*(\d{4}|<|by|contributors|authors)/i.test(line));
  return found.length > 0 ? [...new Set(found)].slice(0, 8).join('\n ') : 'its authors';
}

function indented(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll('\t', '    ')
    .trimEnd()
    .split('\n')
    .map(line => (line.trim() ? ` ${line.trimEnd()}` : ' .'))
    .join('\n');
}
