/** Checks requests against the contract's schemas and says in words what was found and what is allowed. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { GatewayError } from '../../core/errors.ts';

const MAX_ERRORS = 3;
const SECRET = /password|token|secret/i;

/**
 * For Fastify: bodies are taken as they are; texts in the query become the numbers the schema asks for. Compiled when
 * a request first needs it: a gateway that starts again reads batteries sooner.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: Validator | undefined;
  const place = httpPart === 'querystring' ? 'query' : (httpPart ?? 'request');
  return (data: unknown) => {
    compiled ??= Compile(schema);
    const validator = compiled;
    const value = httpPart === 'querystring' ? withNumbers(schema, data) : data;
    if (validator.Check(value)) return { value };
    return { error: new GatewayError('BAD_REQUEST', explain(validator.Errors(value), value, place)) };
  };
};

/** One line for the first few errors: `body.role: found "boss", expected "user", "moderator" or "admin"`. */
export function explain(errors: readonly TLocalizedValidationError[], value: unknown, place: string): string {
  const lines = new Set<string>();
  for (const error of errors) {
    if (error.keyword === 'boolean' || error.keyword === 'const') continue;
    const at = place + error.instancePath.replaceAll('/', '.');
    const found = valueAt(value, error.instancePath);
    if (error.keyword === 'required')
      lines.add(`${at}: ${error.params.requiredProperties.map(quote).join(' and ')} missing`);
    else if (error.keyword === 'additionalProperties')
      lines.add(`${at}: ${error.params.additionalProperties.map(quote).join(' and ')} not known here`);
    else
      lines.add(
        `${at}: found ${describe(found, error.instancePath)}, expected ${expectation(error, errors)}`,
      );
    if (lines.size >= MAX_ERRORS) break;
  }
  return lines.size > 0 ? [...lines].join('; ') : `${place}: does not fit what is expected here`;
}

function expectation(error: TLocalizedValidationError, all: readonly TLocalizedValidationError[]): string {
  switch (error.keyword) {
    case 'anyOf': {
      const values = all.flatMap(other =>
        other.keyword === 'const' && other.instancePath === error.instancePath
          ? [JSON.stringify(other.params.allowedValue)]
          : [],
      );
      return values.length > 0 ? `one of ${values.join(', ')}` : 'another form';
    }
    case 'enum':
      return `one of ${error.params.allowedValues.map(allowed => JSON.stringify(allowed)).join(', ')}`;
    case 'type':
      return `${[error.params.type].flat().join(' or ')}`;
    case 'minimum':
      return `at least ${error.params.limit}`;
    case 'maximum':
      return `at most ${error.params.limit}`;
    case 'minLength':
      return `at least ${error.params.limit} characters`;
    case 'maxLength':
      return `at most ${error.params.limit} characters`;
    case 'maxItems':
      return `at most ${error.params.limit} entries`;
    case 'pattern':
      return `a text of the form ${error.params.pattern}`;
    default:
      return `something else: ${error.message}`;
  }
}

function describe(found: unknown, path: string): string {
  if (Array.isArray(found)) return `a list of ${found.length}`;
  if (typeof found === 'object' && found !== null) return 'an object';
  if (typeof found === 'string' && (SECRET.test(path) || found.length > 60))
    return `a text of ${found.length} characters`;
  return found === undefined ? 'nothing' : JSON.stringify(found);
}

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const key of path.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}

function withNumbers(schema: TSchema, query: unknown): unknown {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  const entries = Object.entries(query as Record<string, unknown>).map(([name, value]) => {
    const type = Object.hasOwn(properties, name) ? properties[name]!.type : undefined;
    const numeric = type === 'integer' || type === 'number';
    return [
      name,
      numeric && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value,
    ];
  });
  return Object.fromEntries(entries);
}

const quote = (name: string) => `'${name.slice(0, 60)}'`;
