/**
 * The one judge of a pack's values beyond what PackState knows of each: what physics and profile rule out, what the
 * values say of each other, and what their past says of them. The sampler asks it once a moment (`judge`), the live
 * view in between (`mark`); what needs a past is learnt from the moments alone, so that both say the same.
 */
import { CELL_METRICS, CellMetric, PackMetric, SENSOR_METRIC } from '../metrics.ts';
import type { PackReading } from '../reading/pack-reading.ts';
import type { PackState } from '../reading/pack-state.ts';
import { markImplausible, type PlausibleLimits } from '../reading/plausibility.ts';
import { Quality } from '../reading/quality.ts';
import { type Contradictions, contradictionSentences, markContradictions } from './contradictions.ts';
import { SiblingDeviation } from './deviation.ts';
import { FrozenWatch } from './frozen.ts';
import { TwoTracks } from './two-tracks.ts';

/** Neighbours that have moved less prove nothing. */
const LEAST_MOVE_V = 0.005;
const LEAST_MOVE_C = 1;
/** A voltage that has jumped is remembered for some moments: the cells of the same time may be reported later. */
const SLACK_KEPT = 0.7;
const MAX_NAMED = 3;

export class PackJudge {
  readonly #limits: PlausibleLimits;
  readonly #voltages: FrozenWatch;
  readonly #temperatures: FrozenWatch;
  readonly #sensors: FrozenWatch;
  readonly #voltages_updated_ms: Float64Array;
  readonly #temperatures_updated_ms: Float64Array;
  readonly #sensors_updated_ms: Float64Array;
  readonly #tracks = new TwoTracks();
  /** What is learnt of its cells over hours. */
  readonly deviation: SiblingDeviation;
  #voltage_v = Number.NaN;
  #slack_v = 0;
  readonly #contradictions: Contradictions = { found: 0, marked: 0 };

  /** From now on it listens to `state`, whose readings it will judge. */
  constructor(state: PackState, limits: PlausibleLimits) {
    const { cell_count, sensor_count } = state.shape;
    this.#limits = limits;
    this.deviation = new SiblingDeviation(cell_count);
    const { resolution } = CELL_METRICS[CellMetric.voltage_v];
    this.#voltages = new FrozenWatch(cell_count, LEAST_MOVE_V, resolution);
    this.#temperatures = new FrozenWatch(cell_count, LEAST_MOVE_C, SENSOR_METRIC.resolution);
    this.#sensors = new FrozenWatch(sensor_count, LEAST_MOVE_C, SENSOR_METRIC.resolution);
    this.#voltages_updated_ms = state.cellsUpdatedMonoMs(CellMetric.voltage_v);
    this.#temperatures_updated_ms = state.cellsUpdatedMonoMs(CellMetric.temperature_c);
    this.#sensors_updated_ms = state.sensorsUpdatedMonoMs();
    state.onValue = (metric, value, mono_ms) => this.#tracks.take(metric, value, mono_ms);
  }

  /** Marks what cannot be trusted in the reading of a moment, and learns from it. Returns how many values it marked. */
  judge(reading: PackReading): number {
    const marked = this.#markByItself(reading);
    if (!reading.is_repeated) this.#learn(reading);
    const all = marked + this.#markByPast(reading);
    // Of what can be trusted alone.
    if (!reading.is_repeated) this.deviation.learn(reading);
    return all;
  }

  /** Marks a reading taken in between by the same tests. */
  mark(reading: PackReading): number {
    return this.#markByItself(reading) + this.#markByPast(reading);
  }

  /** What two devices that answer in turn were known by, for a person to read; undefined: there is one. */
  twoDevices(): string | undefined {
    return this.#tracks.isFound ? this.#tracks.sentence() : undefined;
  }

  /** Why values of the reading that was judged or marked last are suspect, for a person to read. */
  reasons(reading: PackReading): string[] {
    const two = this.twoDevices();
    return [
      ...(two === undefined ? [] : [two]),
      ...contradictionSentences(reading, this.#contradictions.found),
      ...frozenSentences(this.#voltages, 'cell', ' voltage', reading),
      ...frozenSentences(this.#temperatures, 'cell', ' temperature', reading),
      ...frozenSentences(this.#sensors, 'sensor', '', reading),
    ];
  }

  #markByItself(reading: PackReading): number {
    const implausible = markImplausible(reading, this.#limits);
    const voltage_v = reading.values[PackMetric.voltage_v];
    const jump_v = Math.abs(voltage_v - this.#voltage_v);
    const slack_v = jump_v > this.#slack_v ? jump_v : this.#slack_v;
    markContradictions(reading, slack_v, this.#contradictions);
    return implausible + this.#contradictions.marked;
  }

  #learn(reading: PackReading): void {
    const { values, value_quality, mono_ms } = reading;
    const jump_v = Math.abs(values[PackMetric.voltage_v] - this.#voltage_v);
    this.#voltage_v = values[PackMetric.voltage_v];
    this.#slack_v = Math.max(this.#slack_v * SLACK_KEPT, Number.isNaN(jump_v) ? 0 : jump_v);
    const good = (metric: number) => (value_quality[metric] === Quality.good ? values[metric] : Number.NaN);
    this.#tracks.observe(good(PackMetric.voltage_v), good(PackMetric.current_a), mono_ms);
    const v = CellMetric.voltage_v;
    this.#voltages.observe(reading.column(v), reading.columnQuality(v), this.#voltages_updated_ms);
    const c = CellMetric.temperature_c;
    this.#temperatures.observe(reading.column(c), reading.columnQuality(c), this.#temperatures_updated_ms);
    this.#sensors.observe(reading.sensors, reading.sensor_quality, this.#sensors_updated_ms);
  }

  #markByPast(reading: PackReading): number {
    if (this.#tracks.isFound)
      return markAll(reading.value_quality) + markAll(reading.cell_quality) + markAll(reading.sensor_quality);
    return (
      markFrozen(reading.columnQuality(CellMetric.voltage_v), this.#voltages) +
      markFrozen(reading.columnQuality(CellMetric.temperature_c), this.#temperatures) +
      markFrozen(reading.sensor_quality, this.#sensors)
    );
  }
}

/** Nobody knows which of the two reported which value. */
function markAll(quality: Uint8Array): number {
  let marked = 0;
  for (let i = 0; i < quality.length; i++) {
    if (quality[i] !== Quality.good) continue;
    quality[i] = Quality.suspect;
    marked++;
  }
  return marked;
}

function markFrozen(quality: Uint8Array, { frozen, count }: FrozenWatch): number {
  if (count === 0) return 0;
  let marked = 0;
  for (let i = 0; i < quality.length; i++) {
    if (!frozen[i] || quality[i] !== Quality.good) continue;
    quality[i] = Quality.suspect;
    marked++;
  }
  return marked;
}

/** "cell 3 voltage has not moved since 2026-11-30 10:42 UTC, though its neighbours have". */
function frozenSentences(
  { frozen, count, since_ms }: FrozenWatch,
  what: string,
  quantity: string,
  { t_ms, mono_ms }: PackReading,
): string[] {
  if (count === 0) return [];
  const sentences: string[] = [];
  for (let i = 0; i < frozen.length && sentences.length < MAX_NAMED; i++) {
    if (!frozen[i]) continue;
    const since = momentText(t_ms - (mono_ms - since_ms[i]));
    sentences.push(`${what} ${i + 1}${quantity} has not moved since ${since}, though its neighbours have`);
  }
  if (count > MAX_NAMED) sentences.push(`${count - MAX_NAMED} more ${what}s${quantity} likewise`);
  return sentences;
}

/** In UTC, as the reader's own zone is not known here. A clock may show what no calendar holds. */
function momentText(t_ms: number): string {
  const date = new Date(t_ms);
  return Number.isNaN(date.getTime())
    ? 'a time unknown'
    : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
