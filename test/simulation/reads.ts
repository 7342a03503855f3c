/** Questions to the log at any moment, whatever else goes on: the answers are those of the model. */
import type { Topology } from '../../core/topology/topology.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { historyOf } from '../../daemon/store/testing/fixtures.ts';
import type { Draw } from './draw.ts';
import type { Gateway } from './gateway.ts';
import type { LogModel, Row } from './log-model.ts';
import { numberOf } from './made-rows.ts';

const HOUR_MS = 3_600_000;
const MAX_POINTS = 10_000;
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
  const readings = model.readings(pack_key, from_ms, to_ms);
  const times = readings.map(row => model.updatedMs(row));
  const counts = await reader.readingCounts(from_ms, to_ms, Number.MAX_SAFE_INTEGER, goOn);
  same(`readings of ${pack_id}`, [counts[pack_id]?.readings ?? 0], [times.length]);

  const request = { pack_id, from_ms, to_ms: to_ms - 1, max_points: MAX_POINTS };
  const history = await historyOf(reader, request);
  const sorted = times.toSorted((a, b) => a - b);
  if (history.resolution_ms === 0) same(`history of ${pack_id}`, history.t_ms, sorted);

  const texts = readings.map(row => readingTextOf(model, row));
  same(`export of ${pack_id}`, exported(gateway, [pack_id], from_ms, to_ms), texts);
  checkAlerts(gateway, model);
}

interface ExportedLine {
  readonly voltage_v: number;
  readonly t_ms: number;
  readonly time_certain: boolean;
}

/** Of each reading its number, its time and whether somebody vouches for that, in the order of the log. */
export function exported(
  { reader }: Gateway,
  pack_ids: readonly string[],
  from_ms = Number.MIN_SAFE_INTEGER,
  to_ms = Number.MAX_SAFE_INTEGER,
): string[] {
  const lines: string[] = [];
  for (let after_seq: number | null = 0; after_seq !== null; ) {
    const form = { rows: 'pack', format: 'ndjson' } as const;
    const piece = reader.exportChunk({ pack_ids, from_ms, to_ms, form, after_seq });
    lines.push(...Buffer.from(piece.text).toString().split('\n').filter(Boolean));
    after_seq = piece.next_seq;
  }
  return lines.map(line => {
    const { voltage_v, t_ms, time_certain } = JSON.parse(line) as ExportedLine;
    return readingText(Math.round(voltage_v * 100), t_ms, time_certain);
  });
}

export function readingTextOf(model: LogModel, row: Row): string {
  return readingText(numberOf(row), model.updatedMs(row), model.times()[row.seq - 1].trust !== 'none');
}

export function readingText(number: number, t_ms: number, certain: boolean): string {
  return `number ${number} at ${t_ms}${certain ? '' : ', uncertain'}`;
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

export function same<T>(what: string, found: readonly T[], expected: readonly T[]): void {
  if (found.length === expected.length && found.every((one, i) => one === expected[i])) return;
  const at = expected.findIndex((one, i) => one !== found[i]);
  throw new Error(
    `${what}: ${found.length} found, ${expected.length} expected; the first other one is ${found[at]} for ${expected[at]}`,
  );
}
