#!/usr/bin/env node
/** The entry point: checks the version of Node before anything that needs it is loaded. */
import { existsSync } from 'node:fs';
// As a whole: an older Node has less in it, and is to be told so below.
import nodeModule from 'node:module';
import { join } from 'node:path';
import { startWithinBounds } from './memory-bounds.mjs';

const NEEDED_MAJOR = 24;
const major = Number.parseInt(process.versions.node, 10);

if (major < NEEDED_MAJOR) {
  process.stderr.write(
    `bms-gateway needs Node ${NEEDED_MAJOR} or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'The project brings its own: run `npm ci`, then `npm start`, or call node_modules/.bin/node.\n',
  );
  process.exit(1);
} else {
  startWithinBounds();
  cacheCompiled();
  // What the environment already says wins over the file.
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { main } = await import('./cli/main.ts');
  process.exitCode = await main(process.argv.slice(2), process.env);
}

/**
 * Sources are stripped of their types once, not at each start: that is half of the time a start takes and 20 MB.
 * Beside the packages, where only who installed them can write; elsewhere there is no cache.
 */
function cacheCompiled() {
  const directory = join(import.meta.dirname, '../node_modules/.cache/bms-gateway');
  const { status } = nodeModule.enableCompileCache(directory);
  // For threads.
  if (status !== nodeModule.constants.compileCacheStatus.FAILED) process.env.NODE_COMPILE_CACHE ??= directory;
}
