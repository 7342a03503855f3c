/**
 * `npm run dev`: the demo, started again whenever a file of the daemon changes, and the page with hot reload against it.
 * Arguments go to the gateway in place of `demo`: `npm run dev -- run --config my-site/config.yaml`.
 */
import { spawn } from 'node:child_process';
import { createServer as createPort } from 'node:net';
import { join, relative } from 'node:path';
import { createServer } from 'vite';

const root = join(import.meta.dirname, '../..');
/** What the daemon is made of; the page's own files are Vite's matter. */
const DAEMON = /^(core|drivers|sim|daemon|migrations)\/.*(?<!\.test)\.(ts|mjs|sql|yaml|dbc)$/;
/** Editors write several files at once. */
const GATHER_MS = 200;
/** A gateway that does not end by itself within this time is killed. */
const STOP_MS = 15_000;

const given = process.argv.slice(2);
const command = given.length > 0 ? given : ['demo'];
const port = process.env.BMS_HTTP_PORT ?? String(await freePort());
const env = { ...process.env, BMS_HTTP_PORT: port };

let gateway;
let restart;
let isStopping = false;

function start() {
  const program = spawn(process.execPath, [join(root, 'daemon/bms-gateway.mjs'), ...command], {
    cwd: process.cwd(),
    env,
    stdio: 'inherit',
  });
  gateway = program;
  program.once('exit', code => {
    if (gateway !== program) return;
    gateway = undefined;
    if (!isStopping && code !== 0)
      console.log(`the gateway ended with ${code}; it starts again at the next change`);
  });
}

async function stop() {
  const program = gateway;
  gateway = undefined;
  if (!program || program.exitCode !== null) return;
  const ended = new Promise(resolve => program.once('exit', resolve));
  program.kill('SIGTERM');
  const timer = setTimeout(() => program.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** One restart at a time; what changes meanwhile needs another. */
let restarting = Promise.resolve();
function changed(file) {
  const path = relative(root, file);
  if (isStopping || !DAEMON.test(path)) return;
  clearTimeout(restart);
  restart = setTimeout(() => {
    console.log(`${path} changed: the gateway starts again`);
    restarting = restarting.then(stop).then(() => isStopping || start());
  }, GATHER_MS);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createPort().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

process.env.BMS_URL ??= `http://127.0.0.1:${port}`;
const page = await createServer({ configFile: join(root, 'ui/vite.config.ts'), clearScreen: false });
page.watcher.add(['core', 'drivers', 'sim', 'daemon', 'migrations'].map(room => join(root, room)));
for (const event of ['add', 'change', 'unlink']) page.watcher.on(event, changed);
await page.listen();
console.log('the page, with hot reload:');
page.printUrls();
start();

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    isStopping = true;
    clearTimeout(restart);
    await Promise.all([restarting.then(stop), page.close()]);
    process.exit(0);
  });
