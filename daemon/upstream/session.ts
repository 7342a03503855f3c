/**
 * One connection to the centre, from connecting to its first failure. After any failure it is thrown away with
 * all it believed, and the next one asks the centre again how far the log has arrived: that is what makes each
 * row arrive exactly once, also when the reply to a COMMIT is lost.
 */
import { Socket } from 'node:net';
import type pg from 'pg';
import { type Alert, storedAlert } from '../../core/alerts/alert.ts';
import type { Clock } from '../../core/clock/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { type LogBatch, LogKind, type LogSource } from '../store/store.ts';
import { BatchRecords } from './batch-records.ts';
import { type PulledUsers, readCentralUsers } from './central-users.ts';
import { EXCHANGE_TIMEOUT_MS, makeClient } from './client.ts';
import { timesAfter } from './clock.ts';
import { ReadingCopy } from './copy-readings.ts';
import { type Centre, describeCentre, upstreamFailure } from './failure.ts';
import { storeAlerts, storeTopology } from './hierarchy.ts';
import { type GatewayRow, SILENCE_MIN, settleContinuity } from './log-continuity.ts';
import { readLogin } from './login.ts';
import { migrateCentre } from './migrate.ts';
import { Partitions } from './partitions.ts';
import { RECORD_SINKS } from './records.ts';
import { Rollups } from './rollups.ts';
import { rowDigest } from './row-digest.ts';
import { BEGIN, inTransaction } from './transaction.ts';

const KNOWN_KINDS: ReadonlySet<number> = new Set([
  LogKind.topology,
  LogKind.reading,
  LogKind.alert,
  ...RECORD_SINKS.keys(),
]);

export interface SessionOptions {
  readonly database_url: string;
  readonly gateway_id: string;
  readonly source: LogSource;
  readonly clock: Clock;
  readonly migrations: string;
}

export interface SentBatch {
  readonly readings: number;
  readonly alerts: number;
  /** Rows that could not be understood; they are in `undecodable_rows`. */
  readonly undecodable: number;
}

/** What the centre has now, and the 15-minute buckets that got readings (see rollups.ts). */
const MOVE_ON = `
  WITH marked AS (
    INSERT INTO rollup_marks (gateway_id, bucket)
    SELECT $1, to_timestamp(ms / 1000) FROM unnest($4::float8[]) AS ms ON CONFLICT DO NOTHING)
  UPDATE gateways SET last_seq = $2, last_row_digest = $3, last_sync_at = now() WHERE gateway_id = $1`;

export class Session {
  readonly #options: SessionOptions;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #centre: Centre;
  readonly #copy: ReadingCopy;
  readonly #rollups: Rollups;
  readonly #partitions: Partitions;
  /** Rejects when the connection breaks; every wait is raced with it. */
  readonly #broken: Promise<never>;
  #breakOff: (error: unknown) => void = () => {};
  /** What the centre has. */
  last_seq = 0;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = new Socket();
    this.#broken = new Promise((_, reject) => {
      this.#breakOff = reject;
    });
    this.#broken.catch(() => {});
    this.#client = makeClient(options.database_url, `bms-gateway ${options.gateway_id}`, this.#socket);
    const { host, port, database, user } = this.#client;
    this.#centre = { host, port, database: database ?? '', user: user ?? '' };
    this.#partitions = new Partitions(this.#client, options.clock);
    this.#rollups = new Rollups(this.#client, options.gateway_id, options.clock);
    this.#copy = new ReadingCopy(this.#client, options.gateway_id, options.source, this.#broken, this.place);
    this.#client.on('error', error => this.#breakOff(error));
    this.#client.on('end', () => this.#breakOff(new Error('the connection has ended')));
  }

  /**
   * Connects, brings the schema up to date and learns how far this log has arrived. GatewayErrors:
   * UPSTREAM_UNREACHABLE, UPSTREAM_REFUSED, UPSTREAM_IDENTITY_CONFLICT, SCHEMA_TOO_NEW, MIGRATION_CHANGED.
   */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const session = new Session(options);
    const abort = () => session.#breakOff(new GatewayError('STOPPED', 'the sync is stopped'));
    signal.addEventListener('abort', abort);
    try {
      if (signal.aborted) abort();
      await session.#exchange(async () => {
        await session.#client.connect();
        await migrateCentre(session.#client, options.migrations, describeCentre(session.#centre));
        session.#copy.login = await readLogin(session.#client, options.gateway_id, session.place);
        await session.#partitions.prepare();
        await session.#resume();
      });
      return session;
    } catch (error) {
      session.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get place(): string {
    return describeCentre(this.#centre);
  }

  /** Stores one batch and moves `last_seq`, in one transaction. After a throw the session is of no more use. */
  async send(batch: LogBatch): Promise<SentBatch> {
    return this.#exchange(() => this.#store(batch));
  }

  /** The centre's users for this gateway. `failed` is one line when it refuses. */
  async users(): Promise<{ pulled: PulledUsers } | { failed: string }> {
    const found = await this.#exchange(() =>
      readCentralUsers(this.#client, this.#options.gateway_id, this.#copy.login),
    );
    return 'pulled' in found ? found : { failed: upstreamFailure(this.#centre, found.error).message };
  }

  /** Sums up one 15-minute bucket of readings at the centre, if one is due. `failed` is one line when it refuses. */
  async rollUp(): Promise<{ done: number; failed: string | undefined }> {
    const { done, error } = await this.#exchange(() => this.#rollups.next());
    return { done, failed: error ? upstreamFailure(this.#centre, error).message : undefined };
  }

  /** Asks whether the connection still lives. */
  async probe(): Promise<void> {
    await this.#exchange(() => this.#client.query('SELECT 1'));
  }

  close(): void {
    this.#breakOff(new GatewayError('STOPPED', 'the connection was closed'));
    this.#client.end().catch(() => {});
    this.#socket.destroy();
  }

  /** `work`, or the failure of the connection, or the time-out: whatever comes first. */
  async #exchange<T>(work: () => Promise<T>): Promise<T> {
    const timer = this.#options.clock.setTimer(() => {
      this.#breakOff(new Error(`no answer within ${EXCHANGE_TIMEOUT_MS / 1000} s`));
      this.#socket.destroy();
    }, EXCHANGE_TIMEOUT_MS);
    try {
      return await Promise.race([work(), this.#broken]);
    } catch (error) {
      throw upstreamFailure(this.#centre, error);
    } finally {
      this.#options.clock.clearTimer(timer);
    }
  }

  async #resume(): Promise<void> {
    const { gateway_id, source } = this.#options;
    const known = await inTransaction(this.#client, async () => {
      await this.#client.query(
        'INSERT INTO gateways (gateway_id, incarnation) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [gateway_id, source.incarnation],
      );
      return this.#lockGateway();
    });
    const what = await settleContinuity(this.#client, gateway_id, source, known);
    if (what !== undefined) throw this.#conflict(known, what);
    this.last_seq = Number(known.last_seq);
  }

  /** The gateway's row, locked for a moment: a COMMIT whose reply we lost has then ended, one way or the other. */
  async #lockGateway(): Promise<GatewayRow> {
    const found = await this.#client.query<GatewayRow>(
      `SELECT incarnation, last_seq, last_row_digest, last_sync_at,
              coalesce(last_sync_at < now() - interval '${SILENCE_MIN} minutes', true) AS is_silent
       FROM gateways WHERE gateway_id = $1 FOR UPDATE`,
      [this.#options.gateway_id],
    );
    if (found.rows.length === 0)
      throw new GatewayError(
        'UPSTREAM_REFUSED',
        `${this.place}: the row of this gateway in table gateways is gone`,
      );
    return found.rows[0];
  }

  async #store(batch: LogBatch): Promise<SentBatch> {
    const { gateway_id, source } = this.#options;
    await this.#partitions.makeFor(timesAfter(batch));
    await this.#client.query(BEGIN);
    const known = await this.#lockGateway();
    if (known.incarnation !== source.incarnation || Number(known.last_seq) !== this.last_seq)
      throw new GatewayError(
        'UPSTREAM_REFUSED',
        `${this.place}: somebody else moved gateway "${gateway_id}" from row ${this.last_seq} to ${known.last_seq}`,
      );
    const records = new BatchRecords(batch);
    for (const topology of records.of<Topology>(LogKind.topology).records)
      await storeTopology(this.#client, gateway_id, topology);
    const readings = await this.#copy.store(batch, records);
    const alerts = records.of<Alert>(LogKind.alert);
    if (alerts.records.length > 0)
      await storeAlerts(this.#client, gateway_id, alerts.records.map(storedAlert), alerts.seqs);
    for (const [kind, store] of RECORD_SINKS) {
      const found = records.of<object>(kind);
      if (found.records.length > 0) await store(this.#client, gateway_id, found.records, found.seqs);
    }
    records.keepUnknown(KNOWN_KINDS);
    await records.storeUndecodable(this.#client, gateway_id, source);
    const last = batch.count - 1;
    await this.#client.query(MOVE_ON, [
      gateway_id,
      batch.seq[last],
      rowDigest(batch, last),
      this.#rollups.bucketsOf(batch),
    ]);
    await this.#client.query('COMMIT');
    this.last_seq = batch.seq[last];
    return { readings, undecodable: records.undecodable, alerts: alerts.records.length };
  }

  #conflict(known: GatewayRow, what: string): GatewayError {
    const { gateway_id, source } = this.#options;
    const seen = known.last_sync_at ? `, last synced ${known.last_sync_at.toISOString()}` : '';
    return new GatewayError(
      'UPSTREAM_IDENTITY_CONFLICT',
      `${this.place}: gateway "${gateway_id}" there (log ${known.incarnation}${seen}) is not this one ` +
        `(log ${source.incarnation}): ${what}. Nothing is sent. See docs/central-database.md, "Identity"`,
    );
  }
}
