/** Names of components, counters and faults as words. */
import type { ComponentStatus } from '../../../core/contract/http.ts';
import { t } from '../texts/texts.ts';
import { formatBytes, formatNumber } from './numbers.ts';
import { formatSpan } from './time.ts';

const CONNECTION_PREFIX = 'connection:';

export function isConnection(component: ComponentStatus): boolean {
  return component.name.startsWith(CONNECTION_PREFIX);
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
