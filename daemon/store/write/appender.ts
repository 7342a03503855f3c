/**
 * Readings, alerts and records on their way into the batches of the queue. What it has no room for is dropped and
 * counted; of readings it is known which, until a gap record reports them.
 */
import type { Alert } from '../../../core/alerts/alert.ts';
import type { Clock } from '../../../core/clock/clock.ts';
import type { GapRecord } from '../../../core/contract/gap.ts';
import { encodeInto, maxEncodedBytes } from '../../../core/reading/codec.ts';
import type { PackReading } from '../../../core/reading/pack-reading.ts';
import type { BatchBuffer } from '../format/batch-buffer.ts';
import { LogKind } from '../store.ts';
import type { OpenedLog } from '../worker-messages.ts';
import { Losses } from './losses.ts';

export interface AppenderOptions {
  readonly file: string;
  readonly clock: Clock;
  /** The batch that takes a body of this size; undefined: it must be dropped. */
  readonly batchFor: (kind: number, body_bytes: number) => BatchBuffer | undefined;
}

export class Appender {
  readonly counts = { readings_appended: 0, readings_dropped: 0, alerts_dropped: 0, records_dropped: 0 };
  /** By dense index of this run. */
  pack_keys: Int32Array = new Int32Array(0);
  readonly #options: AppenderOptions;
  readonly #pack_ids = new Map<number, string>();
  readonly #losses: Losses;

  constructor(options: AppenderOptions) {
    this.#options = options;
    this.#losses = new Losses(options.file);
  }

  packId(pack_key: number): string | undefined {
    return this.#pack_ids.get(pack_key);
  }

  /** As the file has them; `pack_ids` by dense index, by default those of before. */
  takeKeys(
    packs: OpenedLog['packs'],
    pack_ids: readonly string[] = [...this.pack_keys].map(key => this.#pack_ids.get(key) as string),
  ): void {
    for (const { pack_key, pack_id } of packs) this.#pack_ids.set(pack_key, pack_id);
    const keys = new Map(packs.map(({ pack_key, pack_id }) => [pack_id, pack_key]));
    this.pack_keys = Int32Array.from(pack_ids, pack_id => keys.get(pack_id) as number);
  }

  append(reading: PackReading): void {
    const pack_key = this.pack_keys[reading.pack];
    const batch = this.#options.batchFor(LogKind.reading, maxEncodedBytes(reading.shape));
    if (!batch || pack_key === undefined) {
      this.counts.readings_dropped++;
      this.#losses.add('queue_full', this.#pack_ids.get(pack_key), reading.t_ms);
      return;
    }
    const body_bytes = encodeInto(reading, batch.view, batch.bodyOffset);
    batch.finish(LogKind.reading, pack_key, Math.round(reading.t_ms), body_bytes);
    batch.readings++;
    this.counts.readings_appended++;
  }

  appendAlert(alert: Alert): void {
    if (!this.#appendJson(LogKind.alert, alert.changed_ms, alert)) this.counts.alerts_dropped++;
  }

  appendRecord(kind: number, t_ms: number, record: object): void {
    if (!this.#appendJson(kind, t_ms, record)) this.counts.records_dropped++;
  }

  /** Readings of a batch that was given up. */
  batchLost(readings: number): void {
    this.counts.readings_dropped += readings;
    if (readings > 0) this.#losses.add('write_failed', undefined, this.#options.clock.wallMs(), readings);
  }

  /** As records of the log: what was lost since the last time. */
  reportLosses(): void {
    for (const gap of this.#losses.take()) this.appendGap(gap);
  }

  appendGap(gap: GapRecord): void {
    this.appendRecord(LogKind.gap, this.#options.clock.wallMs(), gap);
  }

  /** False when there was no room for it. */
  #appendJson(kind: number, t_ms: number, record: object): boolean {
    const body = Buffer.from(JSON.stringify(record));
    const batch = this.#options.batchFor(kind, body.length);
    if (!batch) return false;
    batch.bytes.set(body, batch.bodyOffset);
    batch.finish(kind, 0, Math.round(t_ms), body.length);
    return true;
  }
}
