/**
 * Walks a value beside its schema and says what is wrong in words people read. It decides as TypeBox's
 * `Value.Check` decides (a property test holds it to that); only the words are its own: of a union the one
 * branch that is meant is reported, never all of them.
 */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { describeExpected, describeFound, isTuple, nodeOf, type SchemaNode } from './describe.ts';
import { didYouMean, type Finding, listOf, type Path } from './problem.ts';

/** Of so many unknown keys of one map it is said what may be meant: more are shown to nobody. */
const HINTS_MAX = 100;

/** Everything wrong with `value`; empty when it fits. */
export function findingsOf(schema: TSchema, value: unknown): Finding[] {
  return walk(nodeOf(schema), value, []);
}

function walk(schema: SchemaNode, value: unknown, path: Path): Finding[] {
  if (schema.anyOf) return walkUnion(schema, schema.anyOf, value, path);
  if (schema.type === 'object' && isMap(value)) return walkMap(schema, value, path);
  if (schema.type === 'array' && Array.isArray(value)) return walkList(schema, value, path);
  return fits(schema, value) ? [] : [mismatch(schema, value, path)];
}

/** Whole-node decision; all scalars end here. */
const fits = (schema: SchemaNode, value: unknown) => Value.Check(schema as TSchema, value);

function mismatch(schema: SchemaNode, value: unknown, path: Path): Finding {
  const found = describeFound(value);
  const expected = describeExpected(schema);
  const names = schema.enum?.filter(name => typeof name === 'string');
  const hint = names && typeof value === 'string' ? meantName(value, names, schema.aliases) : '';
  const isText = schema.type === 'string' && (typeof value === 'number' || typeof value === 'boolean');
  const quotes = isText ? '; put it in quotes' : '';
  return { path, found, expected, message: `found ${found}, expected ${expected}${hint}${quotes}` };
}

function meantName(written: string, names: readonly string[], aliases: SchemaNode['aliases'] = {}): string {
  const alias = written.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return Object.hasOwn(aliases, alias) ? `; did you mean "${aliases[alias]}"?` : didYouMean(written, names);
}

function walkMap(schema: SchemaNode, map: Record<string, unknown>, path: Path): Finding[] {
  const findings: Finding[] = [];
  const properties = schema.properties ?? {};
  const names = Object.keys(properties);
  const patterns = Object.entries(schema.patternProperties ?? {}).map(
    ([pattern, node]) => [new RegExp(pattern, 'u'), node] as const,
  );
  for (const key of schema.required ?? [])
    if (!Object.hasOwn(map, key)) findings.push(missingKey(key, properties[key], path));
  for (const [key, value] of Object.entries(map)) {
    const here = [...path, key];
    const known = Object.hasOwn(properties, key);
    const matching = patterns.filter(([pattern]) => pattern.test(key));
    if (known) append(findings, walk(properties[key], value, here));
    for (const [, node] of matching) append(findings, walk(node, value, here));
    if (known || matching.length > 0) continue;
    if (schema.additionalProperties === false)
      findings.push(unknownKey(key, names, here, findings.length < HINTS_MAX));
    else if (typeof schema.additionalProperties === 'object')
      append(findings, walk(schema.additionalProperties, value, here));
  }
  return orWhole(schema, map, path, findings);
}

function walkList(schema: SchemaNode, list: readonly unknown[], path: Path): Finding[] {
  const { items } = schema;
  const findings: Finding[] = [];
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (isTuple(items) ? list.length !== items.length : list.length < minItems || list.length > maxItems)
    return [mismatch(schema, list, path)];
  list.forEach((value, i) => {
    const node = isTuple(items) ? items[i] : items;
    if (node) append(findings, walk(node as SchemaNode, value, [...path, i]));
  });
  return orWhole(schema, list, path, findings);
}

/** Not by spreading: a list of arguments has an end, a list of findings has none. */
function append(findings: Finding[], more: readonly Finding[]): void {
  for (const finding of more) findings.push(finding);
}

/** Keywords the walk does not know (uniqueItems, minProperties, …) are judged on the whole value. */
function orWhole(schema: SchemaNode, value: unknown, path: Path, findings: Finding[]): Finding[] {
  return findings.length > 0 || fits(schema, value) ? findings : [mismatch(schema, value, path)];
}

function walkUnion(
  union: SchemaNode,
  branches: readonly SchemaNode[],
  value: unknown,
  path: Path,
): Finding[] {
  if (fits(union, value)) return [];
  const tag = isMap(value) ? tagOf(branches) : undefined;
  if (tag && isMap(value)) return walkTagged(branches, tag, value, path);
  const meant = branches.filter(branch => kindOf(branch) === kindOfValue(value));
  if (meant.length === 1 && !('const' in meant[0])) return walk(meant[0], value, path);
  const constants = branches.map(branch => branch.const).filter(name => typeof name === 'string');
  const hint = typeof value === 'string' ? didYouMean(value, constants) : '';
  const finding = mismatch(union, value, path);
  return [{ ...finding, message: `${finding.message}${hint}` }];
}

/** The key that every map branch gives a constant: what distinguishes the branches. */
function tagOf(branches: readonly SchemaNode[]): string | undefined {
  const maps = branches.filter(branch => branch.type === 'object');
  if (maps.length < 2) return undefined;
  return Object.keys(maps[0].properties ?? {}).find(key =>
    maps.every(map => 'const' in (map.properties?.[key] ?? {})),
  );
}

function walkTagged(
  branches: readonly SchemaNode[],
  tag: string,
  value: Record<string, unknown>,
  path: Path,
): Finding[] {
  const maps = branches.filter(branch => branch.type === 'object');
  const tags = maps.map(map => String(map.properties?.[tag].const));
  if (!Object.hasOwn(value, tag)) return [missingKey(tag, { enum: tags }, path)];
  const meant = maps.filter(map => map.properties?.[tag].const === value[tag]);
  // Several branches may share a tag; the one with least wrong is the one meant.
  const tries = meant.map(map => walk(map, value, path)).sort((a, b) => a.length - b.length);
  return tries[0] ?? [mismatch({ enum: tags }, value[tag], [...path, tag])];
}

function missingKey(key: string, schema: SchemaNode | undefined, path: Path): Finding {
  const what = schema ? describeExpected(schema) : 'a value';
  const why = schema?.description ? ` (${schema.description})` : '';
  return {
    path,
    found: `no key "${key}"`,
    expected: `${key}: ${what}`,
    message: `missing key "${key}", expected ${what}${why}`,
  };
}

function unknownKey(key: string, known: readonly string[], path: Path, with_hint: boolean): Finding {
  const expected = known.length > 0 ? `one of ${listOf(known, 40)}` : 'no keys';
  const hint = with_hint ? didYouMean(key, known) : '';
  return {
    path,
    found: `unknown key "${key}"`,
    expected,
    message: hint ? `unknown key${hint}` : `unknown key, expected ${expected}`,
    at_key: true,
  };
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(schema: SchemaNode): string {
  if ('const' in schema) return kindOfValue(schema.const);
  if (schema.enum) return kindOfValue(schema.enum[0]);
  return schema.type === 'integer' ? 'number' : (schema.type ?? 'unknown');
}

function kindOfValue(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
