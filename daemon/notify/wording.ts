/** The texts of a notification: its subject and body, by the templates. In English, as alerts are. */
import { type Alert, SEVERITIES } from '../../core/alerts/alert.ts';
import { momentPath } from '../../core/alerts/moment-path.ts';
import type { NotifiedEvent } from '../../core/alerts/notified.ts';
import type { Topology } from '../../core/topology/topology.ts';
import type { Due } from './due.ts';
import { filled, type Templates } from './template.ts';
import type { TimeOfDay } from './time-of-day.ts';

/** So many are written out; all are in the data of a webhook. */
const MAX_WRITTEN = 50;
const MAX_SUBJECT = 200;

export interface WordingOptions {
  readonly topology: Topology;
  readonly templates: Templates;
  readonly page_url: string | undefined;
  readonly time: TimeOfDay;
  readonly nextCheck: (alert: Alert) => string | null;
}

const EVENTS: Readonly<Record<NotifiedEvent, string>> = {
  raised: 'raised',
  worsened: 'worse',
  escalated: 'not acknowledged',
  recovered: 'recovered',
};

/** Why several come together, or late. */
export const REASONS = {
  none: '',
  digest: 'Digest of what was raised since the last one.',
  quiet: 'Held back in quiet hours.',
  rate: (max: number) => `Held back: more than ${max} messages an hour would have gone to you.`,
  retry: 'Gathered while messages could not be delivered.',
} as const;

export class Wording {
  readonly #options: WordingOptions;
  readonly #batteries: ReadonlyMap<string, string>;
  readonly #packs: ReadonlyMap<string, string>;

  constructor(options: WordingOptions) {
    const { batteries, packs } = options.topology;
    this.#options = options;
    this.#batteries = new Map(batteries.map(({ id, name }) => [id, name]));
    this.#packs = new Map(packs.map(({ id, name }) => [id, name]));
  }

  /** `reason` is empty where it is no digest. */
  write(due: readonly Due[], reason: string, t_ms: number): { subject: string; text: string } {
    const { topology, templates, page_url, time } = this.#options;
    const events = new Set(due.map(({ item }) => item.event));
    const worst = SEVERITIES.find(severity => due.some(({ item }) => item.severity === severity)) ?? 'info';
    const left_out = due.length - MAX_WRITTEN;
    const values = {
      site: topology.site.name,
      gateway_id: topology.gateway_id,
      battery: this.#place(due),
      severity: worst.toUpperCase(),
      event: reason ? 'digest' : [...events].map(event => EVENTS[event]).join(', '),
      headline: headlineOf(due),
      count: String(due.length),
      alerts: [
        ...due.slice(0, MAX_WRITTEN).map(one => this.#alert(one)),
        ...(left_out > 0 ? [`and ${left_out} more: the page shows them all`] : []),
      ].join('\n\n'),
      reason,
      time: time.text(t_ms),
      page_url: page_url ?? '',
    };
    return {
      subject: oneLine(filled(templates.subject, values)).slice(0, MAX_SUBJECT),
      text: filled(templates.text, values).replace(/\n{3,}/g, '\n\n'),
    };
  }

  test(receiver: string, t_ms: number): { subject: string; text: string } {
    const { topology, time, page_url } = this.#options;
    return {
      subject: oneLine(`[TEST] ${topology.site.name}: notifications to "${receiver}" work`),
      text:
        `This is a test of the receiver "${receiver}" of gateway ${topology.gateway_id}, asked for at ` +
        `${time.text(t_ms)}. Nothing is wrong.\n${page_url ?? ''}\n`,
    };
  }

  /** Of the history of its pack at that moment; undefined: nobody has said where the page is. */
  urlOf({ item, alert }: Pick<Due, 'item' | 'alert'>): string | undefined {
    const { page_url } = this.#options;
    const path = momentPath({ ...item, cleared_ms: alert?.cleared_ms ?? null });
    return page_url === undefined ? undefined : `${page_url}${path ?? '/alerts'}`;
  }

  #place(due: readonly Due[]): string {
    const ids = [...new Set(due.map(({ item }) => item.battery_id))];
    if (ids.length > 1) return 'Several batteries';
    const [id = null] = ids;
    return id === null ? 'Gateway' : (this.#batteries.get(id) ?? id);
  }

  #alert({ item, alert, happened_ms }: Due): string {
    const { time, nextCheck } = this.#options;
    const { severity, event, pack_id, battery_id, occurrence, message } = item;
    const battery = battery_id === null ? 'Gateway' : (this.#batteries.get(battery_id) ?? battery_id);
    const place = pack_id === null ? battery : `${battery}, ${this.#packs.get(pack_id) ?? pack_id}`;
    const lines = [
      `${severity.toUpperCase()} ${this.#event(item, alert, happened_ms)}`,
      `${place}: ${message}`,
    ];
    if (event !== 'recovered') {
      if (occurrence > 1) lines.push(`Occurrence ${occurrence}; the first at ${time.text(item.raised_ms)}`);
      const check = alert && nextCheck(alert);
      if (check) lines.push(`Check next: ${check}`);
    } else if (item.occurred_ms > 0) lines.push(`Raised at ${time.text(item.occurred_ms)}`);
    if (alert?.acknowledged && event !== 'recovered') lines.push(`Acknowledged by ${alert.acknowledged.by}`);
    const url = this.urlOf({ item, alert });
    if (url !== undefined) lines.push(url);
    return lines.join('\n');
  }

  #event(item: Due['item'], alert: Alert | undefined, happened_ms: number): string {
    const { time } = this.#options;
    switch (item.event) {
      case 'raised':
        return `raised at ${time.text(happened_ms)}`;
      case 'worsened':
        return `worse; raised at ${time.text(item.occurred_ms)}`;
      case 'escalated':
        return `not acknowledged; raised at ${time.text(item.occurred_ms)}`;
      case 'recovered':
        if (!alert) return 'over: the gateway no longer knows this alert';
        if (alert.state === 'out_of_service') return 'over: its rule or pack is no longer configured';
        return `recovered at ${time.text(happened_ms)}`;
    }
  }
}

function headlineOf(due: readonly Due[]): string {
  const [only] = due;
  if (due.length === 1) return only.item.message;
  const recovered = due.filter(({ item }) => item.event === 'recovered').length;
  const active = due.length - recovered;
  const parts = [
    ...(active > 0 ? [`${active} ${active === 1 ? 'alert' : 'alerts'}`] : []),
    ...(recovered > 0 ? [`${recovered} recovered`] : []),
  ];
  return parts.join(', ');
}

/** A subject is one line: what a device calls itself adds no header. */
const oneLine = (text: string) => text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
