/** The virtual disk of virtual-disk.c: built once, loaded into this process, where every SQLite file then lies on it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

const SOURCE = fileURLToPath(new URL('virtual-disk.c', import.meta.url));
/** SQLite's own result codes. */
export const DiskError = { io: 10, full: 13 } as const;
export const DiskOp = { read: 0, write: 1, sync: 2, truncate: 3 } as const;
/** What is kept of the unsynced at a power cut. */
export const Kept = { nothing: 0, all: 1, any_part: 2 } as const;

export interface DiskFault {
  readonly op: keyof typeof DiskOp;
  /** So many go well first. */
  readonly skip: number;
  readonly count: number;
  readonly error: keyof typeof DiskError;
  /** A sync that fails loses pages for good, as on Linux. */
  readonly loses: boolean;
}

export interface DiskStatus {
  readonly is_dead: boolean;
  readonly faults_hit: number;
  /** By syncs that failed. */
  readonly changes_lost: number;
  readonly deaths: number;
  readonly power_cuts: number;
}

/** Whether this machine can build it. */
export function hasCompiler(): boolean {
  return spawnSync('gcc', ['--version'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

export class VirtualDisk {
  readonly #control: Database.Database;

  /** Once in a process. Needs gcc; SQLite's headers come with better-sqlite3. */
  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'bms-disk-'));
    const library = join(directory, 'virtual-disk.so');
    const headers = join(
      dirname(fileURLToPath(import.meta.resolve('better-sqlite3/package.json'))),
      'deps/sqlite3',
    );
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', `-I${headers}`];
    execFileSync('gcc', [...flags, '-o', library, SOURCE], { timeout: 60_000 });
    this.#control = new Database(':memory:');
    this.#control.loadExtension(library);
    rmSync(directory, { recursive: true });
  }

  /** An empty disk; whoever has a file of the last one open is dead. */
  format(seed: number): void {
    this.#run('disk_format(?)', seed);
  }

  /** The process is gone, from one moment to the next; the kernel still has all that it wrote. */
  kill(): void {
    this.#run('disk_kill()');
  }

  powerCut(kept: keyof typeof Kept): void {
    this.#run('disk_power_cut(?)', Kept[kept]);
  }

  fail({ op, skip, count, error, loses }: DiskFault): void {
    this.#run('disk_fail(?, ?, ?, ?, ?)', DiskOp[op], skip, count, DiskError[error], Number(loses));
  }

  /** At the n-th change from now on nothing works any more, until `kill` or `powerCut`. */
  dieIn(changes: number): void {
    this.#run('disk_die_in(?)', changes);
  }

  clearFaults(): void {
    this.#run('disk_clear()');
  }

  /** Keeps a copy of the whole card. */
  saveCopy(): void {
    this.#run('disk_copy(0)');
  }

  /** That copy is the card now; whoever had the old one open is dead. */
  putCopyBack(): void {
    this.#run('disk_copy(1)');
  }

  /** A person removes a file, or leaves nothing in it. Whoever had it open must be gone. */
  lose(file: string, how: 'removed' | 'emptied'): void {
    this.#run('disk_lose(?, ?)', file, Number(how === 'emptied'));
  }

  /** A person copies a file under another name, as it is read at this moment. */
  copyFile(file: string, to: string): void {
    this.#run('disk_copy_file(?, ?)', file, to);
  }

  status(): DiskStatus {
    return JSON.parse(this.#run('disk_status()') as string);
  }

  #run(call: string, ...values: (number | string)[]): unknown {
    return this.#control
      .prepare(`SELECT ${call}`)
      .pluck()
      .get(...values);
  }
}
