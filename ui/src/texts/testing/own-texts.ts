/** Finds texts that a file of the page says by itself, instead of taking them from the catalogue. */
import { type ESTree, parseSync, Visitor } from 'vite';

/** Attributes of elements, and properties of ours, that a person reads or hears whatever stands in them. */
const READ = new Set([
  ...[
    'alt',
    'aria-label',
    'aria-description',
    'aria-roledescription',
    'aria-valuetext',
    'label',
    'placeholder',
  ],
  ...[
    'failure',
    'help',
    'inText',
    'legend',
    'note',
    'oldLabel',
    'success',
    'summary',
    'text',
    'title',
    'word',
  ],
]);
/** Attributes that a browser reads, and properties of ours that name an icon, a tone or the like. */
const CODE = new Set([
  ...['class', 'className', 'd', 'viewBox', 'pattern', 'rel', 'style', 'autocomplete', 'href', 'font'],
  ...['icon', 'tone', 'kind', 'type', 'id', 'key', 'role'],
]);
/** Calls whose words are for machines. */
const CODE_CALLS = /^(matchMedia|querySelector(All)?|getContext|getPropertyValue|RegExp)$/;

/** Begins like a sentence or a label, or has two words side by side. */
const READS_LIKE_TEXT = /^\s*\p{Lu}\p{Ll}+(?!\p{L})|\p{L}{2,}[,.:;’]*\s+\p{L}{2,}/u;
const HAS_LETTER = /\p{L}/u;
/** The same in every language. */
const UNIT = /^\s*(V|A|W|°C)\s*$/;

export interface OwnText {
  readonly line: number;
  readonly text: string;
}

export function ownTextsIn(file: string, source: string): OwnText[] {
  const { program } = parseSync(file, source);
  const found = new Map<number, string>();
  const code: [number, number][] = [];
  const read: [number, number][] = [];
  const isWithin = (spans: readonly [number, number][], at: number) =>
    spans.some(([start, end]) => start <= at && at < end);
  const literals: { readonly start: number; readonly text: string }[] = [];
  const texts: { readonly start: number; readonly text: string }[] = [];
  const classify = (name: string, { start, end }: { start: number; end: number }) => {
    if (CODE.has(name)) code.push([start, end]);
    if (READ.has(name)) read.push([start, end]);
  };
  const pass = (node: { start: number; end: number } | null) => node && code.push([node.start, node.end]);

  new Visitor({
    JSXText: ({ start, value }) => {
      if (HAS_LETTER.test(value) && !UNIT.test(value))
        texts.push({ start: start + value.search(/\S/), text: value });
    },
    JSXElement: node => {
      if (node.openingElement.name.type === 'JSXIdentifier' && node.openingElement.name.name === 'code')
        pass(node);
    },
    JSXAttribute: ({ name, value }) => {
      if (value && name.type === 'JSXIdentifier') classify(name.name, value);
    },
    Property: ({ key, value, computed }) => {
      if (key.type === 'Literal') pass(key);
      if (key.type === 'Identifier' && !computed && isWritten(value)) classify(key.name, value);
    },
    CallExpression: ({ callee, arguments: given }) => {
      const name = callee.type === 'Identifier' ? callee.name : nameOfMember(callee);
      if (CODE_CALLS.test(name)) for (const one of given) pass(one);
    },
    BinaryExpression: ({ left, right }) => {
      for (const side of [left, right]) if (side.type === 'Literal') pass(side);
    },
    AssignmentExpression: ({ left, right }) => {
      if (CODE.has(nameOfMember(left))) pass(right);
    },
    ImportDeclaration: node => pass(node),
    ExportNamedDeclaration: ({ source: from }) => pass(from),
    ExportAllDeclaration: node => pass(node),
    ImportExpression: node => pass(node),
    TSLiteralType: node => pass(node),
    Literal: ({ start, value }) => {
      if (typeof value === 'string') literals.push({ start, text: value });
    },
    TemplateElement: ({ start, value }) => {
      literals.push({ start, text: value.raw });
    },
  }).visit(program);

  for (const { start, text } of texts) if (!isWithin(code, start)) found.set(start, text);
  for (const { start, text } of literals) {
    if (isWithin(code, start)) continue;
    const isText = isWithin(read, start) ? HAS_LETTER.test(text) : READS_LIKE_TEXT.test(text);
    if (isText) found.set(start, text);
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([start, text]) => ({ line: lineAt(source, start), text: text.trim().replace(/\s+/g, ' ') }));
}

/** A value that stands there itself: what is computed by a call says its own words where it is computed. */
function isWritten({ type }: ESTree.Node): boolean {
  return ['Literal', 'TemplateLiteral', 'ConditionalExpression', 'LogicalExpression'].includes(type);
}

function nameOfMember(node: ESTree.Node): string {
  return node.type === 'MemberExpression' && node.property.type === 'Identifier' ? node.property.name : '';
}

const lineAt = (source: string, offset: number) => source.slice(0, offset).split('\n').length;
