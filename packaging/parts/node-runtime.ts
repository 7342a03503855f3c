/**
 * The Node that the package brings: the build that npm has for the box, of the version in package.json, with its licence
 * and its headers. npm checks what it fetches, and keeps it; what is taken out of it is kept in node_modules/.cache.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ARCHITECTURES, type Architecture } from '../architecture.ts';
import { PackagingError } from '../packaging-error.ts';
import type { Part } from './licences.ts';
import { tool } from './strip.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface NodeRuntime {
  readonly program: string;
  readonly headers: string;
  readonly part: Part;
}

export function fetchNode(architecture: Architecture): NodeRuntime {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const version = dependencies.node as string;
  const name = `node-linux-${ARCHITECTURES[architecture].node}`;
  const kept = join(ROOT, 'node_modules/.cache/deb', `${name}-${version}`);
  if (!existsSync(kept)) fetch(name, version, kept);
  return {
    program: join(kept, 'bin/node'),
    headers: join(kept, 'include/node'),
    part: {
      name: 'node',
      version,
      licence: 'MIT',
      text: readFileSync(join(kept, 'LICENSE'), 'utf8'),
      is_program: true,
    },
  };
}

function fetch(name: string, version: string, kept: string): void {
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(`${kept}-`);
  try {
    const where = ['--silent', '--prefer-offline', '--pack-destination', work];
    const file = tool('npm', ['pack', ...where, `${name}@${version}`], 'npm')
      .trim()
      .split('\n')
      .at(-1) as string;
    const wanted = ['package/bin/node', 'package/LICENSE', 'package/include/node'];
    tool('tar', ['-xzf', join(work, file), '-C', work, ...wanted], 'tar');
    renameSync(join(work, 'package'), kept);
  } catch (error) {
    if (existsSync(kept)) return;
    throw new PackagingError(
      `Node ${version} for this box (npm package ${name}) was not to be had: ${(error as Error).message}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
