/**
 * Bundles the page into ui/dist. Everything is a hashed file of its own: the gateway serves it under a
 * Content-Security-Policy that allows no inline script or style, and no other origin.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Beside each text file its compressed forms: a small box sends them as they are, and a slow phone waits less. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  // From the files themselves: Vite still changes chunks while it makes the bundle.
  writeBundle({ dir = '' }, bundle) {
    for (const name of Object.keys(bundle).filter(one => /\.(js|css|html)$/.test(one))) {
      const file = join(dir, name);
      const content = readFileSync(file);
      writeFileSync(`${file}.br`, brotliCompressSync(content));
      writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [compressed],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    // What is inside, and under which licences: for who packs it. A name that is not served.
    license: { fileName: '.licences.json' },
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ['index.html', 'api-docs.html'].map(page => join(import.meta.dirname, page)),
    },
    target: ['chrome111', 'firefox114', 'safari16.4'],
    chunkSizeWarningLimit: 300,
  },
  server: {
    proxy: {
      '/api': { target: process.env.BMS_URL ?? 'http://127.0.0.1:8080' },
      '/ws': { target: process.env.BMS_URL ?? 'http://127.0.0.1:8080', ws: true },
    },
  },
});
