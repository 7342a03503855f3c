/** Names of components, counters and faults as words. */
import type { ComponentStatus } from '../../../core/contract/http.ts';
import { t } from '../texts/texts.ts';
import { formatBytes, formatNumber } from './numbers.ts';
import { formatSpan } from './time.ts';

const CONNECTION_PREFIX = 'connection:';

export function isConnection(component: ComponentStatus): boolean {
  return component.name.startsWith(CONNECTION_PREFIX);
}

type State = ComponentStatus['state'];
/** The worst first. */
export const STATE_RANK: Readonly<Record<State, number>> = { down: 0, degraded: 1, ok: 2, off: 3 };

export interface Sentence {
  readonly title: string;
  readonly state: State;
  readonly text: string;
}

/** What one wants to know of a gateway: whether readings come, whether they are kept, whether they arrive. */
export function sentencesOf(components: readonly ComponentStatus[]): Sentence[] {
  const text = t().system.sentences;
  const connections = components.filter(isConnection);
  const working = connections.filter(({ state }) => state === 'ok').length;
  const named = (name: string) => components.find(component => component.name === name);
  const [sampler, store, upstream] = [named('sampler'), named('store'), named('upstream')];
  const said = (title: string, component: ComponentStatus | undefined, well: string): Sentence[] =>
    component ? [{ title, state: component.state, text: component.reason ?? well }] : [];
  const { used_bytes, max_bytes } = store?.counters ?? {};
  const { lag_rows = 0 } = upstream?.counters ?? {};
  const readings = [...connections, ...(sampler ? [sampler] : [])].map(({ state }) => state);
  const [worst = 'off'] = readings.sort((a, b) => STATE_RANK[a] - STATE_RANK[b]);
  return [
    // One connection that is down leaves the others working.
    {
      title: text.readings,
      state: worst === 'down' && working > 0 ? 'degraded' : worst,
      text: sampler?.reason ?? text.connections(working, connections.length),
    },
    ...said(
      text.storage,
      store,
      max_bytes === undefined ? '' : text.used(formatBytes(used_bytes), formatBytes(max_bytes)),
    ),
    ...said(
      text.centre,
      upstream,
      upstream?.state === 'off'
        ? text.noCentre
        : lag_rows > 0
          ? text.toSend(formatNumber(lag_rows, 0))
          : text.sent,
    ),
  ];
}

export function componentTitle(name: string): string {
  if (name.startsWith(CONNECTION_PREFIX)) return name.slice(CONNECTION_PREFIX.length);
  return t().components.names[name] ?? humanise(name);
}

/** `frames_received` -> `Frames received`; the unit at the end goes to the value. */
export function counterTitle(name: string): string {
  return t().components.counts[name] ?? humanise(name.replace(/_(bytes|ms|s|pct)$/, ''));
}

export function counterValue(name: string, value: number): string {
  // Before the first pass has ended there is none to count from.
  if (name === 'scrub_finished_ago_s' && value === 0) return t().components.notYet;
  if (name === 'certain') return value === 1 ? t().common.yes : t().common.no;
  if (name.endsWith('bytes')) return formatBytes(value);
  if (name.endsWith('_ms')) return value < 1000 ? `${formatNumber(value, 0)} ms` : formatSpan(value);
  if (name.endsWith('_s')) return formatSpan(value * 1000);
  if (name.endsWith('_pct')) return `${formatNumber(value, Number.isInteger(value) ? 0 : 1)} %`;
  return formatNumber(value, Number.isInteger(value) ? 0 : 2);
}

const ACRONYMS: Readonly<Record<string, string>> = {
  lfp: 'LFP',
  nmc: 'NMC',
  soc: 'SoC',
  soh: 'SoH',
  can: 'CAN',
  seq: 'sequence',
};

export function humanise(name: string): string {
  const words = name
    .split(/[_\s]+/)
    .filter(Boolean)
    .map(word => ACRONYMS[word] ?? word)
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
