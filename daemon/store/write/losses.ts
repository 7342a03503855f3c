/** Readings that never reached the disk: counted by pack until they can be reported in a gap record. */
import type { GapRecord } from '../../../core/contract/gap.ts';

const DETAILS = {
  queue_full: 'the disk could not keep up, and the queue to it was full',
  write_failed: 'the writer ended before these readings were durable',
} as const;
type LossReason = keyof typeof DETAILS;

interface Loss {
  from_ms: number;
  to_ms: number;
  readings: number;
  readonly packs: Map<string, number>;
}

export class Losses {
  readonly #file: string;
  readonly #open = new Map<LossReason, Loss>();

  constructor(file: string) {
    this.#file = file;
  }

  /** `pack_id` undefined: of several packs, and which is not known any more. */
  add(reason: LossReason, pack_id: string | undefined, t_ms: number, readings = 1): void {
    let loss = this.#open.get(reason);
    if (!loss) {
      loss = { from_ms: t_ms, to_ms: t_ms, readings: 0, packs: new Map() };
      this.#open.set(reason, loss);
    }
    loss.from_ms = Math.min(loss.from_ms, t_ms);
    loss.to_ms = Math.max(loss.to_ms, t_ms);
    loss.readings += readings;
    if (pack_id !== undefined) loss.packs.set(pack_id, (loss.packs.get(pack_id) ?? 0) + readings);
  }

  /** What was lost since the last time, and begins again. */
  take(): GapRecord[] {
    const gaps = [...this.#open].map(
      ([reason, { from_ms, to_ms, readings, packs }]): GapRecord => ({
        reason,
        detail: `${this.#file}: ${DETAILS[reason]}`,
        from_ms,
        to_ms,
        first_seq: null,
        last_seq: null,
        readings,
        packs: [...packs].map(([pack_id, count]) => ({ pack_id, readings: count })),
      }),
    );
    this.#open.clear();
    return gaps;
  }
}
