/** What runs on the box: the bundle, the files it reads, its packages with their add-ons, and its own Node. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { addOnsOf } from './parts/add-ons.ts';
import { type Part, partsOfBundle } from './parts/licences.ts';
import { fetchNode } from './parts/node-runtime.ts';
import { isNeeded, packagesAtRunTime } from './parts/packages.ts';
import { stripped } from './parts/strip.ts';
import type { Tree } from './tree.ts';

export const ROOT = join(import.meta.dirname, '..');
export const PROGRAM = 'usr/lib/bms-gateway';

/** Read by the program from where it stands, beside `dist/`. */
const READ_BY_PLACE = [
  'ui/dist',
  'migrations',
  'drivers/profiles',
  'core/estimate/models',
  'daemon/config/demo.yaml',
];
/** Neither sources nor what tests hold profiles against. */
const IS_DATA = /\.(sql|yaml|dbc|html|js|css|svg|br|gz)$/;

/** `exec`: signals reach the gateway, and systemd sees its process. Root leaves no compiled code that nobody removes. */
const LAUNCHER = `#!/bin/sh
NODE_DISABLE_COMPILE_CACHE=1 exec /${PROGRAM}/node /${PROGRAM}/dist/bms-gateway.mjs "$@"
`;

/** Everything that is inside, with its licence. */
export function layOutProgram(tree: Tree, architecture: Architecture): Part[] {
  const node = fetchNode(architecture);
  tree.write(`${PROGRAM}/node`, stripped(node.program, architecture), 0o755);
  tree.write('usr/bin/bms-gateway', LAUNCHER, 0o755);

  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  tree.write(`${PROGRAM}/package.json`, `${JSON.stringify({ name, version, license, type: 'module' })}\n`);
  for (const file of readdirSync(join(ROOT, 'dist')).filter(file => file.endsWith('.mjs')))
    tree.write(
      `${PROGRAM}/dist/${file}`,
      readFileSync(join(ROOT, 'dist', file), 'utf8').replace(/^#!.*\n/, ''),
    );
  for (const place of READ_BY_PLACE)
    tree.copy(
      join(ROOT, place),
      `${PROGRAM}/${place}`,
      path => !basename(path).includes('.') || IS_DATA.test(path),
    );

  const packages = packagesAtRunTime(ROOT);
  for (const { place } of packages)
    tree.copy(join(ROOT, place), `${PROGRAM}/${place}`, path => isNeeded(join(ROOT, place), path));
  for (const [file, addOn] of addOnsOf(ROOT, architecture, node.headers))
    tree.write(`${PROGRAM}/${file}`, stripped(addOn, architecture));

  return [node.part, ...packages.map(({ part }) => part), ...partsOfBundle(ROOT)];
}
