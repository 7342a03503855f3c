/**
 * A month of a simulated fleet before the alert engine. Physics, what each BMS measures, the state of each pack, the judge of
 * its values and the default rules are those of the product; the wires are left out. Where nothing happens a moment is
 * taken every half minute, around faults every two seconds; each moment shows the engine what it would see then.
 */
import type { Alert } from '../../core/alerts/alert.ts';
import { AlertEngine } from '../../core/alerts/engine.ts';
import { CellMetric } from '../../core/metrics.ts';
import { PackReading } from '../../core/reading/pack-reading.ts';
import { PackState } from '../../core/reading/pack-state.ts';
import { plausibleLimits } from '../../core/reading/plausibility.ts';
import { Quality } from '../../core/reading/quality.ts';
import type { AlertEvent } from '../../core/reports/alert-performance.ts';
import { PackJudge } from '../../core/siblings/pack-judge.ts';
import { DEFAULT_RULES } from '../../daemon/config/default-rules.ts';
import { Fleet } from '../../sim/fleet.ts';
import type { SimulationFault } from '../../sim/simulation-config.ts';
import { bindingsOf, FOX, JK } from '../../sim/testing/bench.ts';
import { SILENT_AFTER_MS, topologyOf } from './simulated-site.ts';

const COARSE_MS = 30_000;
const FINE_MS = 2000;
const HOUR_MS = 3_600_000;
/** So long after the begin or end of a fault every moment is looked at, and a little before. */
const FINE_AFTER_MS = 1.25 * HOUR_MS;
const FINE_BEFORE_MS = 5 * 60_000;
/** Somebody acknowledges each alert after this time. */
const ACKNOWLEDGED_AFTER_MS = 10 * 60_000;
const STALE_MS = 90_000;
/** Somewhere in the wall clock's years. */
const BEGIN_MS = Date.UTC(2026, 2, 1);

/** A fault in a span of the month, in hours from its begin. */
export interface FaultSpan {
  readonly fault: Pick<SimulationFault, 'kind' | 'pack' | 'cell'>;
  readonly from_hours: number;
  readonly to_hours: number;
}

export interface Month {
  readonly events: readonly AlertEvent[];
  readonly from_ms: number;
  readonly to_ms: number;
  readonly moments: number;
}

export function simulateMonth(
  days: number,
  spans: readonly FaultSpan[],
  load: 'solar' | 'drive' = 'solar',
  coarse_ms = COARSE_MS,
): Month {
  const bindings = bindingsOf([JK, FOX]).flatMap(bus => bus.bindings);
  const plans = bindings.map(({ pack, shape, sensor_of_cell }) => ({
    pack,
    shape,
    battery: pack,
    chemistry: 'lfp' as const,
    sensor_of_cell,
  }));
  const fleet = new Fleet(plans, { seed: 1, load, start_hour: 12, capacity_ah: 100 });
  const packs = bindings.map(({ pack, pack_id, shape, profile }) => {
    const state = new PackState(pack, shape, STALE_MS);
    const judge = new PackJudge(state, plausibleLimits(profile.plausible));
    return { pack_id, state, judge, reading: new PackReading(pack, shape) };
  });
  const engine = new AlertEngine(topologyOf(bindings), DEFAULT_RULES, {
    silent_after_ms: SILENT_AFTER_MS,
    deviceAlarmLabel: (_, code) => code,
  });
  const events: AlertEvent[] = [];
  const emit = (alert: Alert) => {
    const { change, changed_ms: t_ms, id: alert_id } = alert;
    if (change === 'raised' || change === 'recurred' || change === 'cleared' || change === 'acknowledged')
      events.push({ ...alert, change, t_ms, alert_id });
  };
  let active = '';
  let moments = 0;
  const end_ms = days * 24 * HOUR_MS;
  for (let mono_ms = 0; mono_ms < end_ms; moments++) {
    const step_ms = isFine(spans, mono_ms) ? FINE_MS : coarse_ms;
    mono_ms += step_ms;
    const t_ms = BEGIN_MS + mono_ms;
    const faults = spans.filter(span => isDuring(span, mono_ms)).map(({ fault }) => fault);
    if (active !== JSON.stringify(faults)) {
      active = JSON.stringify(faults);
      setFaults(fleet, faults, packs);
    }
    fleet.step(step_ms / 1000);
    fleet.measure(t_ms, mono_ms);
    for (const [index, { pack_id, state, judge, reading }] of packs.entries()) {
      const isDead = faults.some(({ kind, pack }) => kind === 'dead_unit' && pack === pack_id);
      if (!isDead) report(state, fleet.packs[index].measured, mono_ms);
      state.snapshotInto(reading, t_ms, mono_ms);
      reading.is_repeated = isDead;
      judge.judge(reading);
      const silent_ms = state.silentMs(mono_ms, 0);
      const facts = { reading, silent_ms, weak_cells: judge.deviation.weak, two_devices: judge.twoDevices() };
      engine.evaluate(index, facts, t_ms, mono_ms, emit);
    }
    engine.finish(t_ms, mono_ms, emit);
    for (const { id, occurred_ms, acknowledged } of engine.book.all())
      if (!acknowledged && t_ms - occurred_ms >= ACKNOWLEDGED_AFTER_MS)
        engine.book.acknowledge(id, { by: 'ada', at_ms: t_ms }, null, emit);
  }
  return { events, from_ms: BEGIN_MS, to_ms: BEGIN_MS + end_ms, moments };
}

const isDuring = ({ from_hours, to_hours }: FaultSpan, mono_ms: number) =>
  mono_ms > from_hours * HOUR_MS && mono_ms <= to_hours * HOUR_MS;

function isFine(spans: readonly FaultSpan[], mono_ms: number): boolean {
  return spans.some(({ from_hours, to_hours }) =>
    [from_hours, to_hours].some(
      at_hours =>
        mono_ms >= at_hours * HOUR_MS - FINE_BEFORE_MS && mono_ms < at_hours * HOUR_MS + FINE_AFTER_MS,
    ),
  );
}

function setFaults(
  fleet: Fleet,
  faults: readonly FaultSpan['fault'][],
  packs: readonly { readonly pack_id: string }[],
): void {
  fleet.clearFaults();
  for (const { kind, pack, cell = 1 } of faults) {
    const index = packs.findIndex(({ pack_id }) => pack_id === pack);
    if (kind !== 'dead_unit') fleet.setFault(kind, index, cell - 1);
  }
}

/** What the BMS measured, as a driver would write it. */
function report(state: PackState, measured: PackReading, mono_ms: number): void {
  const { shape, values, value_quality, sensors, sensor_quality, device_alarm_level } = measured;
  for (let i = 0; i < values.length; i++)
    if (value_quality[i] === Quality.good) state.setValue(i, values[i], mono_ms);
  for (const metric of Object.values(CellMetric)) {
    const column = measured.column(metric);
    const quality = measured.columnQuality(metric);
    for (let cell = 0; cell < shape.cell_count; cell++)
      if (quality[cell] === Quality.good) state.setCell(metric, cell, column[cell], mono_ms);
  }
  for (let i = 0; i < sensors.length; i++)
    if (sensor_quality[i] === Quality.good) state.setSensor(i, sensors[i], mono_ms);
  for (let i = 0; i < device_alarm_level.length; i++) state.setDeviceAlarm(i, device_alarm_level[i], mono_ms);
}
