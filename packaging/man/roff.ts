/** Text as man(7) sets it. Code in backticks becomes bold. */

/** Nothing in it is taken for a request or an escape. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/`([^`]*)`/g, '\\fB$1\\fR')
    .replace(/^\./gm, '\\&.')
    .replace(
      /[\u0080-\uffff]/g,
      unit => `\\[u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}

export const bold = (text: string) => `\\fB${roff(text)}\\fR`;

export interface PageHead {
  readonly name: string;
  readonly section: number;
  readonly about: string;
  readonly epoch_s: number;
  readonly version: string;
}

export function head({ name, section, about, epoch_s, version }: PageHead): string {
  const day = new Date(epoch_s * 1000).toISOString().slice(0, 10);
  return `.TH ${name.toUpperCase()} ${section} ${day} "BMS Gateway ${roff(version)}"
.SH NAME
${roff(name)} \\- ${roff(about)}
`;
}

/** A term, and under it what it is. */
export const entry = (term: string, about: string) => `.TP\n${term}\n${roff(about) || '\\&'}\n`;

/** Blank lines part paragraphs; lines stay as they are where they are many short ones. */
export const paragraphs = (text: string) =>
  text
    .split(/\n{2,}/)
    .map(one => `.PP\n${one.split('\n').map(roff).join('\n.br\n')}\n`)
    .join('');
