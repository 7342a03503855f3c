/** A copy of the gateway's sources, for drills: a change is made in it, and the compiler asked what else it needs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

export const ROOT = join(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');
const COPIED = ['core', 'drivers', 'sim', 'daemon', 'migrations', 'docs', 'package.json'];

/** What is added to a file, behind a text that stands there once. */
export type Edits = Readonly<Record<string, readonly (readonly [behind: string, added: string])[]>>;

export class GatewayCopy {
  readonly path = mkdtempSync(join(tmpdir(), 'drill-'));
  readonly #programs: readonly string[];

  /** `has_page`: with the page, whose types are checked too. */
  constructor(has_page = false) {
    for (const name of has_page ? [...COPIED, 'ui/src', 'ui/tsconfig.json', 'ui/vite.config.ts'] : COPIED)
      cpSync(join(ROOT, name), join(this.path, name), { recursive: true });
    symlinkSync(MODULES, join(this.path, 'node_modules'));
    this.#programs = has_page ? ['.', 'ui'] : ['.'];
    this.#writeOptions('tsconfig.json', ['core', 'drivers', 'sim', 'daemon']);
    if (has_page) this.#writeOptions('ui/tsconfig.json', ['src']);
  }

  #writeOptions(file: string, include: readonly string[]): void {
    const options = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as object;
    writeFileSync(join(this.path, file), JSON.stringify({ ...options, include }));
  }

  edit(edits: Edits): void {
    for (const [file, additions] of Object.entries(edits)) {
      let text = readFileSync(join(this.path, file), 'utf8');
      for (const [behind, added] of additions) {
        expect(text.split(behind), `${file}: ${behind}`).toHaveLength(2);
        text = text.replace(behind, () => behind + added);
      }
      writeFileSync(join(this.path, file), text);
    }
  }

  /** What the compiler says, as `file(line,column): error …`. */
  errors(): string[] {
    return this.#programs.flatMap(program => {
      const { stdout } = spawnSync(join(MODULES, '.bin/tsc'), ['-p', program], {
        cwd: this.path,
        encoding: 'utf8',
      });
      return stdout.match(/^\S+?\(\d+,\d+\): error .*/gm) ?? [];
    });
  }

  filesWithErrors(): string[] {
    return [...new Set(this.errors().map(line => line.replace(/\(.*/, '')))].sort();
  }

  run(...args: string[]): string {
    const { stdout, stderr } = spawnSync(join(MODULES, '.bin/node'), args, {
      cwd: this.path,
      encoding: 'utf8',
    });
    return stdout + stderr;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The files that CONTRIBUTING.md lists for a kind of change. */
export function listedFor(change: string): string[] {
  const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  const section = page.split(`**${change}**`)[1]?.split('\n\n')[0] ?? '';
  return [...section.matchAll(/^- `([^`]+?)\/?`/gm)].map(([, path]) => path);
}
