/** docs/notifications.md says what templates can hold. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_TEMPLATES, TEMPLATE_FIELDS, unknownFields } from './template.ts';

const PAGE = new URL('../../docs/notifications.md', import.meta.url);

test('the page holds the fields of templates (UPDATE_DOCS=1 writes it again)', () => {
  const rows = Object.entries(TEMPLATE_FIELDS).map(([name, text]) => `| \`{${name}}\` | ${text} |\n`);
  const { subject, text } = DEFAULT_TEMPLATES;
  const defaults = `By default:\n\n\`\`\`\n${subject}\n\n${text}\`\`\`\n`;
  const part = `\n| field | |\n|---|---|\n${rows.join('')}\n${defaults}`;
  const page = readFileSync(PAGE, 'utf8');
  const renewed = page.replace(
    /(<!-- fields: [^\n]*-->\n)[\s\S]*?(<!-- end -->)/,
    (_, head: string, foot: string) => `${head}${part}\n${foot}`,
  );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, renewed);
  else expect(page).toBe(renewed);
  expect(unknownFields(subject + text)).toEqual([]);
});
