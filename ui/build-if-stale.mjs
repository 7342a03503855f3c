/**
 * Builds ui/dist when it is missing or older than what it is made of; says nothing when it is up to date.
 * Plain JavaScript: it runs before anything else does.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const made = join(root, 'ui/dist/index.html');
const madeOf = [
  'ui/src',
  'ui/public',
  'ui/index.html',
  'ui/api-docs.html',
  'ui/vite.config.ts',
  'core',
  'package-lock.json',
];

/** Newest change below `path` in ms; 0 where nothing stands. */
function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return readdirSync(path).reduce((latest, name) => {
    return name.endsWith('.test.ts') ? latest : Math.max(latest, newest(join(path, name)));
  }, stat.mtimeMs);
}

async function build() {
  const { build } = await import('vite');
  await build({ root: join(root, 'ui'), configFile: join(root, 'ui/vite.config.ts'), logLevel: 'warn' });
}

const isStale = newest(made) <= Math.max(...madeOf.map(path => newest(join(root, path))));
if (isStale) {
  try {
    await build();
  } catch (error) {
    const missing = error?.code === 'ERR_MODULE_NOT_FOUND';
    process.stderr.write(`The dashboard (ui/) could not be built: ${error?.message ?? error}\n`);
    if (missing) process.stderr.write('Its packages are not installed: run `npm ci` first.\n');
    process.exit(1);
  }
}
