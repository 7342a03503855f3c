/** Questions to the log at any moment, whatever else goes on: the answers are those of the model. */
import type { Topology } from '../../core/topology/topology.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { historyOf } from '../../daemon/store/testing.ts';
import type { Draw } from './draw.ts';
import type { Gateway } from './gateway.ts';
import type { LogModel } from './log-model.ts';

const HOUR_MS = 3_600_000;
const MOST_POINTS = 10_000;
const goOn = async () => true;

/** Throws what SQLite says, or what is wrong. */
export async function checkReads(
  gateway: Gateway,
  model: LogModel,
  topology: Topology,
  draw: Draw,
  now_ms: number,
): Promise<void> {
  const { reader } = gateway;
  const after_seq = draw.whole(0, model.lastSeq);
  const found = gateway.readAll(after_seq, draw.whole(1, 50)).map(row => row.seq);
  const expected = model.present().map(row => row.seq);
  same(
    `rows after ${after_seq}`,
    found,
    expected.filter(seq => seq > after_seq),
  );

  const pack = draw.whole(0, topology.packs.length - 1);
  const pack_id = topology.packs[pack].id;
  const pack_key = pack + 1;
  const from_ms = now_ms - draw.pick([1, 10, 100]) * HOUR_MS;
  const to_ms = now_ms + draw.pick([0, 1, 100]) * HOUR_MS;
  const times = model.readings(pack_key, from_ms, to_ms).map(row => row.t_ms);
  const counts = await reader.readingCounts(from_ms, to_ms, Number.MAX_SAFE_INTEGER, goOn);
  same(`readings of ${pack_id}`, [counts[pack_id] ?? 0], [times.length]);

  const request = { pack_id, from_ms, to_ms: to_ms - 1, max_points: MOST_POINTS };
  const history = await historyOf(reader, request);
  const sorted = times.toSorted((a, b) => a - b);
  if (history.resolution_ms === 0) same(`history of ${pack_id}`, history.t_ms, sorted);

  let exported = 0;
  for (let seq: number | null = 0; seq !== null; ) {
    const form = { rows: 'pack', format: 'csv' } as const;
    const piece = reader.exportChunk({ pack_ids: [pack_id], from_ms, to_ms, form, after_seq: seq });
    exported += piece.readings;
    seq = piece.next_seq;
  }
  same(`export of ${pack_id}`, [exported], [times.length]);
  checkAlerts(gateway, model);
}

/** Those that are active now; cleared ones go in time. */
function checkAlerts(gateway: Gateway, model: LogModel): void {
  const states = new Map<string, string>();
  for (const row of model.rows) {
    if (row.kind !== LogKind.alert) continue;
    const { id, state } = JSON.parse(row.body) as { id: string; state: string };
    states.set(id, state);
  }
  const active = [...states].filter(([, state]) => state === 'active').map(([id]) => id);
  const found = gateway.reader.alerts({ state: 'active', limit: 1000 }).map(({ id }) => id);
  same('active alerts', found.toSorted(), active.toSorted());
}

function same<T>(what: string, found: readonly T[], expected: readonly T[]): void {
  if (found.length === expected.length && found.every((one, i) => one === expected[i])) return;
  const at = expected.findIndex((one, i) => one !== found[i]);
  throw new Error(
    `${what}: ${found.length} found, ${expected.length} expected; the first other one is ${found[at]} for ${expected[at]}`,
  );
}
