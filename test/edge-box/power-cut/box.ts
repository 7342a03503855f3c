/** The box whose power is cut: a kernel with an ext4 disk of its own, which runs the load and nothing else. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Kernel, MODULES, startKernel } from '../uml.ts';
import type { LoadTask } from './load.ts';
import { makeVolatileDisk, type SectorCounts } from './volatile-disk.ts';

const run = promisify(execFile);

export const POWER_CUT_TOOLS = {
  'linux.uml': 'user-mode-linux',
  'mkfs.ext4': 'e2fsprogs',
  cc: 'gcc',
  insmod: 'kmod',
  stty: 'coreutils',
};
/** Large enough for rows that wait for the centre; sparse. */
const DISK_MB = 512;
const DISK = '/run/disk';
const MEMORY_MB = 512;
const TOOL_TIMEOUT_MS = 60_000;
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));
const SYNCHRONOUS_OFF = fileURLToPath(new URL('./synchronous-off.ts', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
/** Takes almost a second of each boot, and only RAID needs it. */
const LEFT_OUT = 'initcall_blacklist=raid6_select_algo';

export interface PowerCutBox {
  readonly directory: string;
  switchOn(task: LoadTask, kind: DiskKind): Promise<Kernel>;
  /** After a cut: what the disk had not flushed may be gone. */
  losePower(kind: DiskKind, random: () => number): SectorCounts;
  /** What `e2fsck` finds wrong; undefined: nothing. */
  checkDisk(): Promise<string | undefined>;
}

/**
 * plain: what the kernel has written stays, as on a disk without a cache (the driver `ubd` knows no flush).
 * cached: the kernel's disk is a file of this machine's (`loop`), whose write cache is lost; see volatile-disk.ts.
 */
export type DiskKind = 'plain' | 'cached';

/** What makes a box lose what it has acknowledged, so that the test must find it. */
export type Sabotage = 'synchronous-off' | 'lying-disk';

/** Made once, or found again in `directory`. */
export async function makeBox(directory: string, sabotage?: Sabotage): Promise<PowerCutBox> {
  const image = join(directory, 'disk.img');
  const cache = join(directory, 'compile-cache');
  const task_file = join(directory, 'task.json');
  const init = join(directory, 'init.sh');
  mkdirSync(directory, { recursive: true });
  if (!readdirSync(directory).includes('disk.img')) {
    await run('truncate', ['-s', `${DISK_MB}M`, image]);
    await run('/usr/sbin/mkfs.ext4', ['-q', '-b', '4096', image], { timeout: TOOL_TIMEOUT_MS });
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  await run(process.execPath, [LOAD], { env, cwd: REPOSITORY, timeout: TOOL_TIMEOUT_MS });
  const disk = await makeVolatileDisk(image, directory, sabotage === 'lying-disk');
  const node_options = sabotage === 'synchronous-off' ? ['--import', SYNCHRONOUS_OFF] : [];
  const program = [process.execPath, ...node_options, LOAD, task_file, DISK];
  writeFileSync(init, initScript(program, directory, cache), { mode: 0o755 });
  return {
    directory,
    switchOn(task, kind) {
      writeFileSync(task_file, JSON.stringify(task));
      const common = { init, home: directory, memory_mb: MEMORY_MB, line_count: 2 };
      return kind === 'plain'
        ? startKernel({ ...common, parameters: [`ubd0=${image}`, LEFT_OUT] })
        : startKernel({ ...common, parameters: [LEFT_OUT], env: disk.env });
    },
    losePower: (kind, random) => (kind === 'plain' ? { unflushed: 0, lost: 0 } : disk.losePower(random)),
    checkDisk: () =>
      run('/usr/sbin/e2fsck', ['-f', '-n', image], { timeout: TOOL_TIMEOUT_MS }).then(
        () => undefined,
        error => `${error.stdout}${error.stderr}`,
      ),
  };
}

function initScript(program: readonly string[], directory: string, cache: string): string {
  const quoted = program.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const loop = globSync(`${MODULES}/*/kernel/drivers/block/loop.ko`)[0];
  return `#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TMPDIR=/run
export NODE_COMPILE_CACHE='${cache}'
off() {
  echo o > /proc/sysrq-trigger
  sleep 60
}
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /run
mkdir ${DISK} /run/outside
if [ -e /sys/block/ubda ]; then
  mount -t ext4 -o errors=panic /dev/ubda ${DISK} || off
else
  insmod '${loop}'
  mount -t hostfs -o '${directory}' none /run/outside
  mount -t ext4 -o errors=panic,loop /run/outside/disk.img ${DISK} || off
fi
ip link set lo up
stty -F /dev/ttyS0 raw -echo
stty -F /dev/ttyS1 raw -echo
cd '${REPOSITORY}'
${quoted}
echo "the load ended with code $?"
umount ${DISK}
off
`;
}
