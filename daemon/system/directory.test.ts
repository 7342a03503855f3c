/** A directory that cannot be used is one line with path, user and what to do. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepareStateDirectory } from '../cli/state-dir.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bms-state-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function refusal(state_dir: string): string {
  try {
    prepareStateDirectory(state_dir);
    return 'taken';
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
}

test('one that is not there is made, one that is there is taken', () => {
  expect(prepareStateDirectory(join(directory, 'a/b'))).toBe(true);
  expect(prepareStateDirectory(join(directory, 'a/b'))).toBe(false);
});

test('a file in its place, or above it', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  for (const [path, reason] of [
    [file, 'is a file, not a directory'],
    [join(file, 'below'), 'lies below a file'],
  ]) {
    const text = refusal(path);
    expect(text).toContain(`OPTION_INVALID: ${path} ${reason}`);
    expect(text).toContain(`as user ${userInfo().username}`);
    expect(text).toContain('BMS_STATE_DIR');
    expect(text).not.toContain('\n');
  }
});

// Root may write anywhere but in the kernel's own files.
test('where nothing can be made', () => {
  const state_dir = process.getuid?.() === 0 ? '/proc/bms-gateway' : join(directory, 'closed/state');
  if (process.getuid?.() !== 0) chmodSync(directory, 0o500);
  expect(refusal(state_dir)).toMatch(/^OPTION_INVALID: \S+ cannot be made/);
});
