/** For tests: values that a schema nearly or wholly allows, so that what is sent gets past the first check. */
import fc from 'fast-check';

/** The parts of JSON Schema that our descriptions use. */
export interface FuzzSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly FuzzSchema[];
  readonly items?: FuzzSchema;
  readonly properties?: Readonly<Record<string, FuzzSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FuzzSchema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Names that exist, names that JavaScript gives a meaning to, and numbers at edges. */
export const word = fc.oneof(
  fc.string({ maxLength: 30, unit: 'binary' }),
  fc.constantFrom('north', 'n1', 's1', 'una', 'ada', 'f1', 'cell_high', 'weak_cell'),
  fc.constantFrom('__proto__', 'constructor', 'toString', '..', '%00', '', ' ', '\u0000', '\ud800'),
  fc.constantFrom('1e999', '-1', '0', 'NaN', 'null', '9007199254740993', '1'.repeat(400), '1~', '0~x'),
);

/** One in eight values is nothing that the schema allows. */
export function nearly(schema: FuzzSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 7, arbitrary: allowed(schema) }, { weight: 1, arbitrary: fc.jsonValue() });
}

function allowed(schema: FuzzSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(nearly));
  switch (schema.type) {
    case 'array':
      return fc.array(nearly(schema.items ?? {}), { maxLength: 4 });
    case 'integer':
      return fc.oneof(
        fc.integer({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9 }),
        fc.maxSafeInteger(),
      );
    case 'number':
      return fc.oneof(fc.double({ min: schema.minimum ?? -1e6, max: schema.maximum ?? 1e6 }), fc.double());
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'object':
      return objectOf(schema);
    case 'string':
      return fc.oneof(word, fc.stringMatching(/^[a-z][a-z0-9]{7,12}$/));
    default:
      return fc.jsonValue();
  }
}

function objectOf({
  properties = {},
  required = [],
  additionalProperties,
}: FuzzSchema): fc.Arbitrary<object> {
  const parts = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, nearly(one)]));
  const known = fc.oneof(
    { weight: 4, arbitrary: fc.record(parts, { requiredKeys: [...required] }) },
    { weight: 1, arbitrary: fc.record(parts, { requiredKeys: [] }) },
  );
  const values = typeof additionalProperties === 'object' ? nearly(additionalProperties) : fc.jsonValue();
  const more = fc.dictionary(word, values, { maxKeys: 2 });
  const isRecord = Object.keys(properties).length === 0;
  return fc
    .tuple(
      known,
      fc.oneof({ weight: isRecord ? 0 : 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: more }),
    )
    .map(([a, b]) => ({ ...a, ...b }));
}
