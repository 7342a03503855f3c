/**
 * The pipeline on one core: values in PackStates -> snapshot -> plausibility -> alerts -> durable in SQLite,
 * against the rate at which bare better-sqlite3 inserts rows of the same size in the same run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { AlertEngine } from '../core/alerts/engine.ts';
import { systemClock } from '../core/clock/system-clock.ts';
import { silentLogger } from '../core/log.ts';
import { CellMetric, PackMetric } from '../core/metrics.ts';
import { encodeInto, maxEncodedBytes } from '../core/reading/codec.ts';
import { PackReading } from '../core/reading/pack-reading.ts';
import { PackState } from '../core/reading/pack-state.ts';
import { plausibleLimits } from '../core/reading/plausibility.ts';
import { PackJudge } from '../core/siblings/pack-judge.ts';
import { readEnvironment } from '../daemon/config/environment.ts';
import { loadConfig } from '../daemon/config/load.ts';
import { createSqliteStore } from '../daemon/store/sqlite-store.ts';
import { loadProfiles } from '../drivers/profiles/load.ts';
import { bestRate, perSecond, ratio } from './rate.ts';

const MOMENTS = 500;
/** Readings handed over between two waits for the disk, as one group commit would. */
const MOMENTS_PER_FLUSH = 100;

export async function benchPipeline(): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bms-bench-'));
  try {
    return await measure(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string): Promise<string[]> {
  const { topology, config } = loadConfig('daemon/config/demo.yaml', readEnvironment({}), loadProfiles());
  const engine = new AlertEngine(topology, config.alerts.rules, {
    silent_after_ms: 15_000,
    deviceAlarmLabel: (_pack, code) => code,
  });
  const states = topology.packs.map(({ pack, shape }) => new PackState(pack, shape, 6000));
  const judges = states.map(state => new PackJudge(state, plausibleLimits()));
  const readings = states.map(({ pack, shape }) => new PackReading(pack, shape));
  const cells = topology.packs.reduce((sum, { shape }) => sum + shape.cell_count, 0);
  for (const state of states) fill(state);
  const store = createSqliteStore({
    directory,
    commit_interval_ms: 1000,
    retention_days: 30,
    queue_bytes: 64 * 1024 * 1024,
    clock: systemClock,
    log: silentLogger,
  });
  await store.open(topology);
  let t_ms = 1_700_000_000_000;
  const run = async (keep: boolean) => {
    for (let moment = 1; moment <= MOMENTS; moment++) {
      t_ms += 2000;
      for (let i = 0; i < states.length; i++) {
        states[i].snapshotInto(readings[i], t_ms, 0);
        judges[i].judge(readings[i]);
        engine.evaluate(i, { reading: readings[i] }, readings[i].t_ms, readings[i].mono_ms, () => undefined);
        if (keep) store.append(readings[i]);
      }
      if (keep && moment % MOMENTS_PER_FLUSH === 0) await store.flush();
    }
  };
  const rows = MOMENTS * states.length;
  const judged = await bestRate(3, rows, () => run(false));
  const durable = await bestRate(3, rows, () => run(true));
  const { readings_dropped } = store.stats();
  await store.close();
  const bytes = new Uint8Array(maxEncodedBytes(readings[0].shape));
  const length = encodeInto(readings[0], new DataView(bytes.buffer), 0);
  const raw = await rawInserts(directory, bytes.subarray(0, length));
  return [
    `judged   ${perSecond(judged * (cells / states.length), 'cell readings')} (snapshot, judgement, alerts)`,
    `durable  ${perSecond(durable * (cells / states.length), 'cell readings')} in SQLite (goal 1,000,000), ${readings_dropped} dropped`,
    `durable  ${perSecond(durable, 'rows')} of ${length} bytes`,
    `raw      ${perSecond(raw, 'rows')} by better-sqlite3 alone; ${ratio(durable, raw, 0.2)}`,
  ];
}

function fill(state: PackState): void {
  state.setValue(PackMetric.voltage_v, 33.12, 0);
  state.setValue(PackMetric.current_a, -12.5, 0);
  state.setValue(PackMetric.soc_pct, 62.3, 0);
  state.setValue(PackMetric.soh_pct, 98.5, 0);
  for (let cell = 0; cell < state.shape.cell_count; cell++) {
    state.setCell(CellMetric.voltage_v, cell, 3.3 + cell * 0.001, 0);
    state.setCell(CellMetric.temperature_c, cell, 21 + cell * 0.1, 0);
  }
}

/** What the disk and SQLite give at best: one prepared insert, one transaction per commit, same durability. */
async function rawInserts(directory: string, body: Uint8Array): Promise<number> {
  const db = new Database(join(directory, 'raw.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(
    'create table log (seq integer primary key, kind integer, pack_key integer, t_ms integer, body blob)',
  );
  const insert = db.prepare('insert into log (kind, pack_key, t_ms, body) values (1, ?, ?, ?)');
  const commit = db.transaction((from: number) => {
    for (let i = 0; i < 10_000; i++) insert.run(i % 100, from + i, body);
  });
  const rate = await bestRate(3, 50_000, () => {
    for (let batch = 0; batch < 5; batch++) commit(batch * 10_000);
  });
  db.close();
  return rate;
}
