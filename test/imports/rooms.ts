/** The rooms and what each may import, as the table in docs/ARCHITECTURE.md says: the one place where it is said. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ARCHITECTURE = 'docs/ARCHITECTURE.md';

export interface Room {
  /** Of the directory or file, without a slash at the end. */
  readonly path: string;
  readonly line: number;
  /** Beside itself; undefined: no rule of its own, that of the room above holds. */
  readonly may_import: readonly string[] | undefined;
}

/** Rooms whose own rooms must all have a row. */
const LISTED_IN_FULL = ['core', 'drivers', 'sim', 'daemon'];

export class Rooms {
  readonly #rooms: readonly Room[];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.#rooms = readFileSync(join(root, ARCHITECTURE), 'utf8').split('\n').flatMap(roomsOfRow);
  }

  /** The room whose rule holds for a file; undefined: it may import anything. */
  ruleOf(file: string): Room | undefined {
    let found: Room | undefined;
    for (const room of this.#rooms)
      if (room.may_import && isIn(file, room.path) && room.path.length >= (found?.path.length ?? 0))
        found = room;
    return found?.may_import?.includes('all') ? undefined : found;
  }

  /** What a file may import in place of `target`; undefined: it may. */
  expectedInPlaceOf(file: string, target: string): string | undefined {
    const room = this.ruleOf(file);
    if (!room?.may_import || !this.ruleOf(target)) return undefined;
    if ([room.path, ...room.may_import].some(path => isIn(target, path))) return undefined;
    return `${room.path} imports ${target}, expected only ${[...room.may_import, room.path].join(', ')}`;
  }

  /** What of the table does not agree with the tree, as violations. */
  violations(): string[] {
    const found: string[] = [];
    for (const { path, line, may_import = [] } of this.#rooms)
      for (const name of [path, ...may_import])
        if (name !== 'all' && !existsSync(join(this.#root, name)))
          found.push(`${ARCHITECTURE}:${line}: names ${name}, which is not there`);
    const known = new Set(this.#rooms.map(({ path }) => path));
    for (const top of LISTED_IN_FULL)
      for (const file of globSync(`${top}/*/**/*.ts`, { cwd: this.#root }).sort()) {
        const room = file.split('/', 2).join('/');
        if (!known.has(room) && !room.endsWith('/testing'))
          found.push(`${ARCHITECTURE}:1: has no row for ${room}/, expected what it is for`);
        known.add(room);
      }
    return found;
  }
}

function isIn(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

/** `| \`a/\`, \`b.ts\` | what for | \`c\`, \`d\` |`: rooms, their purpose, what they may import (`-`: nothing). */
function roomsOfRow(row: string, index: number): Room[] {
  const cells = row.split('|').map(cell => cell.trim());
  if (cells.length !== 5 || !cells[1].startsWith('`')) return [];
  const may_import = cells[3] === '' ? undefined : cells[3] === 'all' ? ['all'] : namesIn(cells[3]);
  return namesIn(cells[1]).map(path => ({ path, line: index + 1, may_import }));
}

const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+?)\/?`/g)].map(([, name]) => name);
