/**
 * A real edge box on a machine that has none: boots User-Mode Linux (a Linux kernel that runs as an ordinary
 * process) over this machine's own files, read-only, with the kernel's SocketCAN, and runs one program in it.
 * Everything the program leaves behind goes into one shared directory.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MODULES = '/usr/lib/uml/modules';
/** Order matters: each needs the ones before it. */
const CAN_MODULES = ['can', 'can-dev', 'can-raw', 'vcan', 'slcan'];
const TOOLS = {
  'linux.uml': 'user-mode-linux',
  insmod: 'kmod',
  ip: 'iproute2',
  cansend: 'can-utils',
  candump: 'can-utils',
  slcand: 'can-utils',
};
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const repository = new URL('../../', import.meta.url).pathname;

export interface EdgeBoxRun {
  /** Command and arguments; the shared directory's path inside is in the environment as SHARE. */
  readonly program: readonly string[];
  /** A directory of this machine, writable inside. */
  readonly share: string;
  readonly timeout_ms: number;
}

export interface EdgeBoxResult {
  /** Of the program; undefined when the kernel ended before the program did. */
  readonly exit_code: number | undefined;
  /** What kernel and program wrote. */
  readonly console: string;
}

/** What this machine lacks, each with the way to get it; empty: the edge box can boot. */
export function missingParts(): string[] {
  const missing: string[] = [];
  for (const [tool, debianPackage] of Object.entries(TOOLS))
    if (!PATH.split(':').some(folder => existsSync(join(folder, tool))))
      missing.push(`${tool} (Debian package ${debianPackage})`);
  if (!existsSync(join(repository, 'node_modules/socketcan/build/Release/can.node')))
    missing.push('the npm package socketcan (`npm rebuild socketcan`)');
  return missing;
}

export async function runInEdgeBox(run: EdgeBoxRun): Promise<EdgeBoxResult> {
  const init = join(run.share, 'init.sh');
  writeFileSync(init, initScript(run), { mode: 0o755 });
  const memory = await memoryDirectory(run.share);
  const kernel = spawn(
    'linux.uml',
    [
      ...['mem=1024M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `init=${init}`],
      ...['con=null', 'con0=fd:0,fd:1', 'quiet', `uml_dir=${run.share}/uml`],
    ],
    // A process group of its own: the kernel runs each of its processes as one of this machine's.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { PATH, HOME: run.share, TMPDIR: memory } },
  );
  const killAll = () => {
    try {
      process.kill(-kernel.pid!, 'SIGKILL');
    } catch {
      // Already gone.
    }
  };
  process.once('exit', killAll);
  const timer = setTimeout(killAll, run.timeout_ms);
  try {
    const text = await readConsole(kernel);
    return { exit_code: exitCode(run.share), console: text };
  } finally {
    clearTimeout(timer);
    process.removeListener('exit', killAll);
    killAll();
  }
}

function readConsole(kernel: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const collect = (chunk: Buffer) => {
      text += chunk.toString();
    };
    kernel.stdout?.on('data', collect);
    kernel.stderr?.on('data', collect);
    kernel.once('error', reject);
    kernel.once('close', () => resolve(text));
  });
}

function exitCode(share: string): number | undefined {
  const file = join(share, 'exit-code');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

/** The kernel's memory is a file that it maps; a memory disk keeps it off the real disk where there is room. */
async function memoryDirectory(otherwise: string): Promise<string> {
  const { stdout } = await promisify(execFile)('df', ['--output=avail', '-B1M', '/dev/shm']).catch(() => ({
    stdout: '',
  }));
  return Number(stdout.split('\n')[1]) > 1200 ? '/dev/shm' : otherwise;
}

function initScript(run: EdgeBoxRun): string {
  const version = readdirSync(MODULES)[0];
  const quoted = run.program.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return `#!/bin/bash
export PATH=${PATH} HOME=/run/state SHARE=/run/share TMPDIR=/run/state
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /run
mkdir -p /run/state /run/share
mount -t hostfs -o '${run.share}' none /run/share
for module in ${CAN_MODULES.join(' ')}; do
  insmod "$(find '${join(MODULES, version)}' -name "$module.ko")"
done
ip link set lo up
cd '${repository}'
${quoted}
echo $? > /run/share/exit-code
sync
echo o > /proc/sysrq-trigger
sleep 60
`;
}
