/** The page's files: what is cached, what falls back to the index, what is refused. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildApp } from './app.ts';
import type { App } from './options.ts';
import { makeTestSite, testOptions } from './testing/test-site.ts';

let directory: string;
let app: App;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'page-'));
  const ui_directory = join(directory, 'dist');
  await mkdir(join(ui_directory, 'assets'), { recursive: true });
  await writeFile(join(directory, 'outside.txt'), 'outside');
  await writeFile(join(ui_directory, 'index.html'), '<!doctype html><p>index</p>');
  await writeFile(join(ui_directory, 'assets', 'main-abc.js'), 'export {};');
  await writeFile(join(ui_directory, 'icon.svg'), '<svg/>');
  await writeFile(join(ui_directory, 'assets', 'main-abc.js.br'), brotliCompressSync('export {};'));
  await writeFile(join(ui_directory, 'assets', 'main-abc.js.gz'), gzipSync('export {};'));
  await writeFile(join(ui_directory, '.hidden'), 'hidden');
  ({ app } = await buildApp(makeTestSite().services, testOptions({ ui_directory })));
});
afterAll(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

test.each(['/', '/index.html', '/packs/rack-1', '/no/such/place', '/assets'])('%s is the page', async url => {
  const reply = await app.inject({ url, headers: { accept: 'text/html' } });
  expect(reply.statusCode).toBe(200);
  expect(reply.body).toContain('index');
  expect(reply.headers['cache-control']).toBe('no-cache');
  expect(reply.headers['content-security-policy']).toContain("script-src 'self';");
});

test('what is there in compressed form is sent so to those who take it', async () => {
  const url = '/assets/main-abc.js';
  for (const [accepted, used] of [
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate', 'gzip'],
    ['identity', undefined],
  ] as const) {
    const { headers, rawPayload } = await app.inject({ url, headers: { 'accept-encoding': accepted } });
    expect(headers['content-encoding']).toBe(used);
    expect(headers['content-type']).toMatch(/javascript/);
    expect(headers['cache-control']).toContain('immutable');
    expect(headers.vary).toContain('accept-encoding');
    const text =
      used === 'br' ? brotliDecompressSync(rawPayload) : used ? gunzipSync(rawPayload) : rawPayload;
    expect(String(text)).toBe('export {};');
  }
});

test('an id with a dot is a place of the page for a browser, a missing file for a program', async () => {
  const status = async (accept: string) =>
    (await app.inject({ url: '/packs/rack.1', headers: { accept } })).statusCode;
  expect(await status('text/html,*/*')).toBe(200);
  expect(await status('image/png')).toBe(404);
});

test('files named by their content are kept for good, others are asked for again', async () => {
  const cache = async (url: string) => (await app.inject({ url })).headers['cache-control'];
  expect(await cache('/assets/main-abc.js')).toBe('public, max-age=31536000, immutable');
  expect(await cache('/icon.svg')).toBe('no-cache');
});

test.each(['/assets/gone.js', '/../outside.txt', '/%2e%2e/outside.txt', '/..%2foutside.txt', '/.hidden.txt'])(
  '%s is not there',
  async url => {
    const reply = await app.inject({ url });
    expect(reply.statusCode).toBeGreaterThanOrEqual(400);
    expect(reply.statusCode).toBeLessThan(500);
    expect(reply.body).not.toContain('outside\n');
  },
);

test('a hidden file is not served', async () => {
  expect((await app.inject({ url: '/.hidden' })).body).not.toBe('hidden');
});

test('without a bundle the page says how to build it', async () => {
  const built = await buildApp(makeTestSite().services, testOptions());
  const reply = await built.app.inject({ url: '/' });
  expect(reply.statusCode).toBe(503);
  expect(reply.body).toContain('npm run build');
  await built.app.close();
});
