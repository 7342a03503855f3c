/** Moments and spans in words. Moments are wall time of the gateway, in ms. */
import { t } from '../texts/texts.ts';
import { perLocale } from './locale.ts';
import { formatNumber } from './numbers.ts';

const dates = perLocale(locale => {
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  return {
    time: format({ hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    hour_minute: format({ hour: '2-digit', minute: '2-digit' }),
    day: format({ day: 'numeric', month: 'short' }),
    day_year: format({ day: 'numeric', month: 'short', year: 'numeric' }),
  };
});

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long, in its largest whole unit: `42 s`, `3 min`, `5 h`, `2 days`. */
export function formatSpan(span_ms: number): string {
  const span = Math.max(0, span_ms);
  const { seconds, minutes, hours, days } = t().times;
  if (span < MINUTE_MS) return seconds(String(Math.floor(span / SECOND_MS)));
  if (span < HOUR_MS) return minutes(Math.floor(span / MINUTE_MS));
  if (span < 2 * DAY_MS) return hours(Math.floor(span / HOUR_MS));
  return days(Math.floor(span / DAY_MS));
}

/** `3 min ago`; what lies less than five seconds away, either side, is `just now`. */
export function formatAgo(t_ms: number, now_ms: number): string {
  const age_ms = now_ms - t_ms;
  const { justNow, ago } = t().times;
  return age_ms < 5 * SECOND_MS ? justNow : ago(formatSpan(age_ms));
}

/** How old a value is, to the tenth of a second while that matters: "0.8 s old", "3 min old". */
export function formatAge(age_ms: number): string {
  const age_s = Math.max(0, age_ms) / SECOND_MS;
  const { old, seconds } = t().times;
  return old(age_s < 10 ? seconds(formatNumber(age_s, 1)) : formatSpan(age_ms));
}

/** The clock time today; with the date on other days, with the year in other years. */
export function formatMoment(t_ms: number, now_ms: number): string {
  const moment = new Date(t_ms);
  const now = new Date(now_ms);
  const { time, hour_minute, day, day_year } = dates();
  if (moment.toDateString() === now.toDateString()) return time.format(moment);
  const ofYear = moment.getFullYear() === now.getFullYear() ? day : day_year;
  return t().times.dayAndTime(ofYear.format(moment), hour_minute.format(moment));
}

export function formatDay(t_ms: number): string {
  return dates().day_year.format(new Date(t_ms));
}

/** Without the year. */
export function formatShortDay(t_ms: number): string {
  return dates().day.format(new Date(t_ms));
}

export function formatClock(t_ms: number): string {
  return dates().time.format(new Date(t_ms));
}

export function formatHourMinute(t_ms: number): string {
  return dates().hour_minute.format(new Date(t_ms));
}

/** `3 d 4 h`, `4 h 12 min`, `12 min`: for how long something has been running. */
export function formatUptime(uptime_s: number): string {
  const minutes = Math.floor(uptime_s / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const text = t().times;
  if (days > 0) return text.daysAndHours(days, hours % 24);
  if (hours > 0) return text.hoursAndMinutes(hours, minutes % 60);
  return minutes > 0 ? text.minutes(minutes) : text.seconds(String(Math.floor(uptime_s)));
}

/** Both ends of a span of time. */
export function formatFromTo(from_ms: number, to_ms: number, now_ms: number): string {
  return t().common.fromTo(formatMoment(from_ms, now_ms), formatMoment(to_ms, now_ms));
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
