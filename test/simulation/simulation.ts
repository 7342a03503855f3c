/**
 * One seed: a gateway's life of some dozens of steps, all drawn from the seed. The disk, the wire and the clock fail
 * where it says; after each restart and at the end log and centre are held against what was acknowledged.
 */
import Database from 'better-sqlite3';
import type pg from 'pg';
import { describeError } from '../../core/errors.ts';
import type { Topology } from '../../core/topology/topology.ts';
import { smallTopology } from '../../daemon/store/testing.ts';
import { checkCentre, readCentre } from './centre.ts';
import { Draw } from './draw.ts';
import { Gateway } from './gateway.ts';
import { LogModel, type NewRow, type Removal } from './log-model.ts';
import { numberOf, RowMaker } from './made-rows.ts';
import { checkReads } from './reads.ts';
import { SimClock } from './sim-clock.ts';
import type { VirtualDisk } from './virtual-disk.ts';
import { WIRE_FAULTS, type WireFaults } from './wire-faults.ts';

const T0 = Date.UTC(2026, 0, 7);
const HOUR_MS = 3_600_000;
/** Longer than any wait before the next try of the sync. */
const RETRY_MS = 61_000;
const EXCHANGE_OVER_MS = 121_000;
/** Nothing of the simulation takes so long; real time. */
const STANDSTILL_MS = 30_000;
const MOST_WAITING_BATCHES = 3;
const STARTS = 6;
/** Of the seeds: the card is copied on the way, and in the end that copy is put in. */
const COPIES = 0.12;

export interface World {
  readonly disk: VirtualDisk;
  readonly wire: WireFaults;
  /** Through `wire`. */
  readonly database_url: string;
  /** Past `wire`: what is looked at. */
  readonly centre: pg.Client;
  /** In a real folder, although the file lies on the virtual disk. */
  readonly file: string;
  readonly trace: (line: string) => void;
}

const STEPS = {
  append: 30,
  archive: 14,
  archive_all: 3,
  read: 8,
  retain: 5,
  disk_fault: 7,
  die_soon: 5,
  disk_repaired: 4,
  wire_fault: 12,
  release: 5,
  centre_down: 2,
  centre_up: 4,
  wait: 12,
  clock_step: 3,
  checkpoint: 4,
  put: 3,
  look_at_centre: 4,
  restart: 3,
  kill: 3,
  power_cut: 4,
};
type Step = keyof typeof STEPS;

export class Simulation {
  readonly #world: World;
  readonly #seed: number;
  readonly #draw: Draw;
  readonly #gateway_id: string;
  readonly #clock = new SimClock(T0);
  readonly #span_rows: number;
  readonly #batch_rows: number;
  readonly #rows: RowMaker;
  #model = new LogModel();
  #topology: Topology;
  #gateway!: Gateway;
  /** Not acknowledged yet, in order; of the first a commit may have been tried. */
  #waiting: NewRow[][] = [];
  #first_was_tried = false;
  /** A retention whose end is not known. */
  #removal: Removal | undefined;
  #tried_document: [id: string, body: string] | undefined;

  #documents = 0;
  /** Before so many more steps the card is copied. */
  #copy_in: number;
  #copied: LogModel | undefined;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#seed = seed;
    const draw = new Draw(seed, 1);
    this.#draw = draw;
    this.#gateway_id = `seed_${seed}`;
    this.#topology = smallTopology(draw.whole(1, 3), 3, this.#gateway_id);
    this.#span_rows = draw.whole(4, 60);
    this.#batch_rows = draw.whole(2, 80);
    this.#rows = new RowMaker(this.#topology, draw, draw.chance(0.1) ? 60_000 : 30);
    this.#copy_in = draw.chance(COPIES) ? draw.whole(1, 12) : Number.POSITIVE_INFINITY;
  }

  /** Rejects with what is wrong. */
  async run(): Promise<void> {
    const { disk, wire } = this.#world;
    disk.format(this.#seed);
    wire.arm(undefined);
    wire.is_down = this.#draw.chance(0.2);
    try {
      await this.#start();
      for (let left = this.#draw.whole(12, 36); left > 0; left--) {
        if (--this.#copy_in <= 0) this.#copyCard();
        await this.#step(this.#draw.weighed(STEPS));
      }
      await this.#end();
      if (this.#copied) await this.#putInCopy(this.#copied);
    } finally {
      disk.clearFaults();
      wire.cutAll();
      await this.#gateway?.upstream.stop();
      this.#gateway?.release();
    }
  }

  async #step(step: Step): Promise<void> {
    this.#trace(step);
    this.#clock.advance(1);
    await this.#do(step);
    await this.#settle();
    if (this.#world.disk.status().is_dead) await this.#restart(this.#draw.pick(['kill', 'power_cut']));
  }

  async #do(step: Step): Promise<void> {
    const draw = this.#draw;
    const { disk, wire } = this.#world;
    const { writer } = this.#gateway;
    switch (step) {
      case 'append':
        if (this.#waiting.length < MOST_WAITING_BATCHES)
          this.#waiting.push(this.#rows.batch(this.#clock.wallMs()));
        return this.#commitWaiting();
      case 'archive':
        this.#mayFail(() => {
          for (let left = draw.whole(1, 6); left > 0; left--) writer.archiveStep();
        });
        return;
      case 'archive_all':
        this.#mayFail(() => {
          while (writer.archiveStep() !== 'idle') {}
        });
        return;
      case 'read':
        if (this.#removal && !this.#mayFail(() => this.#checkLog())) return;
        return checkReads(this.#gateway, this.#model, this.#topology, draw, this.#clock.wallMs()).catch(
          this.#diskFailure,
        );
      case 'retain':
        return this.#retain();
      case 'disk_fault':
        disk.fail({
          op: draw.pick(['read', 'write', 'write', 'sync', 'sync', 'truncate']),
          skip: draw.whole(0, 12),
          count: draw.pick([1, 1, 2, 30]),
          error: draw.pick(['io', 'full']),
          loses: draw.chance(0.5),
        });
        return;
      case 'die_soon':
        return disk.dieIn(draw.whole(1, 30));
      case 'disk_repaired':
        return disk.clearFaults();
      case 'wire_fault':
        return wire.arm({
          fault: draw.pick(WIRE_FAULTS),
          at: draw.chance(0.4) ? 'commit' : draw.whole(0, 30),
        });
      case 'release':
        return wire.release();
      case 'centre_down':
        wire.is_down = true;
        return wire.cutAll();
      case 'centre_up':
        wire.is_down = false;
        return;
      case 'wait':
        return this.#clock.advanceAsync(draw.pick([100, 20_000, RETRY_MS, RETRY_MS, RETRY_MS]));
      case 'clock_step':
        return this.#clock.stepWall(draw.pick([-HOUR_MS, HOUR_MS, -30 * HOUR_MS, 70 * HOUR_MS]));
      case 'checkpoint':
        return this.#checkpoint();
      case 'put':
        return this.#putDocument();
      case 'look_at_centre':
        return this.#checkCentre();
      default:
        return this.#restart(step);
    }
  }

  #commitWaiting(): void {
    while (this.#waiting.length > 0) {
      const rows = this.#waiting[0];
      this.#first_was_tried = true;
      if (!this.#mayFail(() => this.#gateway.commit(rows))) return;
      this.#first_was_tried = false;
      this.#waiting.shift();
      this.#model.acknowledge(rows);
    }
  }

  #retain(): void {
    const before_ms = this.#clock.wallMs() - this.#draw.pick([0, HOUR_MS, 40 * HOUR_MS]);
    const below_seq = this.#gateway.synced_seq;
    const short_of_room = this.#draw.chance(0.15);
    const keep_free_bytes = short_of_room ? Number.MAX_SAFE_INTEGER : 0;
    this.#removal = { before_ms, below_seq, short_of_room };
    this.#mayFail(() => void this.#gateway.writer.retain({ before_ms, below_seq, keep_free_bytes }));
    this.#mayFail(() => this.#checkLog());
  }

  /** As SQLite does by itself after a thousand pages; too rare for so short a life. */
  #checkpoint(): void {
    const mode = this.#draw.pick(['passive', 'full', 'restart', 'truncate']);
    this.#mayFail(() => {
      const db = new Database(this.#world.file, { timeout: 10 });
      try {
        db.pragma('synchronous = FULL');
        db.pragma(`wal_checkpoint(${mode})`);
      } finally {
        db.close();
      }
    });
  }

  #putDocument(): void {
    const document: [string, string] = [`d${this.#draw.whole(1, 4)}`, `{"n":${++this.#documents}}`];
    this.#tried_document = document;
    if (!this.#mayFail(() => this.#gateway.writer.put('test', ...document))) return;
    this.#model.documents.set(...document);
    this.#tried_document = undefined;
  }

  async #restart(how: 'restart' | 'kill' | 'power_cut'): Promise<void> {
    const { disk, wire } = this.#world;
    if (how === 'restart' && !disk.status().is_dead) {
      await this.#gateway.upstream.stop();
      this.#commitWaiting();
      this.#gateway.release();
    }
    wire.cutAll();
    await this.#gateway.upstream.stop();
    if (how !== 'restart') this.#trace(`(${how})`);
    this.#lose(how);
    this.#gateway.release();
    if (this.#draw.chance(0.2)) {
      const name = `Site ${this.#draw.whole(1, 1000)}`;
      this.#topology = { ...this.#topology, site: { id: 'site', name } };
    }
    await this.#start();
  }

  #lose(how: 'restart' | 'kill' | 'power_cut'): void {
    const { disk } = this.#world;
    if (how === 'power_cut') disk.powerCut(this.#draw.pick(['nothing', 'all', 'any_part', 'any_part']));
    else disk.kill();
  }

  async #start(): Promise<void> {
    this.#open();
    await this.#checkCentre();
    this.#gateway.upstream.start();
    await this.#settle();
  }

  /** The process starts, again and again when the disk fails it; then the log is held against the model. */
  #open(): void {
    const { disk, file, database_url } = this.#world;
    for (let starts = 1; ; starts++) {
      if (starts > STARTS / 2) disk.clearFaults();
      try {
        this.#gateway = new Gateway({
          ...{
            file,
            database_url,
            gateway_id: this.#gateway_id,
            clock: this.#clock,
            topology: this.#topology,
          },
          ...{ span_rows: this.#span_rows, batch_rows: this.#batch_rows },
        });
        break;
      } catch (error) {
        if (starts === STARTS) throw error;
        this.#trace(`(did not start: ${describeError(error)})`);
        this.#lose(this.#draw.pick(['kill', 'kill', 'power_cut']));
      }
    }
    disk.clearFaults();
    const found = this.#gateway.readAll();
    const tried = this.#first_was_tried ? this.#waiting[0] : [];
    this.#model.adopt(found, tried, JSON.stringify(this.#topology));
    this.#model.check(found, this.#removal);
    if (this.#gateway.opened.last_seq !== this.#model.lastSeq)
      throw new Error(`the log ends at ${this.#model.lastSeq}, but says ${this.#gateway.opened.last_seq}`);
    this.#checkDocuments();
    this.#waiting = [];
    this.#first_was_tried = false;
    this.#removal = undefined;
  }

  #checkLog(): void {
    this.#model.check(this.#gateway.readAll(), this.#removal);
    this.#removal = undefined;
  }

  #checkDocuments(): void {
    const [id, body] = this.#tried_document ?? ['', ''];
    const found = new Map(this.#gateway.reader.list('test').map(row => [row.id, JSON.stringify(row.body)]));
    if (id && found.get(id) === body) this.#model.documents.set(id, body);
    this.#tried_document = undefined;
    for (const [known, expected] of this.#model.documents)
      if (found.get(known) !== expected)
        throw new Error(`document ${known} is ${found.get(known)} instead of ${expected}`);
  }

  async #checkCentre(): Promise<void> {
    const centre = await readCentre(this.#world.centre, this.#gateway_id);
    checkCentre(centre, this.#model, { packId: key => this.#gateway.packId(key), numberOf });
    if (this.#gateway.synced_seq > centre.last_seq)
      throw new Error(`said to be at the centre: ${this.#gateway.synced_seq}; there: ${centre.last_seq}`);
  }

  /** The faults are over: everything goes on by itself, and in the end the centre has the log. */
  async #end(): Promise<void> {
    const { disk, wire, file } = this.#world;
    this.#trace('end');
    wire.arm(undefined);
    wire.is_down = false;
    wire.release();
    await this.#settle();
    if (disk.status().is_dead) await this.#restart('power_cut');
    disk.clearFaults();
    this.#waiting.push(this.#rows.batch(this.#clock.wallMs()));
    this.#commitWaiting();
    if (this.#waiting.length > 0) throw new Error('the disk works again, but a commit does not');
    await this.#catchUp();
    while (this.#gateway.writer.archiveStep() !== 'idle') {}
    if (this.#draw.chance(0.5)) {
      await this.#restart('power_cut');
      await this.#catchUp();
    }
    this.#checkLog();
    await this.#checkCentre();
    const db = new Database(file);
    const integrity = db.pragma('integrity_check', { simple: true });
    db.close();
    if (integrity !== 'ok') throw new Error(`the file is damaged: ${integrity}`);
  }

  /** Not while it is unknown what the disk holds. */
  #copyCard(): void {
    if (this.#first_was_tried || this.#removal || this.#tried_document) return;
    this.#trace('(the card is copied)');
    this.#copy_in = Number.POSITIVE_INFINITY;
    this.#world.disk.saveCopy();
    this.#copied = this.#model.copy();
  }

  /** Another log now goes on under the same name: the centre keeps what it has, and a person is told. */
  async #putInCopy(copied: LogModel): Promise<void> {
    const { disk, wire, centre } = this.#world;
    this.#trace('(the copy is put in)');
    await this.#gateway.upstream.stop();
    wire.cutAll();
    disk.putCopyBack();
    this.#gateway.release();
    const known = this.#model;
    this.#model = copied;
    this.#open();
    if (this.#draw.chance(0.7))
      while (this.#model.lastSeq <= known.lastSeq) {
        this.#waiting.push(this.#rows.batch(this.#clock.wallMs()));
        this.#commitWaiting();
      }
    this.#gateway.upstream.start();
    for (let tries = 0; tries < 3; tries++) {
      await this.#settle();
      await this.#clock.advanceAsync(RETRY_MS);
    }
    await this.#settle();
    const { state, reason } = this.#gateway.upstream.status();
    if (state !== 'down' || !reason?.includes('storage was copied'))
      throw new Error(`a copied card was put in, but the sync says ${state}, ${reason}`);
    const naming = { packId: (key: number) => this.#gateway.packId(key), numberOf };
    checkCentre(await readCentre(centre, this.#gateway_id), known, naming);
  }

  async #catchUp(): Promise<void> {
    for (let tries = 0; tries < 5; tries++) {
      await this.#settle();
      const { state, counters } = this.#gateway.upstream.status();
      if (state === 'ok' && counters.last_seq === this.#model.lastSeq) return;
      await this.#clock.advanceAsync(RETRY_MS);
    }
    const { state, reason, counters } = this.#gateway.upstream.status();
    throw new Error(
      `the sync does not end: ${state}, ${reason}, at ${counters.last_seq} of ${this.#model.lastSeq}`,
    );
  }

  /** Until the sync waits for time to pass, or is held at the wire. */
  async #settle(): Promise<void> {
    const { wire } = this.#world;
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      if (!this.#clock.isExchanging || wire.isHeld) return;
      if (wire.isFrozen) {
        await this.#clock.advanceAsync(EXCHANGE_OVER_MS);
        continue;
      }
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the sync stands still')), STANDSTILL_MS);
        const go = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#clock.onExchangeOver = go;
        wire.onStandstill = go;
      });
    }
  }

  /** False when the disk failed it. */
  #mayFail(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#diskFailure(error);
      return false;
    }
  }

  readonly #diskFailure = (error: unknown): void => {
    if (!(error instanceof Database.SqliteError)) throw error;
    this.#trace(`(${error.code})`);
    if (/CORRUPT|NOTADB|CONSTRAINT|SQLITE_ERROR/.test(error.code)) throw error;
  };

  #trace(line: string): void {
    this.#world.trace(`seed ${this.#seed}: ${line}`);
  }
}
