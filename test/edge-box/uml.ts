/**
 * A real edge box on a machine that has none: boots User-Mode Linux (a Linux kernel that runs as an ordinary
 * process) over this machine's own files, read-only, with the kernel's SocketCAN, and runs one program in it.
 * Everything the program leaves behind goes into one shared directory.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export const MODULES = '/usr/lib/uml/modules';
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
  const missing = missingTools(TOOLS);
  if (!existsSync(join(repository, 'node_modules/socketcan/build/Release/can.node')))
    missing.push('the npm package socketcan (`npm rebuild socketcan`)');
  return missing;
}

/** Of these programs, each with the Debian package that has it. */
export function missingTools(tools: Readonly<Record<string, string>>): string[] {
  return Object.entries(tools)
    .filter(([tool]) => !PATH.split(':').some(folder => existsSync(join(folder, tool))))
    .map(([tool, debianPackage]) => `${tool} (Debian package ${debianPackage})`);
}

export async function runInEdgeBox(run: EdgeBoxRun): Promise<EdgeBoxResult> {
  const init = join(run.share, 'init.sh');
  writeFileSync(init, initScript(run), { mode: 0o755 });
  const kernel = await startKernel({ init, home: run.share, memory_mb: 1024 });
  const timer = setTimeout(() => void kernel.cut(), run.timeout_ms);
  try {
    await kernel.ended;
    return { exit_code: exitCode(run.share), console: kernel.console() };
  } finally {
    clearTimeout(timer);
    await kernel.cut();
  }
}

export interface KernelSetup {
  /** Script that runs first, as this machine names it. */
  readonly init: string;
  /** A directory for what the kernel itself writes. */
  readonly home: string;
  readonly memory_mb: number;
  readonly parameters?: readonly string[];
  /** So many serial lines, /dev/ttyS0 and on, end on the outside (default 0). */
  readonly line_count?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Kernel {
  /** What kernel and programs wrote so far. */
  readonly console: () => string;
  readonly lines: readonly Socket[];
  /** Resolves when the machine is off; rejects when it could not be switched on. */
  readonly ended: Promise<void>;
  /** Takes the power away; resolves when nothing of it runs any more. Safe at any moment, also twice. */
  cut(): Promise<void>;
}

export async function startKernel(setup: KernelSetup): Promise<Kernel> {
  const line_count = setup.line_count ?? 0;
  const numbers = Array.from({ length: line_count }, (_, line) => line);
  const memory = await memoryDirectory(setup.home, setup.memory_mb);
  const child = spawn(
    'linux.uml',
    [
      ...[`mem=${setup.memory_mb}M`, 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro'],
      ...[`init=${setup.init}`, 'con=null', 'con0=fd:0,fd:1', 'quiet', `uml_dir=${setup.home}/uml`],
      ...numbers.map(line => `ssl${line}=fd:${3 + line}`),
      ...(setup.parameters ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe', ...numbers.map(() => 'pipe' as const)],
      // A process group of its own: the kernel runs each of its processes as one of this machine's.
      detached: true,
      env: { PATH, HOME: setup.home, TMPDIR: memory, ...setup.env },
    },
  );
  const killGroup = () => signalGroup(child.pid, 'SIGKILL');
  process.once('exit', killGroup);
  let text = '';
  const collect = (chunk: Buffer) => {
    text += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  }).finally(() => process.removeListener('exit', killGroup));
  ended.catch(() => {});
  return {
    console: () => text,
    lines: numbers.map(line => child.stdio[3 + line] as Socket),
    ended,
    async cut() {
      killGroup();
      for (let tries = 0; groupRuns(child.pid); tries++) {
        if (tries > 5000) throw new Error(`process group ${child.pid} does not end`);
        await sleep(2);
      }
      await ended.catch(() => {});
    },
  };
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}

/** Whether one of the group still runs; those that only wait for their parent to notice do not. */
function groupRuns(group: number | undefined): boolean {
  return readdirSync('/proc').some(name => {
    if (group === undefined || !/^\d+$/.test(name)) return false;
    try {
      // After the name in brackets: state, parent, process group.
      const [state, , its_group] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      return Number(its_group) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}

function exitCode(share: string): number | undefined {
  const file = join(share, 'exit-code');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

/** The kernel's memory is a file that it maps; a memory disk keeps it off the real disk where there is room. */
async function memoryDirectory(otherwise: string, memory_mb: number): Promise<string> {
  const { stdout } = await promisify(execFile)('df', ['--output=avail', '-B1M', '/dev/shm']).catch(() => ({
    stdout: '',
  }));
  return Number(stdout.split('\n')[1]) > memory_mb + 200 ? '/dev/shm' : otherwise;
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
