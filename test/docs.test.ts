/** What the documents say of files is true: blocks marked "included from" are compared, what is named is there. */
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = new URL('../', import.meta.url);
const INCLUDED = /<!-- included from (\S+) -->\n```\w*\n([\s\S]*?)```/g;

test('included blocks are their files', async () => {
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const blocks = [...readme.matchAll(INCLUDED)];
  expect(blocks.length).toBeGreaterThan(0);
  for (const [, file, block] of blocks) expect(block).toBe(await readFile(new URL(file, root), 'utf8'));
});

test('every profile is in the table of devices', async () => {
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const { loadProfiles } = await import('../drivers/profiles/load.ts');
  const { profiles, problems } = loadProfiles();
  expect(problems).toEqual([]);
  for (const id of profiles.keys()) expect(readme).toContain(`\`${id}\``);
});

const ROOT = fileURLToPath(root);
const DOCUMENTS = globSync('{*.md,docs/**/*.md}', { cwd: ROOT }).sort();
/** Files and folders of the sources as documents name them: `core/metrics.ts`, `docs/decisions/`, files by their stem. */
const NAMED = /`((?:core|drivers|sim|daemon|ui|test|bench|docs|migrations|systemd)\/[\w./-]*)`/g;
const LINK = /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g;

test.each(DOCUMENTS)('%s names and links what is there', async document => {
  const text = await readFile(join(ROOT, document), 'utf8');
  const wrong = [
    ...[...text.matchAll(NAMED)]
      .map(([, path]) => path)
      .filter(path => globSync(`${path}*`, { cwd: ROOT }).length === 0),
    ...[...text.matchAll(LINK)]
      .map(([, to]) => to)
      .filter(to => !existsSync(resolve(ROOT, dirname(document), to))),
  ];
  expect(wrong).toEqual([]);
});

test('every page of the docs is in the map of the docs', async () => {
  const map = await readFile(join(ROOT, 'docs/README.md'), 'utf8');
  const pages = DOCUMENTS.filter(file => /^docs\/[^/]+\.md$/.test(file) && file !== 'docs/README.md');
  for (const page of pages) expect(map).toContain(`](${relative('docs', page)})`);
});

test('the faults that the page of the simulator orders are of packs of the demo', async () => {
  const page = await readFile(join(ROOT, 'docs/simulator.md'), 'utf8');
  const demo = await readFile(join(ROOT, 'daemon/config/demo.yaml'), 'utf8');
  const ordered = [...page.matchAll(/\b(rack-[\d-]+)-\d+\b/g)].map(([, rack]) => rack);
  expect(ordered.length).toBeGreaterThan(0);
  for (const rack of ordered) expect(demo).toContain(`id: '${rack}-{01..10}'`);
});
