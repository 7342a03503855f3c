/** The description of the API (OpenAPI 3.1) as lines to read. */
import { t } from '../texts/texts.ts';

export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly 'x-access'?: string;
}

export interface ApiDescription {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Routes by their tag, in the order of the description. */
export function routesByTag({ paths }: ApiDescription): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? 'other';
      const route = { method: method.toUpperCase(), path, operation };
      groups.set(tag, [...(groups.get(tag) ?? []), route]);
    }
  return groups;
}

export const routeId = ({ method, path }: Route) =>
  `${method.toLowerCase()}${path.replace(/[^a-z0-9]+/gi, '-')}`.replace(/-+$/, '');

export function jsonSchemaOf(content: Content | undefined): Schema | undefined {
  return content?.['application/json']?.schema;
}

/** `"active" | "cleared"`, `list of string`, `integer from 1 to 1000`, `object`. */
export function typeText(schema: Schema): string {
  const text = t().apiDocs;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(one => JSON.stringify(one)).join(' | ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeText))].join(' | ');
  if (schema.items) return text.listOf(typeText(schema.items));
  const value = valuesOf(schema);
  if (value) return text.objectOf(typeText(value));
  const type = [schema.type ?? text.anything].flat().join(' | ');
  return `${type}${boundsText(schema)}`;
}

function boundsText({ minimum, maximum, minLength, maxLength }: Schema): string {
  const text = t().apiDocs;
  const bounds = (low: number | undefined, high: number | undefined, unit: string) => {
    if (low !== undefined && high !== undefined) return text.fromTo(low, high, unit);
    if (low !== undefined) return text.from(low, unit);
    return high === undefined ? '' : text.upTo(high, unit);
  };
  return bounds(minimum, maximum, '') || bounds(minLength, maxLength, text.characters);
}

function valuesOf({ additionalProperties, patternProperties }: Schema): Schema | undefined {
  if (patternProperties) return Object.values(patternProperties)[0];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** The object within: of a list its items, of a record its values, of a choice its first object. */
function inner(schema: Schema): Schema | undefined {
  if (schema.properties) return schema;
  if (schema.anyOf) return schema.anyOf.map(inner).find(found => found !== undefined);
  const next = schema.items ?? valuesOf(schema);
  return next && inner(next);
}

export interface Line {
  readonly depth: number;
  readonly name: string;
  readonly type: string;
  readonly is_optional: boolean;
  readonly description: string;
}

/** A line for each property, those of objects within below it. */
export function linesOf(schema: Schema, depth = 0): Line[] {
  const object = inner(schema);
  return Object.entries(object?.properties ?? {}).flatMap(([name, one]) => [
    {
      depth,
      name,
      type: typeText(one),
      is_optional: !object?.required?.includes(name),
      description: one.description ?? '',
    },
    ...linesOf(one, depth + 1),
  ]);
}

export function accessText(access = ''): string {
  const words: Readonly<Record<string, string>> = t().apiDocs.access;
  return words[access] ?? access;
}

/** A request to copy, with values to fill in as `<name>`. */
export function curlOf({ method, path, operation }: Route, origin: string): string {
  const isOpen = operation['x-access'] === 'public';
  const body = jsonSchemaOf(operation.requestBody?.content);
  return [
    `curl -s${method === 'GET' ? '' : ` -X ${method}`} '${origin}${path.replace(/\{(\w+)\}/g, '<$1>')}'`,
    ...(isOpen ? [] : [`-H "Authorization: Bearer $TOKEN"`]),
    ...(body ? [`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(exampleOf(body))}'`] : []),
  ].join(' \\\n  ');
}

function exampleOf(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0]);
  if (schema.items) return [exampleOf(schema.items)];
  if (schema.properties) {
    const wanted = Object.entries(schema.properties).filter(([name]) => schema.required?.includes(name));
    return Object.fromEntries(wanted.map(([name, one]) => [name, exampleOf(one)]));
  }
  const value = valuesOf(schema);
  if (value) return { '…': exampleOf(value) };
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 0;
  if (schema.type === 'boolean') return true;
  return schema.type === 'object' ? {} : '…';
}
