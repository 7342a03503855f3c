/** The newest state of everything, made on demand from the packs' states: what HTTP and WebSocket show. */
import type { Alert, AlertSeverity } from '../../core/alerts/alert.ts';
import type { Clock } from '../../core/clock/clock.ts';
import type { EstimateBasis } from '../../core/contract/estimates.ts';
import type {
  AlertCounts,
  BatteryDetail,
  FleetState,
  PackDetail,
  PackSummary,
} from '../../core/contract/model.ts';
import { CellMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import type { PackState } from '../../core/reading/pack-state.ts';
import type { PackJudge } from '../../core/siblings/pack-judge.ts';
import type { BatteryNode, PackNode, Topology } from '../../core/topology/topology.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import type { LiveView } from '../server/services.ts';
import { summariseBattery } from './battery-summary.ts';
import { detailColumns, summarisePack } from './summary.ts';

export interface LivePack {
  readonly state: PackState;
  /** The one the sampler asks. */
  readonly judge: PackJudge;
  readonly binding: PackBinding;
}

export interface LiveViewOptions {
  readonly clock: Clock;
  readonly topology: Topology;
  /** In dense pack order. */
  readonly packs: readonly LivePack[];
  /** The driver's one line of what is wrong with a pack. */
  readonly linkReason: (pack: number) => string | undefined;
  readonly activeAlerts: () => readonly Alert[];
  readonly estimates: ShownEstimates;
}

/** What the gateway estimates itself. */
export interface ShownEstimates {
  /** Puts it into a reading. */
  show(reading: PackReading): void;
  basis(pack: number): EstimateBasis;
}

export class PackLiveView implements LiveView {
  readonly #options: LiveViewOptions;
  readonly #scratch: readonly PackReading[];
  readonly #listeners = new Set<(pack: number) => void>();

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#scratch = options.packs.map(({ state }) => new PackReading(state.pack, state.shape));
  }

  /** To be called by drivers after new values of a pack. */
  readonly packChanged = (pack: number): void => {
    for (const listener of this.#listeners) listener(pack);
  };

  onPackChanged(listener: (pack: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  fleet(): FleetState {
    const { topology } = this.#options;
    const alerts = alertsByPack(this.#options.activeAlerts());
    return {
      site: { id: topology.site.id, name: topology.site.name },
      batteries: topology.batteries.map(battery => this.#battery(battery, alerts).battery),
    };
  }

  battery(battery_id: string): BatteryDetail | undefined {
    const node = this.#options.topology.batteries.find(battery => battery.id === battery_id);
    return node && this.#battery(node, alertsByPack(this.#options.activeAlerts()));
  }

  pack(pack_id: string): PackDetail | undefined {
    const { topology, packs } = this.#options;
    const node = topology.packs.find(pack => pack.id === pack_id);
    if (!node) return undefined;
    const reading = this.#snapshot(node.pack);
    const { profile } = packs[node.pack].binding;
    const labels = new Map(profile.device_alarms?.map(alarm => [alarm.code, alarm.label]));
    return {
      id: node.id,
      name: node.name,
      battery_id: node.battery_id,
      battery_name: topology.batteries[node.battery].name,
      profile: { id: profile.id, title: profile.title, grade: profile.grade ?? null },
      connection: { id: node.connection_id, address: node.address ?? null },
      cell_count: node.shape.cell_count,
      estimate: this.#options.estimates.basis(node.pack),
      summary: this.#summary(node, reading, alertsByPack(this.#options.activeAlerts())),
      ...detailColumns(reading, code => labels.get(code) ?? code),
      cell_updated_ms: this.#cellUpdatedMs(node.pack),
      oldest_good_ms: this.#oldestGoodMs(reading),
    };
  }

  #oldestGoodMs(reading: PackReading): number | null {
    const { clock, packs } = this.#options;
    packs[reading.pack].state.agesInto(reading, clock.monoMs());
    if (Number.isNaN(reading.oldest_age_ms)) return null;
    return toHundredth(clock.wallMs() - reading.oldest_age_ms);
  }

  /** Each cell has its own age: they come in several frames, or blocks of registers. */
  #cellUpdatedMs(pack: number): (number | null)[] {
    const { clock, packs } = this.#options;
    const { state } = packs[pack];
    const offset_ms = clock.wallMs() - clock.monoMs();
    return Array.from({ length: state.shape.cell_count }, (_, cell) => {
      const updated_ms = state.cellUpdatedMonoMs(CellMetric.voltage_v, cell);
      return Number.isFinite(updated_ms) ? toHundredth(updated_ms + offset_ms) : null;
    });
  }

  #battery(battery: BatteryNode, alerts: AlertsByPack): BatteryDetail {
    const packs = battery.packs.map(pack => {
      const node = this.#options.topology.packs[pack];
      return this.#summary(node, this.#snapshot(pack), alerts);
    });
    return { battery: summariseBattery(battery, packs), packs };
  }

  #snapshot(pack: number): PackReading {
    const { clock, packs, estimates } = this.#options;
    const reading = this.#scratch[pack];
    packs[pack].state.snapshotInto(reading, clock.wallMs(), clock.monoMs());
    packs[pack].judge.mark(reading);
    estimates.show(reading);
    return reading;
  }

  #summary(node: PackNode, reading: PackReading, alerts: AlertsByPack): PackSummary {
    const { clock, packs, linkReason } = this.#options;
    const { state, judge } = packs[node.pack];
    const age_ms = clock.monoMs() - state.last_update_mono_ms;
    const active = alerts.get(node.id);
    return summarisePack(node, reading, {
      link_reason: linkReason(node.pack),
      doubts: judge.reasons(reading),
      no_estimate_reason: this.#options.estimates.basis(node.pack).reason,
      last_update_ms: Number.isFinite(age_ms) ? Math.round(clock.wallMs() - age_ms) : null,
      alerts: active?.counts ?? { critical: 0, warning: 0, info: 0 },
      ill_cell_nos: [...(active?.cell_nos ?? []), ...judge.deviation.weak.map(({ cell }) => cell + 1)],
    });
  }
}

/** Of a second, so that the same moment is the same number on every call. */
const toHundredth = (t_ms: number) => Math.round(t_ms / 10) * 10;

type AlertsByPack = ReadonlyMap<
  string,
  { readonly counts: AlertCounts /** The worst first. */; readonly cell_nos: readonly number[] }
>;

const SEVERITIES: readonly AlertSeverity[] = ['critical', 'warning', 'info'];

function alertsByPack(alerts: readonly Alert[]): AlertsByPack {
  const found = new Map<string, { counts: Record<AlertSeverity, number>; cell_nos: number[] }>();
  for (const severity of SEVERITIES) {
    for (const alert of alerts) {
      if (alert.pack_id === null || alert.severity !== severity) continue;
      const pack = found.get(alert.pack_id) ?? { counts: { critical: 0, warning: 0, info: 0 }, cell_nos: [] };
      pack.counts[severity]++;
      if (alert.cell_no !== null) pack.cell_nos.push(alert.cell_no);
      found.set(alert.pack_id, pack);
    }
  }
  return found;
}
