/** The compiled add-ons for a box: two come compiled with their packages, socketcan is compiled here. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, type Architecture } from '../architecture.ts';
import { PackagingError } from '../packaging-error.ts';
import { tool } from './strip.ts';

const SOCKETCAN = 'node_modules/socketcan';
const SOCKETCAN_ADD_ONS = { can: 'native/can.cc', can_signals: 'native/signals.cc' };

/** Where each is put, beside where it is now. */
export function addOnsOf(root: string, architecture: Architecture, headers: string): [string, string][] {
  const { node, serial } = ARCHITECTURES[architecture];
  const shipped = [
    `node_modules/better-sqlite3/prebuilds/linux-${node}.node`,
    `node_modules/@serialport/bindings-cpp/prebuilds/linux-${node}/@serialport+bindings-cpp.${serial}.node`,
  ].map((file): [string, string] => [file, join(root, file)]);
  for (const [file, path] of shipped)
    if (!existsSync(path))
      throw new PackagingError(`${file} is not there: its package has no build for ${architecture}`);
  return [...shipped, ...socketcan(root, architecture, headers)];
}

/** With the compiler and the C library of this machine: a package made on Debian 12 runs on 13 as well. */
function socketcan(root: string, architecture: Architecture, headers: string): [string, string][] {
  if (!existsSync(join(root, SOCKETCAN)))
    throw new PackagingError('socketcan is not installed: run npm ci on Linux');
  const { gnu, node } = ARCHITECTURES[architecture];
  const flags = [
    // As binding.gyp says; hardened, and without the directory it was compiled in.
    ...['-std=c++20', '-O2', '-fPIC', '-shared', '-fno-exceptions', '-DNAPI_DISABLE_CPP_EXCEPTIONS'],
    ...['-fstack-protector-strong', '-D_FORTIFY_SOURCE=2', '-Wl,-z,relro,-z,now', '-Wl,--build-id=none'],
    ...['-DBUILDING_NODE_EXTENSION', `-ffile-prefix-map=${root}=.`],
    ...[`-I${headers}`, `-I${join(root, 'node_modules/node-addon-api')}`],
  ];
  const compiler = tool(
    `${gnu}-g++`,
    ['--version'],
    node === process.arch ? 'g++' : `g++-${gnu.replace('_', '-')}`,
  );
  return Object.entries(SOCKETCAN_ADD_ONS).map(([name, source]) => {
    const args = [...flags, `-DNODE_GYP_MODULE_NAME=${name}`, join(root, SOCKETCAN, source)];
    const key = createHash('sha256')
      .update(JSON.stringify([compiler, ...args]))
      .update(readFileSync(join(root, SOCKETCAN, source)))
      .digest('hex');
    const kept = join(root, 'node_modules/.cache/deb', `${name}-${key.slice(0, 16)}.node`);
    if (!existsSync(kept)) {
      const unfinished = `${kept}.${process.pid}`;
      tool(`${gnu}-g++`, [...args, '-o', unfinished], 'g++');
      renameSync(unfinished, kept);
    }
    return [`${SOCKETCAN}/build/Release/${name}.node`, kept];
  });
}
