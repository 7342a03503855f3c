/**
 * What the machine says of its clock. On Linux: `timedatectl` (the kernel's own word, whoever keeps the clock:
 * timesyncd, chrony, ntpd, PTP), where it does not answer the mark of systemd-timesyncd, then `chronyc`; and the
 * battery-backed clock. Nothing is ever set. Elsewhere nobody can be asked.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../../core/clock/clock.ts';
import type { ClockFacts } from '../../core/clock/wall-certainty.ts';

const COMMAND_TIMEOUT_MS = 3000;
/** timesyncd asks at least every 34 minutes and marks each answer; an older mark is one of before a step. */
const MARK_AGE_MS = 3_600_000;
/** A battery-backed clock counts seconds, and drifts some in a day. */
const HARDWARE_TOLERANCE_MS = 60_000;

export interface TimeSource {
  /** Same until the machine boots again. */
  readonly boot_id: string;
  /** Time since the machine booted, less the clock's monotonic time: the same clock for every run of one boot. */
  readonly boot_offset_ms: number;
  /** Never rejects, and answers within some seconds. */
  facts(): Promise<ClockFacts>;
}

/** Where Linux keeps what is read; tests give a folder of their own. */
export interface TimeSourceOptions {
  readonly clock: Clock;
  readonly platform?: NodeJS.Platform;
  readonly root?: string;
  readonly path?: string;
}

export function createTimeSource(options: TimeSourceOptions): TimeSource {
  const { clock, platform = process.platform, root = '/' } = options;
  const boot_id = platform === 'linux' && read(`${root}proc/sys/kernel/random/boot_id`);
  if (!boot_id) return { boot_id: randomUUID(), boot_offset_ms: 0, facts: () => Promise.resolve({}) };
  return {
    boot_id,
    // Node's high-resolution time is the kernel's monotonic clock, which all processes share.
    boot_offset_ms: Math.round(Number(process.hrtime.bigint()) / 1e6 - clock.monoMs()),
    facts: async () => ({
      ...((await askTimedatectl(options)) ?? (await askOthers(root, options))),
      hardware_agrees: hardwareAgrees(root, clock.wallMs()),
    }),
  };
}

async function askTimedatectl(options: TimeSourceOptions): Promise<ClockFacts | undefined> {
  const text = await run(options, 'timedatectl', ['show', '--property=NTP', '--property=NTPSynchronized']);
  const synchronised = yesNo(text, 'NTPSynchronized');
  return synchronised === undefined ? undefined : { synchronised, has_time_service: yesNo(text, 'NTP') };
}

function yesNo(text: string | undefined, name: string): boolean | undefined {
  const value = text?.match(new RegExp(`^${name}=(yes|no)$`, 'm'))?.[1];
  return value === undefined ? undefined : value === 'yes';
}

async function askOthers(root: string, options: TimeSourceOptions): Promise<ClockFacts> {
  const mark_ms = statSync(`${root}run/systemd/timesync/synchronized`, { throwIfNoEntry: false })?.mtimeMs;
  const age_ms = options.clock.wallMs() - (mark_ms ?? Number.NaN);
  if (age_ms > -1000 && age_ms < MARK_AGE_MS) return { synchronised: true, has_time_service: true };
  // Comma-separated; the last field is the leap status.
  const leap = (await run(options, 'chronyc', ['-c', 'tracking']))?.trim().split(',').at(-1);
  if (leap) return { synchronised: leap !== 'Not synchronised', has_time_service: true };
  return mark_ms === undefined ? {} : { synchronised: false, has_time_service: true };
}

function hardwareAgrees(root: string, wall_ms: number): boolean | undefined {
  const since_epoch = read(`${root}sys/class/rtc/rtc0/since_epoch`);
  if (!since_epoch) return undefined;
  return Math.abs(Number(since_epoch) * 1000 - wall_ms) <= HARDWARE_TOLERANCE_MS;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What the command prints; undefined when it is not there, fails or takes too long. */
function run(options: TimeSourceOptions, command: string, args: string[]): Promise<string | undefined> {
  const env = { PATH: options.path ?? process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' };
  const limits = { env, timeout: COMMAND_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: 65_536 } as const;
  return new Promise(resolve => {
    execFile(command, args, limits, (error, stdout) => resolve(error ? undefined : stdout));
  });
}
