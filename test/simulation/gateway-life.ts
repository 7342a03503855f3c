/**
 * The life of one gateway: its runs of the process, what it acknowledged, and whether log and centre hold that. What
 * happens to it is drawn in simulation.ts.
 */
import Database from 'better-sqlite3';
import type pg from 'pg';
import type { Clock } from '../../core/clock/clock.ts';
import { WatchedClock } from '../../core/clock/watched-clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { silentLogger } from '../../core/log.ts';
import { ClockKeeper } from '../../daemon/pipeline/clock-keeper.ts';
import { LogKind, type StoreStats } from '../../daemon/store/store.ts';
import { smallTopology } from '../../daemon/store/testing/fixtures.ts';
import type { RetainRequest } from '../../daemon/store/write/retention.ts';
import { AlertLife } from './alert-life.ts';
import type { AlertMistake } from './alert-mistakes.ts';
import { BoxClock } from './box-clock.ts';
import { checkCentre, type Naming, readCentre } from './centre.ts';
import { Draw } from './draw.ts';
import { Gateway } from './gateway.ts';
import { KnownDocuments } from './known-documents.ts';
import { LogModel, type NewRow, type Removal } from './log-model.ts';
import { json, numberOf, RowMaker } from './made-rows.ts';
import type { Receivers } from './receivers.ts';
import { SimClock } from './sim-clock.ts';
import type { VirtualDisk } from './virtual-disk.ts';
import type { WireFaults } from './wire-faults.ts';

const T0 = Date.UTC(2026, 0, 7);
/** Longer than any wait before the next try of the sync. */
export const RETRY_MS = 61_000;
const EXCHANGE_OVER_MS = 121_000;
/** Nothing of the simulation takes so long; real time. */
const STANDSTILL_MS = 30_000;
const STARTS = 6;

export interface World {
  readonly disk: VirtualDisk;
  readonly wire: WireFaults;
  readonly receivers: Receivers;
  /** Made on purpose, to be found. */
  readonly mistake?: AlertMistake | undefined;
  /** Through `wire`. */
  readonly database_url: string;
  /** Past `wire`: what is checked. */
  readonly centre: pg.Client;
  /** In a real folder, although the file lies on the virtual disk. */
  readonly file: string;
  readonly trace: (line: string) => void;
}

export class GatewayLife {
  protected readonly world: World;
  protected readonly seed: number;
  protected readonly draw: Draw;
  protected readonly gateway_id: string;
  protected readonly clock = new SimClock(T0);
  protected readonly box: BoxClock;
  /** As the process sees it. */
  protected watched = new WatchedClock(this.clock.aside);
  protected keeper: ClockKeeper | undefined;
  /** When readings really were, by their numbers. */
  protected readonly true_ms = new Map<number, number>();
  protected readonly rows: RowMaker;
  protected model = new LogModel();
  protected gateway!: Gateway;
  /** Not acknowledged yet, in order; of the first a commit may have been tried. */
  protected waiting: NewRow[][] = [];
  protected first_was_tried = false;
  /** A retention whose end is not known. */
  protected removal: Removal | undefined;
  protected topology;
  protected readonly alerts: AlertLife;
  readonly #documents = new KnownDocuments();
  #documents_made = 0;
  /** Found while nobody waited for it. */
  #fault: unknown;
  readonly #span_rows: number;
  readonly #batch_rows: number;

  constructor(world: World, seed: number) {
    this.world = world;
    this.seed = seed;
    const draw = new Draw(seed, 1);
    this.draw = draw;
    this.box = new BoxClock(this.clock, new Draw(seed, 2));
    this.box.boot();
    this.gateway_id = `seed_${seed}`;
    this.topology = smallTopology(draw.whole(1, 3), 3, this.gateway_id);
    this.#span_rows = draw.whole(4, 60);
    this.#batch_rows = draw.whole(2, 80);
    this.rows = new RowMaker(this.topology, draw, draw.chance(0.1) ? 60_000 : 30);
    this.alerts = this.#makeAlerts();
  }

  #makeAlerts(): AlertLife {
    const life = this;
    const { world } = this;
    const host = {
      receivers: world.receivers,
      get topology() {
        return life.topology;
      },
      get gateway() {
        return life.gateway;
      },
      get model() {
        return life.model;
      },
      clock: this.#watchedAside(),
      appendRecord: (row: NewRow) => this.#appendRecord(row),
      flush: () => this.#flush(),
      putDocument: (...document: [kind: string, id: string, body: string]) => this.#putDocument(...document),
      deleteDocument: (kind: string, id: string) =>
        this.#documents.delete(this.model, this.gateway.writer, kind, id),
      passTime: (by_ms: number) => this.clock.advanceAsync(by_ms),
      trace: (line: string) => this.trace(line),
      fail: (error: unknown) => {
        this.#fault ??= error;
      },
    };
    return new AlertLife(host, new Draw(this.seed, 3), world.mistake);
  }

  /** The clock of whatever process runs. */
  #watchedAside(): Clock {
    return {
      wallMs: () => this.watched.wallMs(),
      monoMs: () => this.watched.monoMs(),
      setTimer: (fn, delay_ms) => this.watched.setTimer(fn, delay_ms),
      clearTimer: handle => this.watched.clearTimer(handle),
    };
  }

  protected readonly naming: Naming = { packId: key => this.gateway.packId(key), numberOf };

  /** Nothing is on its way to the disk of which nobody knows whether it arrived. */
  protected get isClear(): boolean {
    return !this.first_was_tried && !this.removal && this.#documents.isClear;
  }

  protected append(): void {
    this.waiting.push(this.madeRows());
  }

  protected madeRows(): NewRow[] {
    const wall_ms = this.watched.wallMs();
    const rows = this.rows.batch(wall_ms);
    for (const row of rows)
      if (row.kind === LogKind.reading)
        this.true_ms.set(numberOf({ seq: 0, ...row }), this.box.true_ms + row.t_ms - wall_ms);
    return rows;
  }

  /** A record goes with what is not on its way yet. */
  #appendRecord(row: NewRow): void {
    const open = this.waiting.length > (this.first_was_tried ? 1 : 0) ? this.waiting.at(-1) : undefined;
    if (open) open.push(row);
    else this.waiting.push([row]);
  }

  protected async startClock(): Promise<void> {
    this.watched = new WatchedClock(this.clock.aside);
    this.keeper = new ClockKeeper({
      clock: this.watched,
      log: silentLogger,
      source: this.box,
      store: {
        appendRecord: (kind, t_ms, record) => this.#appendRecord(json(kind, t_ms, record)),
        flush: async () => this.#flush(),
        clockState: async boot_id => this.gateway.reader.clockState(boot_id),
        stats: () => ({ records_dropped: 0 }) as StoreStats,
        durableSeq: () => this.gateway.durableSeq(),
      },
    });
    await this.keeper.start();
  }

  #flush(): void {
    try {
      this.commitWaiting();
    } catch (error) {
      this.#fault ??= error;
    }
    if (this.waiting.length > 0) throw new Error('the disk fails');
  }

  protected commitWaiting(): void {
    while (this.waiting.length > 0) {
      const rows = this.waiting[0];
      this.first_was_tried = true;
      if (!this.mayFail(() => this.gateway.commit(rows))) return;
      this.first_was_tried = false;
      this.waiting.shift();
      this.model.acknowledge(rows);
    }
  }

  protected retain(request: RetainRequest, short_of_room: boolean): void {
    const { now_ms, before_ms, synced_seq } = request;
    const { model } = this;
    this.removal = { before_ms, synced_seq, short_of_room };
    const lost_before = model.gone_unsynced.size;
    this.mayFail(() => {
      const { lost, last_seq } = this.gateway.retain(request);
      const body = Buffer.from(JSON.stringify(lost)).toString('latin1');
      if (lost) model.acknowledge([{ kind: LogKind.gap, pack_key: 0, t_ms: now_ms, body }]);
      if (model.lastSeq !== last_seq) throw new Error(`after retention the log ends at ${last_seq}`);
      this.checkLog();
      const lost_rows = model.gone_unsynced.size - lost_before;
      if (lost_rows > (lost?.readings ?? 0))
        throw new Error(`${lost_rows} readings are lost, ${lost?.readings ?? 'no'} were reported`);
    });
    if (this.removal) this.mayFail(() => this.checkLog());
  }

  protected putDocument(): void {
    const [id, body] = [`d${this.draw.whole(1, 4)}`, `{"n":${++this.#documents_made}}`];
    this.mayFail(() => this.#putDocument('test', id, body));
  }

  /** Throws what the disk says. */
  #putDocument(kind: string, id: string, body: string): void {
    try {
      this.#documents.put(this.model, this.gateway.writer, kind, id, body);
    } catch (error) {
      if (!(error instanceof Database.SqliteError) || isFatal(error)) this.#fault ??= error;
      throw error;
    }
  }

  protected async restart(how: 'restart' | 'kill' | 'power_cut'): Promise<void> {
    const { disk, wire } = this.world;
    if (how === 'restart' && !disk.status().is_dead) {
      await this.alerts.stop();
      await this.gateway.upstream.stop();
      await this.keeper?.stop();
      this.commitWaiting();
      this.gateway.release();
    }
    this.alerts.kill();
    wire.cutAll();
    await this.gateway.upstream.stop();
    await this.keeper?.stop();
    if (how === 'power_cut') this.box.boot();
    if (how !== 'restart') this.trace(`(${how})`);
    this.#lose(how);
    this.gateway.release();
    if (this.draw.chance(0.2)) {
      const name = `Site ${this.draw.whole(1, 1000)}`;
      this.topology = { ...this.topology, site: { id: 'site', name } };
    }
    await this.start();
  }

  #lose(how: 'restart' | 'kill' | 'power_cut'): void {
    const { disk } = this.world;
    if (how === 'power_cut') disk.powerCut(this.draw.pick(['nothing', 'all', 'any_part', 'any_part']));
    else disk.kill();
  }

  protected async start(): Promise<void> {
    this.open();
    await this.checkCentre();
    await this.startClock();
    await this.alerts.start();
    this.gateway.upstream.start();
    await this.settle();
  }

  protected makeGateway(file = this.world.file): Gateway {
    const { database_url } = this.world;
    const { gateway_id, clock, topology } = this;
    const sizes = { span_rows: this.#span_rows, batch_rows: this.#batch_rows };
    return new Gateway({ file, database_url, gateway_id, clock, topology, ...sizes });
  }

  /** The process starts, again and again when the disk fails it; then the log is held against the model. */
  protected open(): void {
    const { disk } = this.world;
    for (let starts = 1; ; starts++) {
      if (starts > STARTS / 2) disk.clearFaults();
      try {
        this.gateway = this.makeGateway();
        break;
      } catch (error) {
        if (starts === STARTS || (error instanceof GatewayError && error.code === 'STORE_CORRUPT'))
          throw error;
        this.trace(`(did not start: ${describeError(error)})`);
        this.#lose(this.draw.pick(['kill', 'kill', 'power_cut']));
      }
    }
    disk.clearFaults();
    const found = this.gateway.readAll();
    const tried = this.first_was_tried ? this.waiting[0] : [];
    this.model.adopt(found, tried, this.removal !== undefined, JSON.stringify(this.topology));
    this.model.check(found, this.removal);
    if (this.gateway.opened.last_seq !== this.model.lastSeq)
      throw new Error(`the log ends at ${this.model.lastSeq}, but says ${this.gateway.opened.last_seq}`);
    this.#documents.check(this.model, this.gateway.reader);
    this.waiting = [];
    this.first_was_tried = false;
    this.removal = undefined;
  }

  protected checkLog(): void {
    this.model.check(this.gateway.readAll(), this.removal);
    this.removal = undefined;
  }

  protected async checkCentre(): Promise<void> {
    const centre = await readCentre(this.world.centre, this.gateway_id);
    checkCentre(centre, this.model, this.naming);
    if (this.gateway.synced_seq > centre.last_seq)
      throw new Error(`said to be at the centre: ${this.gateway.synced_seq}; there: ${centre.last_seq}`);
  }

  protected async catchUp(): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      await this.settle();
      const { state, counters } = this.gateway.upstream.status();
      if (state === 'ok' && counters.last_seq === this.model.lastSeq) return;
      await this.clock.advanceAsync(RETRY_MS);
    }
    const { state, reason, counters } = this.gateway.upstream.status();
    throw new Error(
      `the sync does not end: ${state}, ${reason}, at ${counters.last_seq} of ${this.model.lastSeq}`,
    );
  }

  /** Until the sync waits for time to pass, or is held at the wire. */
  protected async settle(): Promise<void> {
    const { wire } = this.world;
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      if (this.#fault) throw this.#fault;
      if (this.alerts.isSending) {
        await this.alerts.settled();
        continue;
      }
      if (!this.clock.isExchanging || wire.isHeld) return;
      if (wire.isFrozen) {
        await this.clock.advanceAsync(EXCHANGE_OVER_MS);
        continue;
      }
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the sync stands still')), STANDSTILL_MS);
        const go = () => {
          clearTimeout(timer);
          resolve();
        };
        this.clock.onExchangeOver = go;
        wire.onStandstill = go;
      });
    }
  }

  /** False when the disk failed it. */
  protected mayFail(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.diskFailure(error);
      return false;
    }
  }

  protected readonly diskFailure = (error: unknown): void => {
    if (!(error instanceof Database.SqliteError)) throw error;
    this.trace(`(${error.code})`);
    if (isFatal(error)) throw error;
  };

  protected trace(line: string): void {
    this.world.trace(`seed ${this.seed}: ${line}`);
  }
}

const isFatal = ({ code }: InstanceType<typeof Database.SqliteError>) =>
  /CORRUPT|NOTADB|CONSTRAINT|SQLITE_ERROR/.test(code);
