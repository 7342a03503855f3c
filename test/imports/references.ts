/** What a file refers to: imports of every form, and the machine's own time. */
import { type ESTree, Visitor } from 'vite';

export interface Reference {
  readonly specifier: string;
  readonly offset: number;
  /** Erased before the program runs. */
  readonly typeOnly: boolean;
  /** Loaded when it is needed, which may be never. */
  readonly lazy: boolean;
}

/** Imports of every form: static, re-export, dynamic, of types, and `new URL('./x.ts', import.meta.url)`. */
export function referencesIn(program: ESTree.Program): Reference[] {
  const found: Reference[] = [];
  const add = (node: ESTree.Node | null, typeOnly: boolean, lazy: boolean) => {
    if (node?.type === 'Literal' && typeof node.value === 'string')
      found.push({ specifier: node.value, offset: node.start, typeOnly, lazy });
    else if (node?.type === 'TemplateLiteral' && node.quasis.length === 1)
      found.push({ specifier: node.quasis[0].value.raw, offset: node.start, typeOnly, lazy });
  };
  new Visitor({
    ImportDeclaration: node => add(node.source, node.importKind === 'type', false),
    ExportNamedDeclaration: node => add(node.source, node.exportKind === 'type', false),
    ExportAllDeclaration: node => add(node.source, node.exportKind === 'type', false),
    ImportExpression: node => add(node.source, false, true),
    TSImportType: node => add(node.source, true, false),
    NewExpression: ({ callee, arguments: [first] }) => {
      const isModule = first?.type === 'Literal' && /^\.\.?\/.*\.(ts|tsx|mjs)$/.test(String(first.value));
      if (callee.type === 'Identifier' && callee.name === 'URL' && isModule) add(first, false, true);
    },
  }).visit(program);
  return found;
}

const TIMERS = ['setTimeout', 'setInterval'];
const GLOBALS = ['globalThis', 'window', 'self'];

/** Uses of the machine's own time: a timer also where it is only handed on, as in `promisify(setTimeout)`. */
export function bareTimeIn(program: ESTree.Program): { offset: number; name: string }[] {
  const found: { offset: number; name: string }[] = [];
  const note = (node: ESTree.Node) => {
    const name = timeNameOf(node);
    if (name) found.push({ offset: node.start, name });
  };
  new Visitor({
    CallExpression: node => {
      note(node.callee);
      for (const argument of node.arguments) note(argument);
    },
    NewExpression: ({ start, callee, arguments: given }) => {
      if (callee.type === 'Identifier' && callee.name === 'Date' && given.length === 0)
        found.push({ offset: start, name: 'new Date()' });
    },
  }).visit(program);
  return found;
}

function timeNameOf(node: ESTree.Node): string | undefined {
  if (node.type === 'Identifier') return TIMERS.find(name => name === node.name);
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return undefined;
  if (node.property.type !== 'Identifier' || node.computed) return undefined;
  const name = `${node.object.name}.${node.property.name}`;
  if (name === 'Date.now' || name === 'performance.now') return name;
  return GLOBALS.includes(node.object.name) ? TIMERS.find(timer => timer === node.property.name) : undefined;
}
