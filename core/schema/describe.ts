/** Words for people: what a schema expects, and what a value is. */
import type { TSchema } from 'typebox';
import { listOf } from './problem.ts';
import { redactSecrets } from './redact.ts';

/** The JSON Schema keywords TypeBox writes for the types we use. */
export interface SchemaNode {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  /** Other names people use for one of `enum`, in small letters without spaces and signs. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode | readonly SchemaNode[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
}

export const nodeOf = (schema: TSchema): SchemaNode => schema as SchemaNode;

/** "a whole number from 1 to 4096", "one of lfp, nmc, other"; a schema's `title` says it better if there is one. */
export function describeExpected(schema: SchemaNode): string {
  if (schema.title) return schema.title;
  if ('const' in schema) return plain(schema.const);
  if (schema.enum) return `one of ${listOf(schema.enum.map(plain), 40)}`;
  if (schema.anyOf) return describeUnion(schema.anyOf);
  switch (schema.type) {
    case 'integer':
      return `a whole number${describeRange(schema)}`;
    case 'number':
      return `a number${describeRange(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'nothing';
    case 'string':
      return describeText(schema);
    case 'array':
      return describeList(schema);
    case 'object':
      return schema.properties
        ? `keys and values (${listOf(Object.keys(schema.properties))})`
        : 'keys and values';
    default:
      return schema.description ?? 'another value';
  }
}

/** What a value of a document is, short; passwords in URLs are not shown. */
export function describeFound(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const shown = redactSecrets(value);
    return JSON.stringify(shown.length > 60 ? `${shown.slice(0, 57)}…` : shown);
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'no keys' : 'keys and values';
  return String(value);
}

const plain = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function describeUnion(branches: readonly SchemaNode[]): string {
  if (branches.every(branch => 'const' in branch))
    return `one of ${listOf(branches.map(branch => plain(branch.const)))}`;
  return [...new Set(branches.map(describeExpected))].join(' or ');
}

function describeRange({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const low =
    minimum !== undefined
      ? `of at least ${minimum}`
      : exclusiveMinimum !== undefined
        ? `greater than ${exclusiveMinimum}`
        : '';
  const of = low ? '' : 'of ';
  const high =
    maximum !== undefined
      ? `${of}at most ${maximum}`
      : exclusiveMaximum !== undefined
        ? `less than ${exclusiveMaximum}`
        : '';
  const both = [low, high].filter(Boolean).join(' and ');
  return both ? ` ${both}` : '';
}

function describeText({ minLength, maxLength, pattern }: SchemaNode): string {
  if (pattern) return `text that matches ${pattern}`;
  if (maxLength !== undefined)
    return `text of ${minLength ? `${minLength} to` : 'at most'} ${maxLength} characters`;
  return minLength ? 'text that is not empty' : 'text';
}

function describeList({ items, minItems, maxItems }: SchemaNode): string {
  if (isTuple(items)) return `a list of ${items.length} (${items.map(describeExpected).join(', ')})`;
  if (minItems !== undefined && maxItems !== undefined) return `a list of ${minItems} to ${maxItems}`;
  if (minItems) return `a list of at least ${minItems}`;
  return maxItems !== undefined ? `a list of at most ${maxItems}` : 'a list';
}

export function isTuple(items: SchemaNode['items']): items is readonly SchemaNode[] {
  return Array.isArray(items);
}
