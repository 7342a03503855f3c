/** Moments and spans in words. Moments are wall time of the gateway, in ms. */

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const HOUR_MINUTE = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const DAY_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long, in its largest whole unit: `42 s`, `3 min`, `5 h`, `2 days`. */
export function formatSpan(span_ms: number): string {
  const span = Math.max(0, span_ms);
  if (span < MINUTE_MS) return `${Math.floor(span / SECOND_MS)} s`;
  if (span < HOUR_MS) return `${Math.floor(span / MINUTE_MS)} min`;
  if (span < 2 * DAY_MS) return `${Math.floor(span / HOUR_MS)} h`;
  return `${Math.floor(span / DAY_MS)} days`;
}

/** `3 min ago`; what lies less than five seconds away, either side, is `just now`. */
export function formatAgo(t_ms: number, now_ms: number): string {
  const age_ms = now_ms - t_ms;
  return age_ms < 5 * SECOND_MS ? 'just now' : `${formatSpan(age_ms)} ago`;
}

/** How old a value is, to the tenth of a second while that matters: "0.8 s old", "3 min old". */
export function formatAge(age_ms: number): string {
  const seconds = Math.max(0, age_ms) / SECOND_MS;
  return seconds < 10 ? `${seconds.toFixed(1)} s old` : `${formatSpan(age_ms)} old`;
}

/** The clock time today; with the date on other days, with the year in other years. */
export function formatMoment(t_ms: number, now_ms: number): string {
  const moment = new Date(t_ms);
  const now = new Date(now_ms);
  if (moment.toDateString() === now.toDateString()) return TIME.format(moment);
  const day = moment.getFullYear() === now.getFullYear() ? DAY : DAY_YEAR;
  return `${day.format(moment)}, ${HOUR_MINUTE.format(moment)}`;
}

export function formatDay(t_ms: number): string {
  return DAY_YEAR.format(new Date(t_ms));
}

/** Without the year. */
export function formatShortDay(t_ms: number): string {
  return DAY.format(new Date(t_ms));
}

export function formatClock(t_ms: number): string {
  return TIME.format(new Date(t_ms));
}

export function formatHourMinute(t_ms: number): string {
  return HOUR_MINUTE.format(new Date(t_ms));
}

/** `3 d 4 h`, `4 h 12 min`, `12 min`: for how long something has been running. */
export function formatUptime(uptime_s: number): string {
  const minutes = Math.floor(uptime_s / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.floor(uptime_s)} s`;
}

/** A moment as `<input type="datetime-local">` holds it: local time, to the minute. */
export function toLocalInput(t_ms: number): string {
  const at = new Date(t_ms);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** NaN where it holds none. */
export function fromLocalInput(text: string): number {
  return new Date(text).getTime();
}
