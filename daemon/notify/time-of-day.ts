/** Times of day in a time zone: quiet hours, and the moment of the digest. Summer time included. */

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

export interface QuietHours {
  /** Minutes since midnight; where `to` is before `from` they span midnight. */
  readonly from_min: number;
  readonly to_min: number;
}

/** `07:30` as minutes since midnight. */
export function minutesOf(text: string): number {
  const [hours, minutes] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

export class TimeOfDay {
  readonly #clock: Intl.DateTimeFormat;
  readonly #written: Intl.DateTimeFormat;
  /** It is asked every second, and shows another one every minute. */
  #asked = Number.NaN;
  #shown = 0;
  #last: { key: number; minute: number; at_ms: number } | undefined;

  /** Undefined: of this machine. RangeError: there is no such zone. */
  constructor(time_zone: string | undefined) {
    const fixed = { timeZone: time_zone, hourCycle: 'h23' } as const;
    this.#clock = new Intl.DateTimeFormat('en-GB', { ...fixed, hour: '2-digit', minute: '2-digit' });
    this.#written = new Intl.DateTimeFormat('en-GB', {
      ...fixed,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'shortOffset',
    });
  }

  /** Since midnight, as the clock on the wall shows it. */
  minute(t_ms: number): number {
    const minute = Math.floor(t_ms / MINUTE_MS);
    if (minute !== this.#asked) {
      this.#shown = minutesOf(this.#clock.format(t_ms));
      this.#asked = minute;
    }
    return this.#shown;
  }

  isQuiet({ from_min, to_min }: QuietHours, t_ms: number): boolean {
    const now = this.minute(t_ms);
    return from_min < to_min ? now >= from_min && now < to_min : now >= from_min || now < to_min;
  }

  /** The newest moment, at most `t_ms`, at which the clock on the wall showed this minute. */
  lastAt(minute: number, t_ms: number): number {
    const key = Math.floor(t_ms / MINUTE_MS);
    if (this.#last?.key !== key || this.#last.minute !== minute)
      this.#last = { key, minute, at_ms: this.#findLast(minute, t_ms) };
    return this.#last.at_ms;
  }

  #findLast(minute: number, t_ms: number): number {
    const back = (this.minute(t_ms) - minute + DAY_MINUTES) % DAY_MINUTES;
    const found = Math.floor(t_ms / MINUTE_MS) * MINUTE_MS - back * MINUTE_MS;
    // The clock on the wall was put forward or back in between: by as much as it now shows another time.
    const off = ((this.minute(found) - minute + DAY_MINUTES * 1.5) % DAY_MINUTES) - DAY_MINUTES / 2;
    return Math.min(found - off * MINUTE_MS, t_ms);
  }

  /** `2026-11-30 17:05:10 GMT+1`; a clock may show what no calendar holds. */
  text(t_ms: number): string {
    if (Number.isNaN(new Date(t_ms).getTime())) return `${t_ms} ms`;
    const parts = Object.fromEntries(
      this.#written.formatToParts(t_ms).map(({ type, value }) => [type, value]),
    );
    const { year, month, day, hour, minute, second, timeZoneName } = parts;
    return `${year}-${month}-${day} ${hour}:${minute}:${second} ${timeZoneName}`;
  }
}
