/** For tests: values that fit a schema, and the same values damaged a little. */
import fc from 'fast-check';
import type { TSchema } from 'typebox';
import { isMap } from '../check.ts';
import { isTuple, nodeOf, type SchemaNode } from '../describe.ts';

/** Values of which most fit `schema` and the rest come close. */
export function nearly(schema: TSchema): fc.Arbitrary<unknown> {
  const fitting = valueFor(nodeOf(schema));
  const damage = fc.record({ at: fc.nat(), how: fc.nat(3), with: fc.jsonValue({ maxDepth: 1 }) });
  const damaged = fc.tuple(fitting, fc.array(damage, { minLength: 1, maxLength: 2 })).map(([value, all]) => {
    const copy = { root: structuredClone(value) };
    for (const one of all) damageOne(copy, one);
    return copy.root;
  });
  return fc.oneof(fitting, damaged, fc.jsonValue());
}

function valueFor(node: SchemaNode): fc.Arbitrary<unknown> {
  if ('const' in node) return fc.constant(node.const);
  if (node.enum) return fc.constantFrom(...node.enum);
  if (node.anyOf) return fc.oneof(...node.anyOf.map(valueFor));
  if (node.type === 'object') return mapFor(node);
  if (node.type === 'array') return listFor(node);
  if (node.type === 'string') return textFor(node);
  if (node.type === 'boolean') return fc.boolean();
  if (node.type === 'null') return fc.constant(null);
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = node;
  const min = minimum ?? exclusiveMinimum ?? -1e6;
  const max = maximum ?? exclusiveMaximum ?? 1e6;
  return node.type === 'integer'
    ? fc.integer({ min, max })
    : fc.double({
        min,
        max,
        noNaN: true,
        minExcluded: exclusiveMinimum !== undefined,
        maxExcluded: exclusiveMaximum !== undefined,
      });
}

function mapFor({
  properties = {},
  patternProperties = {},
  required = [],
}: SchemaNode): fc.Arbitrary<unknown> {
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([key, node]) => [key, valueFor(node)])),
    { requiredKeys: [...required] },
  );
  const others = Object.values(patternProperties).map(node =>
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), valueFor(node), { maxKeys: 3 }),
  );
  return fc.tuple(known, ...others).map(parts => Object.assign({}, ...parts));
}

function listFor({ items, minItems = 0, maxItems = minItems + 3 }: SchemaNode): fc.Arbitrary<unknown> {
  if (isTuple(items)) return fc.tuple(...items.map(valueFor));
  return fc.array(valueFor(items as SchemaNode), {
    minLength: minItems,
    maxLength: Math.min(maxItems, minItems + 3),
  });
}

function textFor({ pattern, minLength = 0, maxLength = minLength + 20 }: SchemaNode): fc.Arbitrary<string> {
  if (pattern) return fc.stringMatching(new RegExp(pattern)).filter(text => text.length >= minLength);
  return fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) });
}

/** Removes, replaces, renames or adds one thing somewhere. */
function damageOne(root: object, { at, how, with: other }: { at: number; how: number; with: unknown }): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown) => {
    if (!isMap(value) && !Array.isArray(value)) return;
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit((value as Record<string, unknown>)[key]);
    }
  };
  visit(root);
  const [holder, key] = places[at % places.length];
  if (Array.isArray(holder)) {
    if (how === 0) holder.splice(Number(key), 1);
    else holder[Number(key)] = other;
  } else if (how === 0 && holder !== root) delete holder[key];
  else if (how === 1 && holder !== root) holder[`${key}x`] = other;
  else holder[key] = other;
}
