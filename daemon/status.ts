/** What `/api/system/status`, `/metrics` and the page's system view say: every part, its state, its counts. */
import type { CertificateView, ComponentStatus, SystemStatus } from '../core/contract/http.ts';
import type { DriverHealth, LinkState } from '../drivers/driver.ts';
import type { SamplerCounters } from './pipeline/sampler.ts';
import type { StoreStats } from './store/store.ts';
import type { UpstreamStatus } from './upstream/upstream.ts';

export interface StatusParts {
  readonly version: string;
  readonly gateway_id: string;
  readonly t_ms: number;
  readonly uptime_ms: number;
  readonly connections: readonly DriverHealth[];
  readonly clock: ComponentStatus;
  readonly sampler: SamplerCounters;
  readonly store: StoreStats;
  readonly upstream: UpstreamStatus;
  /** Undefined while it is not yet made. */
  readonly server: ComponentStatus | undefined;
  readonly certificate: CertificateView | null;
  readonly notify: {
    readonly failing: readonly { readonly id: string; readonly reason: string }[];
    /** Undefined: nobody is notified. */
    readonly status: ComponentStatus | undefined;
  };
}

export function systemStatus(parts: StatusParts): SystemStatus {
  const components = [
    ...parts.connections.map(connectionStatus),
    parts.clock,
    samplerStatus(parts.sampler),
    storeStatus(parts.store),
    upstreamStatus(parts.upstream),
    ...(parts.notify.status ? [parts.notify.status] : []),
    ...(parts.server ? [parts.server] : []),
  ];
  return {
    version: parts.version,
    gateway_id: parts.gateway_id,
    t_ms: parts.t_ms,
    uptime_s: Math.round(parts.uptime_ms / 1000),
    state: overall(components),
    components,
    certificate: parts.certificate,
  };
}

const CONNECTION_STATES: Record<LinkState, ComponentStatus['state']> = {
  starting: 'degraded',
  up: 'ok',
  degraded: 'degraded',
  down: 'down',
  stopped: 'off',
};

function connectionStatus(health: DriverHealth): ComponentStatus {
  const faulty = health.packs.filter(pack => pack.state === 'down' || pack.state === 'degraded');
  const state = health.state === 'up' && faulty.length > 0 ? 'degraded' : CONNECTION_STATES[health.state];
  return {
    name: `connection:${health.connection_id}`,
    state,
    reason: health.reason ?? packsReason(faulty, health.packs.length) ?? null,
    counters: { ...health.counters, packs: health.packs.length, packs_faulty: faulty.length },
  };
}

function packsReason(faulty: DriverHealth['packs'], pack_count: number): string | undefined {
  if (faulty.length === 0) return undefined;
  const first = faulty[0].reason ?? 'no reason given';
  return pack_count === 1 ? first : `${faulty.length} of ${pack_count} packs: ${first}`;
}

/** Nothing wrong is to be seen in the sampler alone; its counts say how much was late, absent or suspect. */
function samplerStatus(counters: SamplerCounters): ComponentStatus {
  return { name: 'sampler', state: 'ok', reason: null, counters: { ...counters } };
}

function storeStatus({ fault, quarantined, lost, wal_held, ...counters }: StoreStats): ComponentStatus {
  const found: string[] = [];
  if (quarantined.length > 0)
    found.push(
      `${quarantined.join(', ')} could not be read and was quarantined: see docs/storage.md, "A file that cannot be read"`,
    );
  if (lost !== undefined) found.push(lost);
  if (counters.parts_damaged > 0)
    found.push(
      `${counters.parts_damaged} parts of the database are damaged, and their readings cannot be read`,
    );
  if (wal_held !== undefined) found.push(`the write-ahead log grows, and ${wal_held}`);
  return {
    name: 'store',
    state: fault ? 'down' : found.length > 0 ? 'degraded' : 'ok',
    reason: fault ?? (found.join('; ') || null),
    counters: { ...counters, files_quarantined: quarantined.length },
  };
}

function upstreamStatus({ state, reason, code, counters }: UpstreamStatus): ComponentStatus {
  return { name: 'upstream', state, reason: reason ?? null, ...(code && { code }), counters };
}

/** Down only when readings are not kept; a lost battery or centre degrades. */
function overall(components: readonly ComponentStatus[]): SystemStatus['state'] {
  if (components.some(({ name, state }) => name === 'store' && state === 'down')) return 'down';
  return components.some(({ state }) => state === 'down' || state === 'degraded') ? 'degraded' : 'ok';
}
