/** When readings were taken, once the time is known. */
import type { ClockRecord } from '../../core/contract/clock.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { LogKind } from '../../daemon/store/store.ts';
import type { BoxClock } from './box-clock.ts';
import type { Gateway } from './gateway.ts';
import type { LogModel } from './log-model.ts';
import { numberOf } from './made-rows.ts';
import { exported, readingTextOf, same } from './reads.ts';

/** The network has vouched for all of this boot; and what it has vouched for is true. `true_ms`: by number. */
export function checkTimes(
  gateway: Gateway,
  model: LogModel,
  box: BoxClock,
  topology: Topology,
  true_ms: ReadonlyMap<number, number>,
): void {
  const times = model.times();
  let is_now = false;
  for (const row of model.rows) {
    if (row.kind === LogKind.clock) is_now ||= (JSON.parse(row.body) as ClockRecord).boot_id === box.boot_id;
    if (row.kind !== LogKind.reading) continue;
    const { trust } = times[row.seq - 1];
    if (is_now && trust !== 'network') throw new Error(`reading ${row.seq} was not put right`);
    const taken_ms = true_ms.get(numberOf(row));
    if (trust === 'network' && model.updatedMs(row) !== taken_ms)
      throw new Error(
        `reading ${row.seq} is reported at ${model.updatedMs(row)}, and was taken at ${taken_ms}`,
      );
  }
  const pack_ids = topology.packs.map(({ id }) => id);
  const present = model.present().filter(row => row.kind === LogKind.reading);
  same(
    'export of all',
    exported(gateway, pack_ids),
    present.map(row => readingTextOf(model, row)),
  );
}
