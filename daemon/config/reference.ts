/** The reference part of docs/configuration.md, written from the schema: every key, its values, its default. */
import type { TSchema } from 'typebox';
import { ruleQuantity } from '../../core/alerts/figures.ts';
import { type Limit, scopeText } from '../../core/alerts/rule.ts';
import { describeExpected, isTuple, nodeOf, type SchemaNode } from '../../core/schema/describe.ts';
import { DEFAULT_RULES } from './default-rules.ts';

/** The title of the keys that stand in no section. */
const WHOLE_FILE = 'Whole file';

export interface ReferenceRow {
  readonly key: string;
  readonly values: string;
  readonly fallback: string;
  readonly text: string;
}

/** One section of the file, or one form of its entries. */
export interface ReferenceSection {
  readonly title: string;
  /** A sentence; empty where nothing is to be said. */
  readonly about: string;
  readonly rows: readonly ReferenceRow[];
}

/** Every key there is, section by section. Texts have code in backticks. */
export function configSections(schema: TSchema): ReferenceSection[] {
  const root = nodeOf(schema);
  const sections = Object.entries(root.properties ?? {});
  const plain = sections.filter(([, node]) => !isSection(node)).map(([key]) => key);
  return [
    { title: WHOLE_FILE, about: '', rows: rowsOf(root, plain) },
    ...sections.filter(([, node]) => isSection(node)).flatMap(([key, node]) => sectionsOf(key, node)),
  ];
}

/** Markdown: a table for each section of the file. */
export function configReference(schema: TSchema): string {
  return configSections(schema).map(table).join('\n');
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

function sectionsOf(key: string, node: SchemaNode): ReferenceSection[] {
  const items = node.type === 'array' && !isTuple(node.items) ? node.items : undefined;
  const name = items ? `${key}[]` : key;
  const { text } = aboutOf(node);
  if (items?.anyOf)
    return items.anyOf.map(branch => {
      const type = branch.properties?.type;
      return {
        title: `${name} of type ${String(type?.const)}`,
        about: `${type?.description}.`,
        rows: rowsOf(branch),
      };
    });
  const inner = items ?? node;
  const nested = Object.entries(inner.properties ?? {}).filter(([, child]) => isSection(child));
  const own = Object.keys(inner.properties ?? {});
  return [
    { title: name, about: text && `${text}.`, rows: rowsOf(inner, own) },
    ...nested.flatMap(([childKey, child]) => sectionsOf(`${name}.${childKey}`, child)),
  ];
}

const isSection = (node: SchemaNode): boolean =>
  node.type === 'object'
    ? node.properties !== undefined
    : node.type === 'array' &&
      !isTuple(node.items) &&
      (node.items?.type === 'object' || node.items?.anyOf !== undefined);

function rowsOf(
  { properties = {}, required = [] }: SchemaNode,
  keys = Object.keys(properties),
): ReferenceRow[] {
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

function table({ title, about, rows }: ReferenceSection): string {
  const cells = rows.map(({ key, values, fallback, text }) => [`\`${key}\``, values, fallback, text]);
  return `### ${title}\n\n${about && `${about}\n\n`}${markdown(['key', 'values', 'default', 'what'], cells)}`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
