/** The box whose power is cut: a kernel with an ext4 disk of its own, which runs the load and nothing else. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Kernel, startKernel } from '../uml.ts';
import type { LoadTask } from './load.ts';

const run = promisify(execFile);

export const POWER_CUT_TOOLS = {
  'linux.uml': 'user-mode-linux',
  'mkfs.ext4': 'e2fsprogs',
  stty: 'coreutils',
};
/** Large enough for rows that wait for the centre; sparse. */
const DISK_MB = 512;
const DISK = '/run/disk';
const MEMORY_MB = 512;
const TOOL_TIMEOUT_MS = 60_000;
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** Takes almost a second of each boot, and only RAID needs it. */
const LEFT_OUT = 'initcall_blacklist=raid6_select_algo';

export interface PowerCutBox {
  readonly directory: string;
  readonly image: string;
  switchOn(task: LoadTask): Promise<Kernel>;
  /** What `e2fsck` finds wrong; undefined: nothing. */
  checkDisk(): Promise<string | undefined>;
}

/** Made once, or found again in `directory`. `node_options` go to the load's Node. */
export async function makeBox(directory: string, node_options: readonly string[] = []): Promise<PowerCutBox> {
  const image = join(directory, 'disk.img');
  const cache = join(directory, 'compile-cache');
  const task_file = join(directory, 'task.json');
  const init = join(directory, 'init.sh');
  mkdirSync(directory, { recursive: true });
  if (!readdirSync(directory).includes('disk.img')) {
    await run('truncate', ['-s', `${DISK_MB}M`, image]);
    await run('/usr/sbin/mkfs.ext4', ['-q', image], { timeout: TOOL_TIMEOUT_MS });
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  await run(process.execPath, [LOAD], { env, cwd: REPOSITORY, timeout: TOOL_TIMEOUT_MS });
  const program = [process.execPath, ...node_options, LOAD, task_file, DISK];
  writeFileSync(init, initScript(program, cache), { mode: 0o755 });
  return {
    directory,
    image,
    switchOn(task) {
      writeFileSync(task_file, JSON.stringify(task));
      const parameters = [`ubd0=${image}`, LEFT_OUT];
      return startKernel({ init, home: directory, memory_mb: MEMORY_MB, line_count: 2, parameters });
    },
    checkDisk: () =>
      run('/usr/sbin/e2fsck', ['-f', '-n', image], { timeout: TOOL_TIMEOUT_MS }).then(
        () => undefined,
        error => `${error.stdout}${error.stderr}`,
      ),
  };
}

function initScript(program: readonly string[], cache: string): string {
  const quoted = program.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return `#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run
export NODE_COMPILE_CACHE='${cache}'
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir ${DISK}
mount -t ext4 -o errors=panic /dev/ubda ${DISK}
ip link set lo up
stty -F /dev/ttyS0 raw -echo
stty -F /dev/ttyS1 raw -echo
cd '${REPOSITORY}'
${quoted}
echo "the load ended with code $?"
umount ${DISK}
echo o > /proc/sysrq-trigger
sleep 60
`;
}
