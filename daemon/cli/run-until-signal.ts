/** From start to the signal that ends it: what `run` and `demo` share. */
import type { TimerHandle } from '../../core/clock/clock.ts';
import { systemClock } from '../../core/clock/system-clock.ts';
import { describeError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { beginAgain } from '../system/begin-again.ts';
import { trimMemory } from '../system/trim-memory.ts';

/** The promise of Ctrl-C: everything stopped within this, or left behind and said so. */
const STOP_TIMEOUT_MS = 4800;
/** From the start until connections are up and the first readings are kept. */
const SETTLED_AFTER_MS = 15_000;

/** Why a program starts again. */
export const STORAGE_BACK = 'the storage, which could not be read at the start, is there again';

export interface Program {
  start(): Promise<void>;
  /** On SIGHUP. Without it, or in a terminal, that signal ends the process as ever. */
  reload?(): Promise<void>;
  /** Resolves with the reason when the program must start again, as the same process. */
  readonly again?: Promise<string>;
  /** Safe at any moment: while it starts, after a failed start, twice. */
  stop(): Promise<void>;
}

/**
 * Starts, waits for SIGINT or SIGTERM (or a fault nobody caught), stops. Returns the exit code.
 * A second signal ends the process at once.
 */
export async function runUntilSignal(program: Program, log: Logger): Promise<number> {
  const end = firstSignal();
  const onHangUp = () => {
    log.info({}, 'reloading');
    void program.reload?.();
  };
  if (program.reload && !process.stdout.isTTY) process.on('SIGHUP', onHangUp);
  let trim: TimerHandle | undefined;
  const started = program.start().then(() => {
    trim = systemClock.setTimer(trimMemory, SETTLED_AFTER_MS);
  });
  // When a signal comes first, a start that fails afterwards is no news.
  const settled = started.catch(() => undefined);
  const stop = async () => {
    await program.stop();
    await settled;
    // What a start under way had begun meanwhile.
    await program.stop();
  };
  try {
    const again = program.again?.then((cause): End => ({ cause, is_again: true }));
    await Promise.race([started, end.promise]);
    const { cause, error, is_again } = await Promise.race([end.promise, ...(again ? [again] : [])]);
    if (error !== undefined)
      log.error({ cause, reason: describeError(error), stack: stackOf(error) }, 'ending');
    else log.info({ cause }, 'stopping');
    const code = await stopInTime(stop, log, error === undefined ? 0 : 1);
    if (is_again && code === 0) beginAgain();
    return code;
  } catch (error) {
    await stopInTime(stop, log, 1);
    throw error;
  } finally {
    systemClock.clearTimer(trim);
    end.release();
    process.off('SIGHUP', onHangUp);
  }
}

interface End {
  cause: string;
  is_again?: boolean;
  error?: unknown;
}

function firstSignal(): { promise: Promise<End>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<End>();
  let signals = 0;
  const onSignal = (cause: string) => {
    if (++signals > 1) process.exit(130);
    resolve({ cause });
  };
  const onFault = (error: unknown) => resolve({ cause: 'a fault nobody caught', error: error ?? 'unknown' });
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  const release = () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    process.off('uncaughtException', onFault);
    process.off('unhandledRejection', onFault);
  };
  return { promise, release };
}

async function stopInTime(stop: () => Promise<void>, log: Logger, exit_code: number): Promise<number> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = systemClock.setTimer(() => resolve('late'), STOP_TIMEOUT_MS);
  const outcome = await Promise.race([stop().then(() => 'stopped' as const), late]);
  systemClock.clearTimer(timer);
  if (outcome === 'stopped') return exit_code;
  log.error({ timeout_ms: STOP_TIMEOUT_MS }, 'did not stop in time; leaving');
  process.exit(1);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
