/** Small fleets and readings for tests and benches of storage and sync. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Alert, storedAlert } from '../../../core/alerts/alert.ts';
import { systemClock } from '../../../core/clock/system-clock.ts';
import type { HistoryReply } from '../../../core/contract/http.ts';
import { silentLogger } from '../../../core/log.ts';
import { CellMetric, PackMetric } from '../../../core/metrics.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { Quality } from '../../../core/reading/quality.ts';
import type { Topology } from '../../../core/topology/topology.ts';
import type { SqliteStoreOptions } from '../sqlite-store-options.ts';
import type { HistoryFormat, HistoryRequest } from '../store.ts';

interface HistorySource {
  history(
    request: HistoryRequest,
    format: HistoryFormat,
    pause: () => Promise<boolean>,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a store, or a reader of its file, says of the past. */
export async function historyOf(source: HistorySource, request: HistoryRequest): Promise<HistoryReply> {
  const bytes = await source.history(request, 'json', async () => true);
  return JSON.parse(Buffer.from(bytes).toString());
}

/** One battery of alike packs `p01`, `p02`, … on gateway `gw`. */
export function smallTopology(pack_count: number, cell_count = 10, gateway_id = 'gw'): Topology {
  const shape = { cell_count, sensor_count: 2, device_alarms: ['cell_over_voltage', 'over_current'] };
  const packs = Array.from({ length: pack_count }, (_, pack) => ({
    pack,
    id: `p${String(pack + 1).padStart(2, '0')}`,
    name: `Pack ${pack + 1}`,
    battery: 0,
    battery_id: 'b1',
    profile_id: 'test',
    connection_id: 'bus0',
    address: pack + 1,
    shape,
  }));
  return {
    site: { id: 'site', name: 'Site' },
    gateway_id,
    batteries: [{ battery: 0, id: 'b1', name: 'Battery 1', chemistry: 'lfp', packs: packs.map(p => p.pack) }],
    packs,
  };
}

/** A whole reading of good quality; pack voltage in 0.01 V steps gives `n` (below a million). */
export function numberedReading(topology: Topology, pack: number, n: number, t_ms: number): PackReading {
  const reading = new PackReading(pack, topology.packs[pack].shape);
  fillNumbered(reading, n, t_ms);
  return reading;
}

export function fillNumbered(reading: PackReading, n: number, t_ms: number): void {
  reading.t_ms = t_ms;
  const values = { voltage_v: n / 100, current_a: -12.5, soc_pct: 63.21, soh_pct: 98.5, temperature_c: 24.3 };
  for (const [name, value] of Object.entries(values)) {
    const metric = PackMetric[name as keyof typeof values];
    reading.values[metric] = value;
    reading.value_quality[metric] = Quality.good;
  }
  for (let cell = 0; cell < reading.shape.cell_count; cell++) {
    reading.column(CellMetric.voltage_v)[cell] = 3.28 + (cell + (n % 7)) / 1000;
    reading.column(CellMetric.temperature_c)[cell] = 24 + cell / 10;
  }
  reading.columnQuality(CellMetric.voltage_v).fill(Quality.good);
  reading.columnQuality(CellMetric.temperature_c).fill(Quality.good);
  reading.sensors.fill(23.5);
  reading.sensor_quality.fill(Quality.good);
  reading.device_alarm_level.fill(0);
}

export function someAlert(id: string, raised_ms: number, cleared_ms: number | null = null): Alert {
  return storedAlert({
    id,
    rule_id: 'cell_over_voltage',
    severity: 'critical',
    battery_id: 'b1',
    pack_id: 'p01',
    cell_no: 3,
    message: 'Cell 3 voltage 3.71 V is above 3.65 V',
    value: 3.71,
    threshold: 3.65,
    unit: 'V',
    state: cleared_ms === null ? 'active' : 'cleared',
    raised_ms,
    cleared_ms,
  });
}

export function storeOptions(directory: string, more: Partial<SqliteStoreOptions> = {}): SqliteStoreOptions {
  return {
    directory,
    commit_interval_ms: 20,
    retention_days: 30,
    clock: systemClock,
    log: silentLogger,
    ...more,
  };
}

/** A new folder under the system's temporary one, and the function that removes it. */
export function temporaryDirectory(parent = tmpdir()): { path: string; remove: () => void } {
  const path = mkdtempSync(join(parent, 'bms-store-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
