/**
 * Bounds on memory for programs that run for long, or beside the gateway, wherever they are started. They hold for a process from its beginning
 * on, so one that has been started without them is replaced by itself, under the same process id (decision 014).
 */

const COMMANDS = ['run', 'demo', 'simulate', 'export', 'backup'];
/** A small young generation is collected early; what starting left behind is given back once (system/trim-memory.ts). */
const NODE_FLAGS = ['--max-semi-space-size=2', '--expose-gc'];
/** Threads share their pools of memory (glibc). */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

/** Does not return when the process is replaced. What a person has set stays. */
export function startWithinBounds() {
  // Not there on Windows.
  if (!process.execve || !process.argv.slice(2).some(word => COMMANDS.includes(word))) return;
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(' ')];
  const isGiven = flag => given.some(one => one.split('=')[0].replaceAll('_', '-') === flag.split('=')[0]);
  const flags = NODE_FLAGS.filter(flag => !isGiven(flag));
  if (flags.length === 0 && Object.keys(ENVIRONMENT).every(name => process.env[name] !== undefined)) return;
  process.execve(
    process.execPath,
    [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)],
    { ...ENVIRONMENT, ...process.env },
  );
}
