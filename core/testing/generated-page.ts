/** Pages of docs/ with parts that programs write: between `<!-- word: … -->` and `<!-- end -->`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Fails where a part, by its word, differs from what it should be; with UPDATE_DOCS=1 writes it. Returns the page. */
export function expectPage(page_url: URL, parts: Readonly<Record<string, string>>): string {
  const page = readFileSync(page_url, 'utf8');
  let renewed = page;
  for (const [word, part] of Object.entries(parts))
    renewed = renewed.replace(
      new RegExp(`(<!-- ${word}: [^\n]*-->\n)[\\s\\S]*?(<!-- end -->)`),
      (_all, head: string, foot: string) => `${head}\n${part}\n${foot}`,
    );
  if (process.env.UPDATE_DOCS === '1') writeFileSync(page_url, renewed);
  else expect(page).toBe(renewed);
  return renewed;
}
