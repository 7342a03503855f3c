/** A program that runs for long has its bounds on memory however it was started, and stays the same process. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MODULE = new URL('memory-bounds.mjs', import.meta.url).href;
const FLAGS = ['--max-semi-space-size=2', '--expose-gc'];
const run = promisify(execFile);
let directory: string;
let program: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bms-bounds-'));
  program = join(directory, 'program.mjs');
  writeFileSync(
    program,
    `import { startWithinBounds } from '${MODULE}';
     startWithinBounds();
     const { pid, argv, execArgv: flags, env } = process;
     console.log(JSON.stringify({ pid, args: argv.slice(2), flags, arenas: env.MALLOC_ARENA_MAX }));`,
  );
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the program sees of itself. */
async function seen(args: string[], flags: string[] = [], env: Record<string, string> = {}) {
  const { MALLOC_ARENA_MAX: _, NODE_OPTIONS: __, ...inherited } = process.env;
  const child = run(process.execPath, [...flags, program, ...args], { env: { ...inherited, ...env } });
  const { pid } = child.child;
  const { stdout, stderr } = await child;
  expect(stderr).toBe('');
  return { ...JSON.parse(stdout), is_same: JSON.parse(stdout).pid === pid };
}

test('programs that run for long replace themselves, with all that they were given', async () => {
  for (const args of [
    ['demo'],
    ['run', '--config', 'a b.yaml'],
    ['--config', 'x', 'simulate'],
    ['export', '--from', '1h'],
  ])
    expect(await seen(args, ['--no-warnings'])).toMatchObject({
      args,
      flags: ['--no-warnings', ...FLAGS],
      arenas: '2',
      is_same: true,
    });
});

test('short ones start as they are', async () => {
  for (const args of [[], ['check-config', 'x'], ['decode', 'export.log']])
    expect(await seen(args)).toEqual({ args, flags: [], pid: expect.any(Number), is_same: true });
});

test('what a person has set stays', async () => {
  expect(await seen(['run'], ['--max_semi_space_size=16'], { MALLOC_ARENA_MAX: '8' })).toMatchObject({
    flags: ['--max_semi_space_size=16', '--expose-gc'],
    arenas: '8',
    is_same: true,
  });
  expect(await seen(['run'], [], { NODE_OPTIONS: '--expose-gc --max-semi-space-size=4' })).toMatchObject({
    flags: [],
    arenas: '2',
    is_same: true,
  });
});
