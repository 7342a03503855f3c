/**
 * Bundles the page into ui/dist. Everything is a hashed file of its own: the gateway serves it under a
 * Content-Security-Policy that allows no inline script or style, and no other origin.
 */
import { join } from 'node:path';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
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
