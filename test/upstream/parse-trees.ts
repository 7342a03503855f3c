/**
 * What PostgreSQL made of every statement that it was sent or that a function ran: its parse trees, as `debug_print_parse`
 * writes them into the server's log. So each function and operator is known as the server resolved it.
 */
import { readFileSync } from 'node:fs';

export const PRINT_PARSE_TREES = ['debug_print_parse = on', 'debug_pretty_print = off'];

/** As in `{QUERY :commandType 2 …}`: what stands in it, lists flattened. */
export interface TreeNode {
  readonly type: string;
  readonly items: (string | TreeNode)[];
}

export function parseTreesIn(log_file: string): TreeNode[] {
  // Lines are broken at spaces; those that go on begin with a tab.
  return readFileSync(log_file, 'utf8')
    .replaceAll('\n\t', ' ')
    .split('\n')
    .filter(line => /DETAIL: {2}\(?\{QUERY /.test(line))
    .map(line => readTree(line.slice(line.indexOf('{'))));
}

export function field({ items }: TreeNode, name: string): number {
  return Number(items[items.indexOf(`:${name}`) + 1]);
}

/** The node and all below it, but not below such that `isEnd`. */
export function* nodesOf(
  node: TreeNode,
  isEnd: (node: TreeNode) => boolean = () => false,
): Generator<TreeNode> {
  yield node;
  for (const item of node.items) if (typeof item !== 'string' && !isEnd(item)) yield* nodesOf(item, isEnd);
}

function readTree(text: string): TreeNode {
  const tokens = text.match(/(?:\\.|[^\s{}()\\])+|[{}]/gs) ?? [];
  const open: TreeNode[] = [{ type: '', items: [] }];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i] === '{') open.push({ type: tokens[++i], items: [] });
    else if (tokens[i] !== '}') open.at(-1)?.items.push(tokens[i]);
    else {
      const done = open.pop();
      if (done) open.at(-1)?.items.push(done);
      if (open.length === 1) break;
    }
  }
  const [tree] = open[0].items;
  if (open.length !== 1 || typeof tree !== 'object') throw new Error(`no parse tree: ${text.slice(0, 200)}`);
  return tree;
}
