/** A start reads the profiles that its configuration names, and its messages know all of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readEnvironment } from './environment.ts';
import { loadNamedConfig, namedProfiles } from './named-profiles.ts';

const directory = mkdtempSync(join(tmpdir(), 'named-profiles-'));
afterAll(() => rmSync(directory, { recursive: true }));

function configNaming(profile: string): string {
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    `site: { id: here, name: Here }
connections:
  - { id: bus, type: virtual-can }
batteries:
  - { id: north, name: North, chemistry: nmc, packs: [{ id: north-1, connection: bus, profile: ${profile}, cells: 96 }] }
`,
  );
  return file;
}

test('only what is named is read', () => {
  const file = configNaming('nissan-leaf');
  const named = namedProfiles(file);
  expect([...named.profiles.keys()]).toEqual(['nissan-leaf']);
  expect(loadNamedConfig(file, readEnvironment({}), named).topology.packs.length).toBe(1);
});

test('an unknown profile is reported with the known ones', () => {
  const file = configNaming('nissan-laef');
  const named = namedProfiles(file);
  expect(() => loadNamedConfig(file, readEnvironment({}), named)).toThrow(/nissan-leaf/);
});

test('a missing file is reported', () => {
  const file = join(directory, 'none.yaml');
  expect(() => loadNamedConfig(file, readEnvironment({}), namedProfiles(file))).toThrow(/no such file/);
});
