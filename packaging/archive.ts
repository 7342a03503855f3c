/** Packs a tree with dpkg-deb: sorted, owned by root, every file of one time. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lutimesSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { PackagingError } from './packaging-error.ts';
import type { Tree } from './tree.ts';

/** Every dpkg unpacks it; xz takes a minute to make the package a quarter smaller. */
const COMPRESSION = '-Zgzip';

export function archive(tree: Tree, file: string, epoch_s: number, level: number): void {
  tree.removeEmptyFolders();
  tree.write('DEBIAN/md5sums', checksums(tree));
  tree.settleModes();
  for (const one of readdirSync(tree.root, { recursive: true, encoding: 'utf8' }))
    lutimesSync(tree.path(one), epoch_s, epoch_s);
  lutimesSync(tree.root, epoch_s, epoch_s);
  const unfinished = `${file}.unfinished`;
  try {
    execFileSync(
      'dpkg-deb',
      [COMPRESSION, `-z${level}`, '--root-owner-group', '--build', tree.root, unfinished],
      // dpkg-deb sorts the members itself; the time of the archive is this one too.
      {
        env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch_s), LC_ALL: 'C' },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  } catch (error) {
    rmSync(unfinished, { force: true });
    const { code, stderr } = error as { code?: string; stderr?: Buffer };
    throw new PackagingError(
      code === 'ENOENT'
        ? 'dpkg-deb is missing (Debian package dpkg)'
        : `dpkg-deb: ${stderr?.toString().trim()}`,
    );
  }
  renameSync(unfinished, file);
}

function checksums(tree: Tree): string {
  return tree
    .files()
    .filter(file => !file.startsWith('DEBIAN/'))
    .map(
      file =>
        `${createHash('md5')
          .update(readFileSync(tree.path(file)))
          .digest('hex')}  ${file}\n`,
    )
    .join('');
}
