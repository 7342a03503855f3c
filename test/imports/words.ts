/** Words that names in code are not made of, as the last table of docs/terms.md says: the one place where it is said. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ESTree, Visitor } from 'vite';

const TERMS = 'docs/terms.md';
const HEADING = '### Words that names are not made of';

export class Words {
  /** What is said in place of each; one that ends with `_` is the beginning of a constant. */
  readonly #instead = new Map<string, string>();

  constructor(root: string) {
    const file = join(root, TERMS);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const [, table = ''] = text.split(HEADING);
    for (const row of table.split('\n')) {
      const [, words, instead] = row.split('|').map(cell => cell.trim());
      for (const [, word] of words?.matchAll(/`([^`]+)`/g) ?? []) this.#instead.set(word, instead);
    }
  }

  /** Each name of a file that is made of such a word, where it stands first. */
  wrongIn(program: ESTree.Program): { offset: number; text: string }[] {
    const found = new Map<string, { offset: number; text: string }>();
    const check = ({ name, start }: { name: string; start: number }) => {
      const word = found.has(name) ? undefined : this.#wrongOf(name);
      if (word !== undefined)
        found.set(name, {
          offset: start,
          text: `is named ${name}, expected ${this.#instead.get(word)} in place of "${word}" (${TERMS})`,
        });
    };
    new Visitor({ Identifier: check, PrivateIdentifier: check }).visit(program);
    return [...found.values()];
  }

  #wrongOf(name: string): string | undefined {
    const isConstant = /^[A-Z][A-Z0-9_]*$/.test(name);
    const beginning = `${name.split('_', 1)[0]}_`;
    if (isConstant && this.#instead.has(beginning)) return beginning;
    const parts = isConstant ? name.toLowerCase().split('_') : name.split(/_|(?=[A-Z])/);
    return parts.map(part => part.toLowerCase()).find(part => this.#instead.has(part));
  }
}
