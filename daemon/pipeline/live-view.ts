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
    const alerts = countByPack(this.#options.activeAlerts());
    return {
      site: { id: topology.site.id, name: topology.site.name },
      batteries: topology.batteries.map(battery => this.#battery(battery, alerts).battery),
    };
  }

  battery(battery_id: string): BatteryDetail | undefined {
    const node = this.#options.topology.batteries.find(battery => battery.id === battery_id);
    return node && this.#battery(node, countByPack(this.#options.activeAlerts()));
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
      summary: this.#summary(node, reading, countByPack(this.#options.activeAlerts())),
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

  #battery(battery: BatteryNode, alerts: Map<string, AlertCounts>): BatteryDetail {
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

  #summary(node: PackNode, reading: PackReading, alerts: Map<string, AlertCounts>): PackSummary {
    const { clock, packs, linkReason } = this.#options;
    const age_ms = clock.monoMs() - packs[node.pack].state.last_update_mono_ms;
    return summarisePack(node, reading, {
      link_reason: linkReason(node.pack),
      doubts: packs[node.pack].judge.reasons(reading),
      no_estimate_reason: this.#options.estimates.basis(node.pack).reason,
      last_update_ms: Number.isFinite(age_ms) ? Math.round(clock.wallMs() - age_ms) : null,
      alerts: alerts.get(node.id) ?? { critical: 0, warning: 0, info: 0 },
    });
  }
}

/** Of a second, so that the same moment is the same number on every call. */
const toHundredth = (t_ms: number) => Math.round(t_ms / 10) * 10;

function countByPack(alerts: readonly Alert[]): Map<string, AlertCounts> {
  const counts = new Map<string, Record<AlertSeverity, number>>();
  for (const alert of alerts) {
    if (alert.pack_id === null) continue;
    const count = counts.get(alert.pack_id) ?? { critical: 0, warning: 0, info: 0 };
    count[alert.severity]++;
    counts.set(alert.pack_id, count);
  }
  return counts;
}
