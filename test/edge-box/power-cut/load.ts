/**
 * Runs inside the box: the real store and the real sync under load. Reports to the outside, over a serial line, what it
 * finds after the boot and, right after each commit was acknowledged, what may never be lost from then on.
 * It judges nothing.
 */
import { openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Alert } from '../../../core/alerts/alert.ts';
import { type Clock, sleep } from '../../../core/clock/clock.ts';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { describeError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import { createSqliteStore, STORE_FILE } from '../../../daemon/store/sqlite-store.ts';
import { LogKind, type LogSource, type Store } from '../../../daemon/store/store.ts';
import { storeOptions, temporaryDirectory } from '../../../daemon/store/testing/fixtures.ts';
import { createUpstream, type Upstream } from '../../../daemon/upstream/upstream.ts';
import {
  alertOf,
  auditOf,
  CYCLE_WALL_MS,
  completenessOf,
  DOCUMENT_IDS,
  DOCUMENT_KIND,
  encodeReading,
  fillContent,
  GATEWAY_ID,
  HOUR_MS,
  jsonDigest,
  type LoadSettings,
  loadSettings,
  NUMBERS_PER_CYCLE,
  REMOVE_EVERY,
  RETENTION_CYCLES,
  rowDigest,
  topologyOf,
  WALL_START_MS,
} from './content.ts';
import { listenInBox } from './relay.ts';

export interface LoadTask {
  readonly seed: number;
  readonly cycle: number;
  /** Of the database as the box sees it. */
  readonly database_url: string;
  /** The last boot: a short load, then everything goes to the centre and the box is switched off in order. */
  readonly last: boolean;
}

/** What the box says of itself after a boot. */
export interface Checked {
  readonly integrity: readonly string[];
  /** Number of the last change that a document shows; undefined: there is no such document. */
  readonly documents: Readonly<Record<string, number>>;
  /** Alerts whose state by the newest row in the log is not that in the table of alerts. */
  readonly alerts: Readonly<Record<string, readonly [log: string, table: string | undefined]>>;
  /** Newest audit entry in the log and in the audit table. */
  readonly audit: readonly [log: string | undefined, table: string | undefined];
  readonly took_ms: number;
}

const PORT = 5432;
const TICK_MS = 10;
const LAST_LOAD_MS = 1000;
const SYNC_TIMEOUT_MS = 60_000;
const CHECK_ROWS = 2000;
/** No boot lasts longer. */
const MAX_MS = 300_000;

let report_line = -1;

function report(word: string, ...rest: readonly string[]): void {
  const bytes = Buffer.from(`${[word, ...rest].join(' ')}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(report_line, bytes, at);
}

const log: Logger = {
  debug() {},
  info() {},
  warn: (_, message) => report('log', message),
  error: (_, message) => report('log', message),
};

/** As the system's, but its wall time runs through one hour per cycle. */
function fastClock(cycle: number): Clock {
  const start_ms = WALL_START_MS + cycle * CYCLE_WALL_MS;
  const begun_ms = systemClock.monoMs();
  return {
    wallMs: () => Math.round(start_ms + Math.min(600 * (systemClock.monoMs() - begun_ms), CYCLE_WALL_MS - 1)),
    monoMs: () => systemClock.monoMs(),
    setTimer: (fn, delay_ms) => systemClock.setTimer(fn, delay_ms),
    clearTimer: handle => systemClock.clearTimer(handle),
  };
}

type OpenStore = Store & LogSource;

/** Reports every row of the log, in runs without a gap; returns the newest state of alerts and audit found there. */
async function reportRows(
  store: OpenStore,
): Promise<{ alerts: Map<string, { alert: Alert; seq: number }>; audit?: string }> {
  const alerts = new Map<string, { alert: Alert; seq: number }>();
  let audit: string | undefined;
  for (let after_seq = 0; ; ) {
    const batch = await store.readBatch(after_seq, CHECK_ROWS, 1 << 20);
    if (batch.count === 0) return { alerts, ...(audit === undefined ? {} : { audit }) };
    let digests: Buffer[] = [];
    let first_seq = batch.seq[0];
    for (let i = 0; i < batch.count; i++) {
      const body = batch.bytes.subarray(i === 0 ? 0 : batch.end[i - 1], batch.end[i]);
      const kind = batch.kind[i];
      if (batch.seq[i] !== first_seq + digests.length) {
        report('rows', String(first_seq), Buffer.concat(digests).toString('base64'));
        digests = [];
        first_seq = batch.seq[i];
      }
      digests.push(rowDigest(kind, store.packId(batch.pack_key[i]) ?? '', batch.t_ms[i], body));
      if (kind !== LogKind.alert && kind !== LogKind.audit) continue;
      const record = JSON.parse(Buffer.from(body).toString()) as Alert;
      if (kind === LogKind.audit) audit = record.id;
      else alerts.set(record.id, { alert: record, seq: batch.seq[i] });
    }
    report('rows', String(first_seq), Buffer.concat(digests).toString('base64'));
    after_seq = batch.seq[batch.count - 1];
  }
}

async function check(store: OpenStore, file: string, retainedMs: () => number): Promise<Checked> {
  const begun_ms = systemClock.monoMs();
  const in_log = await reportRows(store);
  const database = new Database(file, { readonly: true });
  const integrity = database.pragma('integrity_check') as { integrity_check: string }[];
  const documents = await store.documents.list(DOCUMENT_KIND);
  const table = new Map<string, string>();
  for (const { id, state } of await store.alerts({ state: 'all', limit: 1_000_000 })) table.set(id, state);
  const retained_ms = retainedMs();
  // Retention goes on meanwhile, oldest rows first: of an alert whose row is gone by now a later one may have gone unread.
  const first_seq = database.prepare<[], number>('SELECT min(first_seq) FROM spans').pluck().get() ?? 0;
  database.close();
  // Cleared alerts that are old enough may go from the table before their rows go from the log.
  const differ = [...in_log.alerts.values()]
    .filter(({ seq }) => seq >= first_seq)
    .map(({ alert }) => alert)
    .filter(
      ({ id, state, cleared_ms }) => (cleared_ms ?? Infinity) >= retained_ms && table.get(id) !== state,
    );
  const { entries } = await store.audit({ limit: 1 });
  return {
    integrity: integrity.map(row => row.integrity_check),
    documents: Object.fromEntries(documents.map(({ id, body }) => [id, (body as { change: number }).change])),
    alerts: Object.fromEntries(differ.map(({ id, state }) => [id, [state, table.get(id)] as const])),
    audit: [in_log.audit, entries[0]?.id],
    took_ms: Math.round(systemClock.monoMs() - begun_ms),
  };
}

/** Appends what the settings ask for and reports the digests of rows once they are durable. */
class Load {
  readonly #store: OpenStore;
  readonly #clock: Clock;
  readonly #settings: LoadSettings;
  readonly #readings: readonly PackReading[];
  readonly #pack_ids: readonly string[];
  readonly #begun_ms: number;
  readonly #active: { n: number; raised_ms: number }[] = [];
  /** Of rows that are on their way; the first one will have the number `#reported_seq + 1`. */
  #pending: Buffer[] = [];
  #reported_seq: number;
  #next: number;
  readonly #last: number;
  readonly #appended = { readings: 0, alerts: 0, records: 0 };
  #stopped = false;

  constructor(store: OpenStore, clock: Clock, settings: LoadSettings, cycle: number) {
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
    const { packs } = topologyOf(settings);
    this.#readings = packs.map(({ pack, shape }) => new PackReading(pack, shape));
    this.#pack_ids = packs.map(({ id }) => id);
    this.#begun_ms = clock.monoMs();
    this.#reported_seq = store.durableSeq();
    this.#next = cycle * NUMBERS_PER_CYCLE + 1;
    this.#last = (cycle + 1) * NUMBERS_PER_CYCLE - 1;
    store.onDurable(() => this.#reportDurable());
  }

  run(known_changes: Readonly<Record<string, number>>): void {
    for (const id of DOCUMENT_IDS) void this.#changeDocument(id, known_changes[id] ?? 0);
    void this.#readHistory();
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
  }

  #tick(): void {
    if (this.#stopped) return;
    const { readings_per_s, alerts_per_s, records_per_s } = this.#settings;
    const due = (per_s: number) => ((this.#clock.monoMs() - this.#begun_ms) * per_s) / 1000;
    const appended = this.#appended;
    // What a slow box could not do in time is not made up for: bursts would fill the queue.
    for (let burst = 0; appended.readings < due(readings_per_s) && burst < 100; burst++)
      this.#appendReading();
    if (appended.alerts < due(alerts_per_s)) this.#appendAlert();
    if (appended.records < due(records_per_s)) this.#appendRecord();
    this.#failWhenDropped();
    this.#clock.setTimer(() => this.#tick(), TICK_MS);
  }

  #number(): number {
    if (this.#next >= this.#last) this.#stopped = true;
    return this.#next++;
  }

  #appendReading(): void {
    this.#appended.readings++;
    const n = this.#number();
    const pack = n % this.#readings.length;
    const reading = this.#readings[pack];
    fillContent(reading, n, this.#clock.wallMs());
    this.#store.append(reading);
    this.#pending.push(
      rowDigest(LogKind.reading, this.#pack_ids[pack], reading.t_ms, encodeReading(reading)),
    );
  }

  /** In turn raises one and clears an older one. */
  #appendAlert(): void {
    const t_ms = this.#clock.wallMs();
    const cleared = this.#appended.alerts++ % 2 === 1 ? this.#active.shift() : undefined;
    const { n, raised_ms } = cleared ?? { n: this.#number(), raised_ms: t_ms };
    if (!cleared) this.#active.push({ n, raised_ms });
    const alert = alertOf(n, raised_ms, cleared ? t_ms : null);
    this.#store.appendAlert(alert);
    this.#pending.push(jsonDigest(LogKind.alert, t_ms, alert));
  }

  #appendRecord(): void {
    const n = this.#number();
    const kind = this.#appended.records++ % 2 === 0 ? LogKind.audit : LogKind.completeness;
    const completeness = completenessOf(n);
    const audit_ms = this.#clock.wallMs();
    const [t_ms, record] =
      kind === LogKind.audit
        ? [audit_ms, auditOf(n, audit_ms)]
        : [completeness.hour_ms + HOUR_MS, completeness];
    this.#store.appendRecord(kind, t_ms, record);
    this.#pending.push(jsonDigest(kind, t_ms, record));
  }

  /** The store would record it in a row of its own, so rows could no longer be numbered here. */
  #failWhenDropped(): void {
    const { readings_dropped, alerts_dropped, records_dropped } = this.#store.stats();
    if (readings_dropped + alerts_dropped + records_dropped === 0) return;
    this.#stopped = true;
    report('failed', 'the queue to the disk was full');
  }

  #reportDurable(): void {
    const count = this.#store.durableSeq() - this.#reported_seq;
    const digests = this.#pending.splice(0, count);
    report('durable', String(this.#reported_seq + 1), Buffer.concat(digests).toString('base64'));
    this.#reported_seq += count;
  }

  /** One change after the other; each is reported when it was acknowledged. */
  async #changeDocument(id: string, last_change: number): Promise<void> {
    for (let change = last_change + 1; !this.#stopped; change++) {
      try {
        if (change % REMOVE_EVERY === 0) await this.#store.documents.delete(DOCUMENT_KIND, id);
        else await this.#store.documents.put(DOCUMENT_KIND, id, { change });
      } catch (error) {
        if (!this.#stopped) report('failed', `document: ${describeError(error)}`);
        return;
      }
      report('document', id, String(change));
      await sleep(this.#clock, 15);
    }
  }

  /** A reader in the way of checkpoints, as dashboards are. */
  async #readHistory(): Promise<void> {
    while (!this.#stopped) {
      const to_ms = this.#clock.wallMs();
      await this.#store
        .history({ pack_id: 'p01', from_ms: to_ms - CYCLE_WALL_MS, to_ms, max_points: 100 }, 'json')
        .catch(error => this.#stopped || report('failed', `history: ${describeError(error)}`));
      await sleep(this.#clock, 200);
    }
  }
}

function reportStatus(store: OpenStore, upstream: Upstream): void {
  report('status', JSON.stringify({ store: store.stats(), upstream: upstream.status() }));
}

async function reportSyncing(upstream: Upstream, clock: Clock): Promise<void> {
  while (upstream.status().counters.batches === 0) await sleep(clock, 20);
  report('syncing');
}

async function run({ seed, cycle, database_url, last }: LoadTask, directory: string): Promise<void> {
  const settings = loadSettings(seed, cycle);
  const clock = fastClock(cycle);
  const retention_ms = RETENTION_CYCLES * CYCLE_WALL_MS;
  const store = createSqliteStore({
    directory,
    clock,
    log,
    keep_unsynced: true,
    retention_days: retention_ms / 86_400_000,
    commit_interval_ms: settings.commit_interval_ms,
    retain_every_ms: settings.retain_every_ms,
    // The wall clock of this box runs far ahead of its monotonic one.
    max_retention_pace: 1e9,
    span_rows: settings.span_rows,
  });
  report('opening');
  await store.open(topologyOf(settings));
  const { durable_seq, first_seq } = store.stats();
  report('opened', JSON.stringify({ durable_seq, first_seq, incarnation: store.incarnation }));
  await listenInBox(PORT, '/dev/ttyS1');
  const { batch_rows } = settings;
  const upstream = createUpstream({
    database_url,
    gateway_id: GATEWAY_ID,
    source: store,
    clock,
    log,
    batch_rows,
  });
  upstream.start();
  const checked = await check(store, join(directory, STORE_FILE), () => clock.wallMs() - retention_ms);
  report('checked', JSON.stringify(checked));
  const load = new Load(store, clock, settings, cycle);
  load.run(checked.documents);
  report('running');
  void reportSyncing(upstream, clock);
  const status_timer = setInterval(() => reportStatus(store, upstream), 500);
  if (!last) return;

  await sleep(clock, LAST_LOAD_MS);
  load.stop();
  await store.flush();
  const give_up_ms = clock.monoMs() + SYNC_TIMEOUT_MS;
  while (upstream.status().state !== 'ok' || upstream.status().counters.last_seq !== store.durableSeq()) {
    if (clock.monoMs() > give_up_ms) throw new Error(`the sync does not come to an end`);
    await sleep(clock, 50);
  }
  clearInterval(status_timer);
  reportStatus(store, upstream);
  await upstream.stop();
  await store.close();
  report('done');
  process.exit();
}

if (import.meta.main) {
  const [task_file, directory] = process.argv.slice(2);
  if (task_file) {
    report_line = openSync('/dev/ttyS0', 'w');
    // Whoever was to cut the power may be gone himself.
    setTimeout(() => process.exit(2), MAX_MS).unref();
    const task = JSON.parse(readFileSync(task_file, 'utf8')) as LoadTask;
    run(task, directory).catch(error => {
      report('failed', describeError(error));
      process.exit(1);
    });
  } else {
    // Started outside, to fill the cache of compiled code, its threads' too: the box starts in half the time with it.
    const { path, remove } = temporaryDirectory();
    const store = createSqliteStore(storeOptions(path));
    await store.open(topologyOf(loadSettings(0, 0)));
    await store.close();
    remove();
  }
}
