/** docs/configuration.md says what the schema says, and every sample configuration is sound. */
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nodeOf, type SchemaNode } from '../../core/schema/describe.ts';
import { checkYaml } from '../../core/schema/yaml-document.ts';
import { expectPage } from '../../core/testing/generated-page.ts';
import { checkConfig } from './check.ts';
import { configReference, defaultRulesTable } from './reference.ts';
import { Config } from './schema.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const PAGE = new URL('configuration.md', DOCS);

/** The generated parts of the page, by the word that opens each. */
const PARTS = { rules: defaultRulesTable(), reference: configReference(Config) };

test('the page holds what the schema says (UPDATE_DOCS=1 writes it again)', () => {
  expectPage(PAGE, PARTS);
});

test('every key is documented', () => {
  const silent: string[] = [];
  const visit = (node: SchemaNode, path: string) => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (!child.description) silent.push(`${path}.${key}`);
      visit(child, `${path}.${key}`);
    }
    for (const branch of node.anyOf ?? []) visit(branch, path);
    if (node.items && !Array.isArray(node.items)) visit(node.items as SchemaNode, `${path}[]`);
  };
  visit(nodeOf(Config), '');
  expect(silent).toEqual([]);
});

test('every environment variable is documented', () => {
  const source = readFileSync(new URL('environment.ts', import.meta.url), 'utf8');
  const names = new Set(
    source.match(/\b(?:BMS_[A-Z_]+|DATABASE_URL|JWT_SECRET|SIMULATION_INTERVAL|STATE_DIRECTORY)\b/g),
  );
  names.delete('DATABASE_URL_EXPECTED');
  const page = readFileSync(PAGE, 'utf8');
  expect(names.size).toBeGreaterThan(8);
  expect([...names].filter(name => !page.includes(`\`${name}\``))).toEqual([]);
});

describe('samples', () => {
  const samples = [
    ...globSync('examples/*.yaml', { cwd: DOCS.pathname }).map(name => new URL(name, DOCS).pathname),
    new URL('demo.yaml', import.meta.url).pathname,
  ];
  test.each(samples)('%s is sound', file => {
    const { ok, lines } = checkConfig(file, { BMS_STATE_DIR: '/state' });
    expect(ok ? lines.filter(line => /^(warning|profile left out)/.test(line)) : lines).toEqual([]);
  });

  test('the demo is 10 batteries of 10 packs of 10 cells', () => {
    expect(checkConfig(samples.at(-1) as string, {}).lines).toContainEqual(
      expect.stringContaining('10 batteries, 100 packs, 1000 cells'),
    );
  });

  test('the YAML shown in the page is sound', () => {
    const page = readFileSync(PAGE, 'utf8');
    const shown = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml);
    expect(shown).toHaveLength(2);
    for (const yaml of shown) {
      const text = yaml.includes('site:') ? yaml : `site: { id: x }\n${yaml}`;
      expect(checkYaml('page', text, Config).problems).toEqual([]);
    }
  });
});
