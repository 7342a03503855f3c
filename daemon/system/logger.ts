/** The log: one JSON object a line for the journal, one readable line in a terminal. Secrets never reach it. */
import { pino } from 'pino';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';

const SECRETS = ['password', 'token', 'secret', 'authorization', 'cookie', 'database_url'];
const LEVELS: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Readable lines instead of JSON. */
  readonly readable: boolean;
  readonly write: (line: string) => void;
}

export function createLogger({ level, readable, write }: LogOptions): Logger {
  const paths = SECRETS.flatMap(name => [name, `*.${name}`]);
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date(systemClock.wallMs()).toISOString()}"`,
    redact: { paths, censor: '[redacted]' },
  };
  return pino(options, { write: (line: string) => write(readable ? toReadable(line) : line) });
}

/** `21:03:55 WARN connection is not well: connection=can0 reason="no such interface"`. */
function toReadable(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join(' ');
  const label = LEVELS[level as number] ?? 'info';
  return `${String(time).slice(11, 19)} ${label} ${msg}${rest ? `: ${rest}` : ''}\n`;
}
