/** No page says a text of its own: what a person reads or hears stands in the catalogue. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownTextsIn } from './testing/own-texts.ts';

const SOURCES = join(import.meta.dirname, '..');
/** The same in every language: names of products, and words of a protocol. */
const NO_TEXTS: Readonly<Record<string, readonly string[]>> = {
  'format/user-agent.ts': [
    ...['Edge', 'Opera', 'Samsung Internet', 'Firefox', 'Chrome', 'Safari'],
    ...['Android', 'Windows', 'Mac', 'Chromebook', 'Linux'],
  ],
  'api-docs/description.ts': ['-H "Authorization: Bearer $TOKEN"', "-H 'Content-Type: application/json'"],
};

const found = (source: string) => ownTextsIn('page.tsx', source).map(({ line, text }) => `${line}: ${text}`);

test('no text stands outside the catalogue', () => {
  const files = globSync('**/*.{ts,tsx}', { cwd: SOURCES })
    .filter(file => !file.startsWith('texts/') && !file.endsWith('.test.ts'))
    .sort();
  expect(files).toContain('pages/fleet.tsx');
  const own = files.flatMap(file =>
    ownTextsIn(file, readFileSync(join(SOURCES, file), 'utf8'))
      .filter(({ text }) => !NO_TEXTS[file]?.includes(text))
      .map(({ line, text }) => `ui/src/${file}:${line}: says "${text}", expected a text of ui/src/texts`),
  );
  expect(own).toEqual([]);
});

test.each([
  ['<p>\n  Nothing here.\n</p>', '2: Nothing here.'],
  ['<p>{count} cells</p>', '1: cells'],
  ['<Fact label="SoC" />', '1: SoC'],
  ['<Fact label={isHot ? "hot" : text} />', '1: hot'],
  [`<canvas aria-label={\`median \${value}\`} />`, '1: median'],
  ['const OPTIONS = [{ value: "a", text: "all" }];', '1: all'],
  ['const WORDS = { login: "logged in" };', '1: logged in'],
  ['setFailure("Begin lies behind end");', '1: Begin lies behind end'],
  [`const name = \`\${n} of them\`;`, '1: of them'],
  ['useTitle(name ?? "Fleet");', '1: Fleet'],
])('is found: %s', (source, expected) => {
  expect(found(source)).toEqual([expected]);
});

test.each([
  '<code>bms-gateway export</code>',
  '<span class="unit"> V</span>',
  'pen.font = "700 15px system-ui, sans-serif";',
  'this.name = "ApiError";',
  '<p class="card user-card">{text.help} · {value} %</p>',
  '<p class={isOld ? "room is-old" : "room"} />',
  'import { x } from "./Some file.ts";',
  'type Word = "Some word" | "Other word";',
  'const found = document.querySelector("main > p");',
  'const kinds = ["weak_cell", "dead_unit"];',
  'const rows = [{ icon: "Big bell", text: t().alerts.title }];',
  '<Fact label={kind === "warning" ? text.warning : text.title} />',
  '<Fact label={text.title}>{"\\u00a0"}</Fact>',
  `const path = \`/api/packs/\${id}?cell=\${no}\`;`,
])('is none: %s', source => {
  expect(found(source)).toEqual([]);
});
