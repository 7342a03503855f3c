/** Runs the real program as a person would, from its command line, and reads what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { PackDetail } from '../../core/contract/model.ts';
import { PROGRAM } from './program.ts';

const STOP_TIMEOUT_MS = 10_000;

export interface GatewayProcess {
  /** Everything printed so far, both streams. */
  readonly output: () => string;
  /** Resolves with the match once the output has it; rejects with the output when it does not come. */
  waitFor(pattern: RegExp, timeout_ms?: number): Promise<RegExpMatchArray>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal; resolves with the exit code and how long it took. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; took_ms: number }>;
  readonly exited: Promise<number | null>;
  readonly pid: number;
}

export function startGateway(
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
  program: readonly string[] = [PROGRAM],
): GatewayProcess {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(BMS_|DATABASE_URL|JWT_SECRET|SIMULATION_|VITEST|NODE_OPTIONS)/.test(name),
    ),
  );
  const child = spawn(process.execPath, [...program, ...args], {
    env: { ...inherited, ...env },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>(resolve => child.on('exit', resolve));
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', chunk => {
      output += String(chunk);
      for (const listener of listeners) listener();
    });
  }
  return {
    output: () => output,
    exited,
    pid: child.pid ?? 0,
    signal: signal => void child.kill(signal),
    waitFor: (pattern, timeout_ms = 60_000) =>
      waitForOutput(child, () => output, listeners, pattern, timeout_ms),
    stop: async (signal = 'SIGINT') => {
      const begun_ms = performance.now();
      if (child.exitCode === null) child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      const code = await exited;
      clearTimeout(timer);
      return { code, took_ms: performance.now() - begun_ms };
    },
  };
}

function waitForOutput(
  child: ChildProcess,
  output: () => string,
  listeners: Set<() => void>,
  pattern: RegExp,
  timeout_ms: number,
): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      clearTimeout(timer);
      listeners.delete(check);
      child.off('exit', gone);
      act();
    };
    const fail = (why: string) => end(() => reject(new Error(`${why} ${pattern}; it printed:\n${output()}`)));
    const check = () => {
      const match = output().match(pattern);
      if (match) end(() => resolve(match));
    };
    const gone = () => setTimeout(() => fail('the gateway ended without'), 100);
    const timer = setTimeout(() => fail(`${timeout_ms} ms without`), timeout_ms);
    listeners.add(check);
    child.on('exit', gone);
    check();
  });
}

/** Logs in over HTTP and returns a fetch of JSON that carries the token. */
export async function logIn(url: string, username: string, password: string) {
  const reply = await fetch(`${url}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  if (reply.status !== 200) throw new Error(`login answered ${reply.status}: ${await reply.text()}`);
  const { token } = (await reply.json()) as { token: string };
  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  return { token, get };
}

/** How many cells of a pack have a good voltage. */
export async function goodCells(url: string, token: string, pack: string): Promise<number> {
  const answer = await fetch(`${url}/api/packs/${pack}`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new Error(`${pack}: ${answer.status}`);
  const { cells } = (await answer.json()) as PackDetail;
  return [...cells.voltage_v.quality].filter(letter => letter === 'g').length;
}
