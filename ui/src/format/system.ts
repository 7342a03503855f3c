/** Names of components, counters and faults as words. */
import type { ComponentStatus } from '../../../core/contract/http.ts';
import { formatBytes, formatNumber } from './numbers.ts';
import { formatSpan } from './time.ts';

const COMPONENT_WORDS: Readonly<Record<string, string>> = {
  store: 'Storage on this gateway',
  upstream: 'Sync to the centre',
  sampler: 'Reading of packs',
  clock: 'Clock of this gateway',
};
const CONNECTION_PREFIX = 'connection:';

export function isConnection(component: ComponentStatus): boolean {
  return component.name.startsWith(CONNECTION_PREFIX);
}

export function componentTitle(name: string): string {
  if (name.startsWith(CONNECTION_PREFIX)) return name.slice(CONNECTION_PREFIX.length);
  return COMPONENT_WORDS[name] ?? humanise(name);
}

/** Counters whose names alone say too little. */
const COUNTER_WORDS: Readonly<Record<string, string>> = {
  max_bytes: 'Allowed',
  keep_free_bytes: 'Kept free on the disk',
  free_bytes: 'Free on the disk',
  wal_bytes: 'Write-ahead log',
  files_set_aside: 'Files in quarantine',
  quarters: '15-minute buckets rolled up',
  scrub_done_pct: 'Checksums read in this pass',
  scrub_passes: 'Passes over all checksums',
  scrub_finished_ago_s: 'Since the last pass',
};

/** `frames_received` -> `Frames received`; the unit at the end goes to the value. */
export function counterTitle(name: string): string {
  return COUNTER_WORDS[name] ?? humanise(name.replace(/_(bytes|ms|s|pct)$/, ''));
}

export function counterValue(name: string, value: number): string {
  // Before the first pass has ended there is none to count from.
  if (name === 'scrub_finished_ago_s' && value === 0) return 'none yet';
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
