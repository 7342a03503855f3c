/**
 * Run by npm after an installation. npm leaves an optional package out, without a word, when the package's
 * `engines` do not fit the Node that runs npm; the Node that runs the gateway (package `node`) does fit.
 * So on Linux the optional package is fetched again under that Node. Plain JavaScript: any Node may start it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const npm = process.env.npm_execpath;
const major = Number(process.versions.node.split('.')[0]);
const addon = 'node_modules/socketcan/build/Release/can.node';

if (process.platform === 'linux' && major >= 24 && npm && !existsSync(addon)) {
  const run = (...args) =>
    spawnSync(process.execPath, [npm, ...args], { stdio: 'ignore', timeout: 300_000 }).status === 0;
  // Scripts are left out the first time, so that this one does not start itself.
  const installed = run('install', '--no-save', '--ignore-scripts') && run('rebuild', 'socketcan');
  if (!installed || !existsSync(addon))
    process.stderr.write(
      'socketcan was not installed: connections of type socketcan will not work. ' +
        'It needs a compiler: install g++, make and python3, then run `npm rebuild socketcan`.\n',
    );
}
