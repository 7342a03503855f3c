/** What the README shows is what stands in the files: blocks marked "included from" are compared. */
import { readFile } from 'node:fs/promises';
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
