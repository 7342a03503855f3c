/** Literals that are spread into literals, which only keeps keys on a line: each key may as well have its own. */
import { type ESTree, Visitor } from 'vite';

/** Where they stand. */
export function spreadLiteralsIn(program: ESTree.Program): number[] {
  const found: number[] = [];
  new Visitor({
    ObjectExpression({ properties }) {
      for (const property of properties)
        if (property.type === 'SpreadElement' && property.argument.type === 'ObjectExpression')
          found.push(property.start);
    },
  }).visit(program);
  return found;
}
