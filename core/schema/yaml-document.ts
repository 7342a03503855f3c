/** A YAML text, checked against a schema, that remembers where everything stands. */
import type { Static, TSchema } from 'typebox';
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { describeError } from '../errors.ts';
import { findingsOf } from './check.ts';
import { describeExpected, nodeOf } from './describe.ts';
import { type Finding, formatPath, type Path, type Problem, sortProblems } from './problem.ts';

export interface CheckedDocument<T> {
  /** Undefined when there are problems. */
  readonly value: T | undefined;
  /** In file order. */
  readonly problems: readonly Problem[];
  /** Puts a finding of a later check in its place in the text. */
  locate(finding: Finding): Problem;
}

/** Parses `text` (named `file` in messages) and checks it against `schema`; problems are returned, never thrown. */
export function checkYaml<S extends TSchema>(
  file: string,
  text: string,
  schema: S,
): CheckedDocument<Static<S>> {
  const source = new YamlSource(file, text);
  const locate = (finding: Finding) => source.locate(finding);
  const { value, problems } = source.read();
  if (problems.length > 0) return { value: undefined, problems: sortProblems(problems), locate };
  if (value === null || value === undefined) {
    const expected = describeExpected(nodeOf(schema));
    return { value: undefined, problems: [locate({ path: [], found: 'an empty file', expected })], locate };
  }
  const wrong = sortProblems(findingsOf(schema, value).map(locate));
  return wrong.length > 0
    ? { value: undefined, problems: wrong, locate }
    : { value: value as Static<S>, problems: [], locate };
}

/** More than any configuration or profile has; what is larger was hardly written by a person. */
export const MAX_CHARACTERS = 4 << 20;

class YamlSource {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #length: number;
  /** Pairs of each map by key, made when one is first asked for. */
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair>>();

  constructor(file: string, text: string) {
    this.#file = file;
    // Without `prettyErrors` messages do not quote the text, which may hold a password.
    // The library finds keys that stand twice by comparing all with all: that is done here instead.
    const options = { prettyErrors: false, merge: true, uniqueKeys: false, lineCounter: this.#lines };
    this.#length = text.length;
    this.#document = parseDocument(text.length > MAX_CHARACTERS ? '' : text, options);
  }

  read(): { value: unknown; problems: Problem[] } {
    if (this.#length > MAX_CHARACTERS) return { value: undefined, problems: [this.#tooLong()] };
    const syntax = this.#syntaxProblems();
    const problems = syntax.length > 0 ? syntax : this.#openAliases();
    if (problems.length > 0) return { value: undefined, problems };
    try {
      return { value: this.#document.toJS(), problems: [] };
    } catch (error) {
      // Aliases that multiply beyond all measure.
      return { value: undefined, problems: [this.#syntax('BAD_ALIAS', describeError(error), [0, 0])] };
    }
  }

  /** Every key that stands twice, and the first of the other errors: what follows it mostly follows from it. */
  #syntaxProblems(): Problem[] {
    const [first] = this.#document.errors;
    const others = first ? [this.#syntax(first.code, first.message, first.pos)] : [];
    return [...others, ...this.#doubleKeys()];
  }

  #doubleKeys(): Problem[] {
    const problems: Problem[] = [];
    visit(this.#document, {
      Map: (_key, map) => {
        const known = new Set<unknown>();
        for (const { key } of map.items) {
          const name = isScalar(key) ? key.value : key;
          if (known.has(name)) problems.push(this.#syntax('DUPLICATE_KEY', '', [offsetOf(key) ?? 0, 0]));
          known.add(name);
        }
      },
    });
    return problems;
  }

  #tooLong(): Problem {
    const found = `${this.#length} characters`;
    return this.#problem({ path: [], found, expected: `at most ${MAX_CHARACTERS} in one file` }, 0);
  }

  #openAliases(): Problem[] {
    const problems: Problem[] = [];
    visit(this.#document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.#document)) return;
        const found = `*${alias.source}`;
        const expected = `&${alias.source} somewhere before it`;
        problems.push(this.#problem({ path: [], found, expected }, offsetOf(alias) ?? 0));
      },
    });
    return problems;
  }

  locate(finding: Finding): Problem {
    return this.#problem(finding, this.#offsetOf(finding.path, finding.at_key ?? false));
  }

  #syntax(code: string, message: string, [offset]: readonly [number, number]): Problem {
    const words = SYNTAX_WORDS[code] ?? SENTENCE_WORDS.find(([sentence]) => sentence.test(message))?.slice(1);
    if (words) return this.#problem({ path: [], found: words[0], expected: words[1] }, offset);
    const said = `not valid YAML: ${message}`;
    return this.#problem({ path: [], found: message, expected: 'valid YAML', message: said }, offset);
  }

  #problem({ path, found, expected, message }: Finding, offset: number): Problem {
    const { line, col } = this.#lines.linePos(offset);
    return {
      file: this.#file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path: formatPath(path),
      found,
      expected,
      message: message ?? `found ${found}, expected ${expected}`,
    };
  }

  /** Where the value (or key) at `path` begins; the nearest thing around it when it is not there. */
  #offsetOf(path: Path, at_key: boolean): number {
    let node: unknown = this.#document.contents;
    let offset = offsetOf(node) ?? 0;
    for (const [i, step] of path.entries()) {
      node = this.#resolve(node);
      if (isSeq(node)) {
        node = node.items[Number(step)];
        offset = offsetOf(node) ?? offset;
        continue;
      }
      const pair = isMap(node) ? this.#pairOf(node, String(step)) : undefined;
      if (!pair) break;
      const isLast = i === path.length - 1;
      const value = isEmptyScalar(pair.value) ? undefined : offsetOf(pair.value);
      offset = (isLast && at_key ? offsetOf(pair.key) : (value ?? offsetOf(pair.key))) ?? offset;
      node = pair.value;
    }
    return offset;
  }

  #pairsOf(map: YAMLMap): Map<string, Pair> {
    const known = this.#pairs.get(map);
    if (known) return known;
    const pairs = new Map<string, Pair>();
    for (const pair of map.items) {
      const text = keyText(pair.key);
      if (!pairs.has(text)) pairs.set(text, pair);
    }
    this.#pairs.set(map, pairs);
    return pairs;
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  /** The pair of this key, also when it came in through a merge key. */
  #pairOf(map: YAMLMap, key: string): Pair | undefined {
    const own = this.#pairsOf(map).get(key);
    if (own) return own;
    for (const merge of map.items.filter(pair => keyText(pair.key) === '<<')) {
      const source = this.#resolve(merge.value);
      for (const part of isSeq(source) ? source.items : [source]) {
        const merged = this.#resolve(part);
        const pair = isMap(merged) ? this.#pairOf(merged, key) : undefined;
        if (pair) return pair;
      }
    }
    return undefined;
  }
}

const SYNTAX_WORDS: Readonly<Record<string, readonly [string, string]>> = {
  DUPLICATE_KEY: ['a key that stands here twice', 'each key once'],
  TAB_AS_INDENT: ['a tab', 'spaces for indentation'],
  MULTIPLE_DOCS: ['a second document', 'one document (no further ---)'],
};

/** Where one code stands for several mistakes: by the parser's own sentence. */
const SENTENCE_WORDS: readonly (readonly [RegExp, found: string, expected: string])[] = [
  [
    /^Sequence item without/,
    'a line that is neither a list item nor part of the one above',
    'as many spaces before it as before the first key after "- "',
  ],
  [
    /^Nested mappings are not allowed/,
    'a second "key: value" within a value',
    'as many spaces before it as before the line above, or quotes around a text with ": " in it',
  ],
  [
    /must start at the same column/,
    'a line that is indented otherwise than those it belongs to',
    'the same number of spaces before each key of one level',
  ],
  [/^Missing closing .?quote/, 'a text whose quotes are not closed', 'a quote at its end'],
  [/end with a ]/, 'a list that is not closed', '"]" at its end'],
  [/end with a }/, 'keys and values that are not closed', '"}" at their end'],
  [/^Implicit keys need to be on a single line/, 'a line without a colon', '"key: value"'],
  [
    /^Plain value cannot start with/,
    'a text that begins with a sign YAML keeps for itself',
    'quotes around it',
  ],
];

const offsetOf = (node: unknown) => (isNode(node) ? node.range?.[0] : undefined);
const isEmptyScalar = (node: unknown) => isScalar(node) && node.value === null;

function keyText(key: unknown): string {
  if (!isScalar(key)) return String(key);
  return typeof key.value === 'symbol' ? '<<' : key.value === null ? '' : String(key.value);
}
