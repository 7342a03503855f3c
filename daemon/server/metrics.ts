/** Counters of the server itself, and all components' counters as Prometheus text. */
import { Gauge, Registry } from 'prom-client';
import type { ComponentStatus, SystemStatus } from '../../core/contract/http.ts';

export interface ServerCounters {
  requests: number;
  requests_refused: number;
  requests_failed: number;
  /** Wrong names, passwords and set-up codes. */
  logins_failed: number;
  /** Logins not even tried, because there were too many failures before. */
  logins_delayed: number;
  /** Connections closed at once, because there were too many. */
  connections_refused: number;
  live_clients: number;
  live_messages_sent: number;
  /** States not sent to a client that was behind; it got a newer one later. */
  live_states_skipped: number;
  live_clients_dropped: number;
}

export const noCounts = (): ServerCounters => ({
  requests: 0,
  requests_refused: 0,
  requests_failed: 0,
  logins_failed: 0,
  logins_delayed: 0,
  connections_refused: 0,
  live_clients: 0,
  live_messages_sent: 0,
  live_states_skipped: 0,
  live_clients_dropped: 0,
});

/** `fault`: what a person should mend though everything is served. */
export function serverStatus(counters: ServerCounters, fault: string | null = null): ComponentStatus {
  const state = fault === null ? 'ok' : 'degraded';
  return { name: 'server', state, reason: fault, counters: { ...counters } };
}

/**
 * Prometheus text: `bms_gateway_<counter>{component="…"}` for every counter of every component.
 * All are gauges: what a component counts may also fall, as a queue's length does.
 */
export async function prometheusText(status: SystemStatus): Promise<string> {
  const registry = new Registry();
  const gauges = new Map<string, Gauge>();
  const set = (name: string, help: string, labels: Record<string, string>, value: number) => {
    const known = gauges.get(name);
    const gauge = known ?? new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] });
    if (!known) gauges.set(name, gauge);
    gauge.set(labels, value);
  };
  set('bms_gateway_info', 'Always 1', { version: status.version, gateway_id: status.gateway_id }, 1);
  set('bms_gateway_uptime_seconds', 'Seconds since the start', {}, status.uptime_s);
  set('bms_gateway_resident_memory_bytes', 'Resident memory', {}, process.memoryUsage.rss());
  const cpu = process.cpuUsage();
  set('bms_gateway_cpu_seconds', 'Processor time used', {}, (cpu.user + cpu.system) / 1e6);
  for (const { name, state, counters } of status.components) {
    set(
      'bms_gateway_component_up',
      '1 while ok, 0.5 while degraded, 0 otherwise',
      { component: name },
      up(state),
    );
    for (const [counter, value] of Object.entries(counters)) {
      const metric = `bms_gateway_${counter.replace(/[^A-Za-z0-9_]/g, '_')}`;
      set(metric, `Counter ${counter} of a component`, { component: name }, value);
    }
  }
  return registry.metrics();
}

const up = (state: ComponentStatus['state']) => (state === 'ok' ? 1 : state === 'degraded' ? 0.5 : 0);
