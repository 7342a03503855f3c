/** Takes out of a program what only a debugger reads: a seventh of Node. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARCHITECTURES, type Architecture } from '../architecture.ts';
import { PackagingError } from '../packaging-error.ts';

export function stripped(file: string, architecture: Architecture): Buffer {
  const { gnu, elf } = ARCHITECTURES[architecture];
  const work = mkdtempSync(join(tmpdir(), 'bms-gateway-strip-'));
  const copy = join(work, 'program');
  try {
    const header = tool('readelf', ['--file-header', file], 'binutils');
    if (!header.includes(elf))
      throw new PackagingError(
        `${file} is not for ${architecture}: expected ${elf}, found ${/Machine: *(.*)/.exec(header)?.[1]}`,
      );
    copyFileSync(file, copy);
    const is_foreign = ARCHITECTURES[architecture].node !== process.arch;
    tool(
      `${gnu}-strip`,
      ['--strip-unneeded', '--remove-section=.comment', copy],
      is_foreign ? `binutils-${gnu.replace('_', '-')}` : 'binutils',
    );
    return readFileSync(copy);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What the tool writes. @throws PackagingError that names the Debian package it is in */
export function tool(name: string, args: readonly string[], debianPackage: string): string {
  try {
    return execFileSync(name, args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 300_000,
      maxBuffer: 64 << 20,
    });
  } catch (error) {
    const { code, stderr, message } = error as { code?: string; stderr?: string; message: string };
    throw new PackagingError(
      code === 'ENOENT'
        ? `${name} is missing (Debian package ${debianPackage})`
        : `${name}: ${(stderr || message).trim()}`,
    );
  }
}
