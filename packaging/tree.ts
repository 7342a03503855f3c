/** The files of a package before they are packed, under a directory that stands for `/`. */
import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export class Tree {
  /** Where the package's `/` is on this machine. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  path(file: string): string {
    return join(this.root, file);
  }

  write(file: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), content);
    chmodSync(this.path(file), mode);
  }

  /** As policy wants it of what is long: compressed, without a time or a name in it. */
  writeCompressed(file: string, content: string): void {
    this.write(`${file}.gz`, gzipSync(content, { level: 9 }));
  }

  copy(source: string, file: string, isWanted: (path: string) => boolean = () => true): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    cpSync(source, this.path(file), { recursive: true, dereference: true, filter: isWanted });
  }

  /** Every file, relative to the root, sorted. */
  files(): string[] {
    return readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter(file => !lstatSync(this.path(file)).isDirectory())
      .sort();
  }

  /** Folders of which nothing was wanted. */
  removeEmptyFolders(): void {
    const folders = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).sort().reverse();
    for (const folder of folders)
      if (lstatSync(this.path(folder)).isDirectory() && readdirSync(this.path(folder)).length === 0)
        rmdirSync(this.path(folder));
  }

  /** One mode for directories, and for files one of two: who built it shows nowhere. */
  settleModes(): void {
    chmodSync(this.root, 0o755);
    for (const file of readdirSync(this.root, { recursive: true, encoding: 'utf8' })) {
      const stat = lstatSync(this.path(file));
      if (stat.isSymbolicLink()) continue;
      chmodSync(this.path(file), stat.isDirectory() || stat.mode & 0o100 ? 0o755 : 0o644);
    }
  }
}
