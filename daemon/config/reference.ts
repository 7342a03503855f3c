/** The reference part of docs/configuration.md, written from the schema: every key, its values, its default. */
import type { TSchema } from 'typebox';
import { ruleQuantity } from '../../core/alerts/figures.ts';
import { type Limit, scopeText } from '../../core/alerts/rule.ts';
import { describeExpected, isTuple, nodeOf, type SchemaNode } from '../../core/schema/describe.ts';
import { DEFAULT_RULES } from './default-rules.ts';

interface Row {
  readonly key: string;
  readonly values: string;
  readonly fallback: string;
  readonly text: string;
}

/** Markdown: a table for each section of the file. */
export function configReference(schema: TSchema): string {
  const sections = Object.entries(nodeOf(schema).properties ?? {});
  const plain = sections.filter(([, node]) => !isSection(node));
  const parts = [
    table(
      'Whole file',
      rowsOf(
        nodeOf(schema),
        plain.map(([key]) => key),
      ),
    ),
  ];
  for (const [key, node] of sections) if (isSection(node)) parts.push(...sectionTables(key, node));
  return parts.join('\n');
}

/** Markdown: the thresholds that hold where the file gives none. */
export function defaultRulesTable(): string {
  const rows = DEFAULT_RULES.flatMap(rule => {
    const on = `${rule.on.scope} \`${rule.on.metric}\`${rule.during ? `, ${DURING_WORDS[rule.during]}` : ''}`;
    const { unit } = ruleQuantity(rule);
    const after = `${rule.raise_after_ms / 1000} s`;
    return rule.limits.map((limits, i) => [
      i === 0 ? `\`${rule.id}\`` : '',
      i === 0 ? `${on}, ${rule.direction}` : '',
      scopeText(limits),
      limitText(limits.warning ?? limits.info, unit) + (limits.warning === undefined ? ' (info)' : ''),
      limitText(limits.critical, unit),
      `${limits.hysteresis ?? 0}${unit && ` ${unit}`}`,
      i === 0 ? after : '',
      i === 0 ? (rule.why ?? '') : '',
    ]);
  });
  return markdown(['rule', 'of', 'for', 'warning', 'critical', 'hysteresis', 'after', 'why'], rows);
}

const DURING_WORDS = {
  charging: 'while charging',
  discharging: 'while discharging',
  load: 'under load',
  rest: 'at rest',
} as const;

function limitText(limit: Limit | undefined, unit: string): string {
  const space = unit && ` ${unit}`;
  if (limit === undefined) return '-';
  if (typeof limit === 'number') return `${limit}${space}`;
  if ('of' in limit) return `${limit.times} × \`${limit.of}\`${limit.plus ? ` + ${limit.plus}${space}` : ''}`;
  const values = limit.limits.flat();
  return `${Math.min(...values)} to ${Math.max(...values)}${space} by ${limit.over.map(name => `\`${name}\``).join(' and ')}`;
}

function sectionTables(key: string, node: SchemaNode): string[] {
  const items = node.type === 'array' && !isTuple(node.items) ? node.items : undefined;
  const name = items ? `${key}[]` : key;
  const { text } = aboutOf(node);
  const about = text ? `${text}.\n` : '';
  if (items?.anyOf)
    return items.anyOf.flatMap(branch => {
      const type = branch.properties?.type;
      return table(`${name} of type ${String(type?.const)}`, rowsOf(branch), `${type?.description}.\n`);
    });
  const inner = items ?? node;
  const nested = Object.entries(inner.properties ?? {}).filter(([, child]) => isSection(child));
  const own = Object.keys(inner.properties ?? {});
  return [
    table(name, rowsOf(inner, own), about),
    ...nested.flatMap(([childKey, child]) => sectionTables(`${name}.${childKey}`, child)),
  ];
}

const isSection = (node: SchemaNode): boolean =>
  node.type === 'object'
    ? node.properties !== undefined
    : node.type === 'array' &&
      !isTuple(node.items) &&
      (node.items?.type === 'object' || node.items?.anyOf !== undefined);

function rowsOf({ properties = {}, required = [] }: SchemaNode, keys = Object.keys(properties)): Row[] {
  return keys.map(key => {
    const node = properties[key];
    const { text, fallback } = aboutOf(node);
    const needed = required.includes(key) ? 'required' : fallback;
    return {
      key,
      values: 'const' in node ? `\`${String(node.const)}\`` : describeExpected(node),
      fallback: needed,
      text,
    };
  });
}

/** A description, and the default it may give in brackets at its end. */
function aboutOf({ description = '', default: value }: SchemaNode): { text: string; fallback: string } {
  const stated = /\s*\(default:? ([^)]*)\)$/.exec(description);
  const text = stated ? description.slice(0, stated.index) : description;
  return { text, fallback: value !== undefined ? String(value) : (stated?.[1] ?? '') };
}

function table(title: string, rows: readonly Row[], about = ''): string {
  const cells = rows.map(({ key, values, fallback, text }) => [`\`${key}\``, values, fallback, text]);
  return `### ${title}\n\n${about}${about && '\n'}${markdown(['key', 'values', 'default', 'what'], cells)}`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
