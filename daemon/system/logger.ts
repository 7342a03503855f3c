/** The log: one JSON object a line for the journal, one readable line in a terminal. Secrets never reach it. */
import { pino } from 'pino';
import { systemClock } from '../../core/clock/system-clock.ts';
import type { Logger } from '../../core/log.ts';

const SECRETS = ['password', 'token', 'secret', 'authorization', 'cookie', 'database_url'];
const LEVELS: Record<number, string> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };

/** sd-daemon(3): `<4>` before a line gives the journal its priority. */
const JOURNAL_PRIORITIES: Record<number, number> = { 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** json: an object a line. journal: the same with systemd's priority before it. readable: for a terminal. */
  readonly form: 'json' | 'journal' | 'readable';
  readonly write: (line: string) => void;
}

export function createLogger({ level, form, write }: LogOptions): Logger {
  const paths = SECRETS.flatMap(name => [name, `*.${name}`]);
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date(systemClock.wallMs()).toISOString()}"`,
    redact: { paths, censor: '[redacted]' },
  };
  return pino(options, { write: (line: string) => write(FORMS[form](scrub(line))) });
}

/** Secrets that came into a line in the middle of a text, such as the message of an error, known by their form. */
function scrub(line: string): string {
  return line
    .replace(/(\w:\/\/[^\s:@/"]*:)[^\s@/"]+@/g, '$1[redacted]@')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[redacted]')
    .replace(/\b(bms_[\w-]{4,16}_)[\w-]{20,}/g, '$1[redacted]')
    .replace(/\b(Bearer|Basic) +[^\s"]{8,}/gi, '$1 [redacted]');
}

const FORMS: Record<LogOptions['form'], (line: string) => string> = {
  json: line => line,
  journal: line => `<${JOURNAL_PRIORITIES[Number(/"level":(\d+)/.exec(line)?.[1])] ?? 6}>${line}`,
  readable: toReadable,
};

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
