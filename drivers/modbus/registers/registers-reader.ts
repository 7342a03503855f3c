/** Reads one pack of a unit by the `registers` section of its profile. */

import { CellMetric } from '../../../core/metrics.ts';
import { DeviceAlarmLevel } from '../../../core/reading/pack-reading.ts';
import type { PackState } from '../../../core/reading/pack-state.ts';
import type { ReadFailure } from '../modbus-link.ts';
import { type ReadUnit, readParts, staleAfterMs, type UnitReader } from '../unit-reader.ts';
import { BlockImage, SPLITS_PER_ROUND } from './block-image.ts';
import { fieldValue, rawOf } from './field-values.ts';
import { fieldSpans, limitsFor } from './map-plan.ts';
import type { Field, FieldRow, MapBlock, RegisterMap, ValueField } from './register-map.ts';

export interface RegistersReaderOptions {
  readonly state: PackState;
  readonly map: RegisterMap;
  /** Sensor (from 0) at each cell, as the installer knows it. */
  readonly sensor_of_cell: readonly number[] | undefined;
  readonly interval_ms: number;
  readonly counters: { reads_split: number; cells_ignored: number };
  readonly read: ReadUnit;
  /** Blocks that may be read at once. */
  readonly atOnce: () => number;
}

/** Rounds until registers the unit refused are asked for again. */
const ASK_REFUSED_AGAIN = 1000;
/** Most rounds until a block that does not answer is asked again. */
const MAX_LEFT_OUT_ROUNDS = 64;

/** A block that did not answer while others did. */
interface LeftOut {
  times: number;
  until_round: number;
  /** What it said in place of its registers, if it did not keep silent. */
  complaint: string | undefined;
}

export class RegistersReader implements UnitReader {
  progress = 0;
  readonly #options: RegistersReaderOptions;
  readonly #images: readonly BlockImage[];
  readonly #levels: Uint8Array;
  /** Per device alarm: a source of it was not read in this round. */
  readonly #unsure: Uint8Array;
  #round = 0;
  /** Block the rounds begin with: another one after a round in which nothing answered. */
  #first = 0;
  /** Block to go on with, counting from `#first`. */
  #next = 0;
  #under_way = false;
  /** The unit answered all it was asked last: otherwise blocks go one by one, so that silence costs one time-out. */
  #is_steady = false;
  #last_failure: ReadFailure | undefined;
  readonly #left_out = new Map<BlockImage, LeftOut>();
  /** Of a value read in every round, by what was measured. */
  #late_ms = 0;

  constructor(options: RegistersReaderOptions) {
    this.#options = options;
    const { map, state } = options;
    const spans = fieldSpans(map);
    this.#images = map.blocks.map(
      (block, i) => new BlockImage(block, spans[i], limitsFor(map.section, block)),
    );
    this.#levels = new Uint8Array(state.shape.device_alarms.length);
    this.#unsure = new Uint8Array(state.shape.device_alarms.length);
    this.#setStaleLimits();
  }

  forget(): void {
    for (const image of this.#images) image.forget();
    this.#round = 0;
    this.#first = 0;
    this.#left_out.clear();
    this.#under_way = false;
    this.#is_steady = false;
  }

  abandon(): void {
    if (this.#under_way && !this.#images.some(({ readNow }) => readNow))
      this.#first = (this.#first + 1) % this.#images.length;
    this.#under_way = false;
  }

  ageBy(late_ms: number): void {
    this.#late_ms = late_ms;
    this.#options.state.silent_after_ms = late_ms;
    this.#setStaleLimits();
  }

  leaveOut(): boolean {
    const image = this.#at(this.#next);
    // A block read more rarely says nothing about one that carries what the pack is watched for.
    const others = this.#images.filter(
      other => other !== image && other.readNow && other.block.every <= image.block.every,
    );
    if (others.length === 0) return false;
    const times = (this.#left_out.get(image)?.times ?? 0) + 1;
    const rounds = Math.max(image.block.every, Math.min(MAX_LEFT_OUT_ROUNDS, 2 ** times));
    const complaint = this.#last_failure?.kind === 'timeout' ? undefined : this.#last_failure?.complaint;
    if (complaint !== undefined) image.refuseRest();
    this.#left_out.set(image, { times, until_round: this.#round + rounds, complaint });
    this.#next++;
    return true;
  }

  readonly #read: ReadUnit = async (code, address, count, into) => {
    const failure = await this.#options.read(code, address, count, into);
    if (!failure || failure.kind === 'exception') this.progress++;
    return failure;
  };

  async read(): Promise<ReadFailure | undefined> {
    if (!this.#under_way) this.#begin();
    const budget = { splits: SPLITS_PER_ROUND, refusal: undefined as ReadFailure | undefined };
    let failed: { position: number; failure: ReadFailure } | undefined;
    await readParts(this.#positionsLeft(), this.#is_steady ? this.#options.atOnce() : 1, async position => {
      const image = this.#at(position);
      const failure = await image.read(this.#read, budget);
      if (!failure) {
        this.#left_out.delete(image);
      } else if (!failed || position < failed.position) {
        failed = { position, failure: this.#left_out.has(image) ? { ...failure, is_known: true } : failure };
      }
      return !failure;
    });
    this.#options.counters.reads_split += SPLITS_PER_ROUND - Math.max(0, budget.splits);
    this.#is_steady = !failed;
    if (failed) {
      this.#next = failed.position;
      this.#last_failure = failed.failure;
      return failed.failure;
    }
    this.#under_way = false;
    if (!budget.refusal || this.#images.some(({ readNow }) => readNow)) return undefined;
    return budget.refusal;
  }

  commit(mono_ms: number, onPack: (pack: number, complaint: string | undefined) => void): void {
    const { map, state } = this.#options;
    for (const field of map.pack) {
      if (this.#isNew(field)) state.setValue(field.metric, this.#valueOf(field), mono_ms);
      else if (this.#isGone(field)) state.setValue(field.metric, Number.NaN, mono_ms);
    }
    for (const { metric, dividend, divisor, scale } of map.derived) {
      const parts = [dividend, divisor];
      if (parts.every(part => this.#isNew(part))) {
        const below = this.#valueOf(divisor);
        const ratio = below === 0 ? Number.NaN : (scale * this.#valueOf(dividend)) / below;
        state.setValue(metric, ratio, mono_ms);
      } else if (parts.some(part => this.#isGone(part))) state.setValue(metric, Number.NaN, mono_ms);
    }
    const complaints: string[] = [];
    for (const row of map.cells) this.#commitCells(row, mono_ms, complaints);
    for (const row of map.sensors) this.#commitSensors(row, mono_ms);
    this.#commitAlarms(mono_ms);
    for (const { refused, block } of this.#images) {
      if (refused.length === 0) continue;
      const more = refused.length > 1 ? ` and ${refused.length - 1} more` : '';
      complaints.push(`the unit has no ${block.code <= 2 ? 'coil' : 'register'} ${refused[0]}${more}`);
    }
    for (const { refusals } of this.#images) complaints.push(...refusals.values());
    for (const [{ block }, { complaint }] of this.#left_out) {
      if (complaint !== undefined) {
        complaints.push(complaint);
        continue;
      }
      const last = block.first + (block.length - 1) * block.step;
      complaints.push(`no reply for ${block.code <= 2 ? 'coils' : 'registers'} ${block.first} to ${last}`);
    }
    this.#round++;
    if (this.#round % ASK_REFUSED_AGAIN === 0) for (const image of this.#images) image.askRefusedAgain();
    onPack(state.pack, complaints.length > 0 ? [...new Set(complaints)].join('; ') : undefined);
  }

  /** Blocks of this round as places counted from `#first`; one that has been read asks for nothing. */
  #positionsLeft(): number[] {
    const left: number[] = [];
    for (let position = this.#next; position < this.#images.length; position++) {
      const image = this.#at(position);
      const until_round = this.#left_out.get(image)?.until_round ?? 0;
      if (this.#round % image.block.every === 0 && this.#round >= until_round) left.push(position);
    }
    return left;
  }

  #at(position: number): BlockImage {
    return this.#images[(this.#first + position) % this.#images.length];
  }

  #begin(): void {
    this.#under_way = true;
    this.#next = 0;
    for (const image of this.#images) image.begin();
  }

  #commitCells(row: FieldRow, mono_ms: number, complaints: string[]): void {
    const { state, counters } = this.#options;
    const { cell_count } = state.shape;
    const reported = this.#reported(row);
    if (reported !== undefined && reported !== cell_count) {
      complaints.push(`${reported} cells reported, ${cell_count} configured`);
      if (this.#round === 0) counters.cells_ignored += Math.max(0, reported - cell_count);
    }
    for (let i = 0; i < row.fields.length; i++) {
      const field = row.fields[i];
      if (!this.#isNew(field) && !this.#isGone(field)) continue;
      const isThere = this.#isNew(field) && this.#exists(row, i, reported);
      const value = isThere ? this.#valueOf(field) : Number.NaN;
      state.setCell(row.metric, row.first + i, value, mono_ms);
    }
  }

  #commitSensors(row: FieldRow, mono_ms: number): void {
    const { state, sensor_of_cell } = this.#options;
    const reported = this.#reported(row);
    for (let i = 0; i < row.fields.length; i++) {
      const field = row.fields[i];
      if (!this.#isNew(field) && !this.#isGone(field)) continue;
      const isThere = this.#isNew(field) && this.#exists(row, i, reported);
      const value = isThere ? this.#valueOf(field) : Number.NaN;
      const sensor = row.first + i;
      state.setSensor(sensor, value, mono_ms);
      if (!sensor_of_cell) continue;
      for (let cell = 0; cell < Math.min(sensor_of_cell.length, state.shape.cell_count); cell++) {
        if (sensor_of_cell[cell] === sensor) state.setCell(CellMetric.temperature_c, cell, value, mono_ms);
      }
    }
  }

  #commitAlarms(mono_ms: number): void {
    const { map, state } = this.#options;
    const levels = this.#levels.fill(DeviceAlarmLevel.none);
    const unsure = this.#unsure.fill(1);
    for (const field of map.alarms) unsure[field.alarm] = 0;
    for (const field of map.alarms) {
      const raw = rawOf(this.#images[field.block].words, field);
      if (!this.#isNew(field) || field.absent.includes(raw)) unsure[field.alarm] = 1;
      else if (raw === field.active) levels[field.alarm] = Math.max(levels[field.alarm], field.level);
    }
    for (let alarm = 0; alarm < levels.length; alarm++) {
      if (levels[alarm] !== DeviceAlarmLevel.none || unsure[alarm] === 0)
        state.setDeviceAlarm(alarm, levels[alarm], mono_ms);
    }
  }

  #isNew(field: Field): boolean {
    return this.#images[field.block].isNew(field);
  }

  #isGone(field: Field): boolean {
    return this.#images[field.block].isGone(field);
  }

  #valueOf(field: ValueField): number {
    return fieldValue(this.#images[field.block].words, field);
  }

  /** How many the device says it has; undefined: it does not say. */
  #reported({ present_count, present_times }: FieldRow): number | undefined {
    const known = (field: Field | undefined) =>
      field && this.#images[field.block].isKnown(field)
        ? rawOf(this.#images[field.block].words, field)
        : undefined;
    const count = known(present_count);
    const times = present_times ? known(present_times) : 1;
    return count === undefined || times === undefined ? undefined : count * times;
  }

  #exists(row: FieldRow, i: number, reported: number | undefined): boolean {
    if (reported !== undefined && i >= reported) return false;
    const { present_bits: mask, first_bit } = row;
    if (!mask || !this.#images[mask.block].isKnown(mask)) return true;
    return ((rawOf(this.#images[mask.block].words, mask) >>> (first_bit + i)) & 1) === 1;
  }

  #setStaleLimits(): void {
    const { map, state } = this.#options;
    for (const field of map.pack) state.setValueStaleLimit(field.metric, this.#staleMs(field));
    for (const { metric, dividend, divisor } of map.derived)
      state.setValueStaleLimit(metric, Math.max(this.#staleMs(dividend), this.#staleMs(divisor)));
    for (const { metric, fields } of map.cells) {
      if (fields.length > 0) state.setCellStaleLimit(metric, this.#staleMs(fields[0]));
    }
    for (const { fields } of map.sensors) {
      const stale_ms = this.#staleMs(fields[0]);
      state.setSensorStaleLimit(stale_ms);
      if (this.#options.sensor_of_cell) state.setCellStaleLimit(CellMetric.temperature_c, stale_ms);
    }
    for (const field of map.alarms) state.setDeviceAlarmStaleLimit(field.alarm, this.#staleMs(field));
  }

  #staleMs({ block }: Field): number {
    const { every, stale_ms }: MapBlock = this.#options.map.blocks[block];
    return Math.max(stale_ms ?? staleAfterMs(every * this.#options.interval_ms), every * this.#late_ms);
  }
}
