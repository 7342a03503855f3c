/**
 * One seed: a gateway's life of some dozens of steps, all drawn from the seed. The disk, the wire and the clock fail
 * where it says; after each restart and at the end log and centre are held against what was acknowledged.
 */
import { copyFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { identityFile } from '../../daemon/store/file/log-identity.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { AT_CENTRE } from './alert-mistakes.ts';
import { checkCentre, readCentre } from './centre.ts';
import { checkTimes } from './check-times.ts';
import { RETRY_MS, type World } from './gateway-life.ts';
import type { LogModel } from './log-model.ts';
import { Mistakes } from './mistakes.ts';
import { checkReads, exported, readingText, same } from './reads.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

const HOUR_MS = 3_600_000;
const MAX_WAITING_BATCHES = 3;
/** Of the seeds: the card is copied on the way, and in the end that copy is put in. */
const COPIES = 0.12;
const COPY_TAKES_MS = 10_000;
const SILENCE = `UPDATE gateways SET last_sync_at = now() - interval '11 minutes' WHERE gateway_id = $1`;

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
  second_start: 2,
  look_at_centre: 4,
  restart: 3,
  kill: 3,
  power_cut: 4,
};
type Step = keyof typeof STEPS;

export class Simulation extends Mistakes {
  /** Before so many more steps the card is copied. */
  #copy_in: number;
  #copied: LogModel | undefined;
  /** Of the last reading before the copy was put in. */
  #copied_number = 0;

  constructor(world: World, seed: number) {
    super(world, seed);
    this.#copy_in = this.draw.chance(COPIES) ? this.draw.whole(1, 12) : Number.POSITIVE_INFINITY;
  }

  /** Rejects with what is wrong. */
  async run(): Promise<void> {
    const { disk, wire, receivers, file } = this.world;
    disk.format(this.seed);
    receivers.reset();
    rmSync(identityFile(file), { force: true });
    wire.arm(undefined);
    wire.is_down = this.draw.chance(0.2);
    try {
      await this.start();
      for (let left = this.draw.whole(12, 36); left > 0; left--) {
        if (--this.#copy_in <= 0) this.#copyCard();
        await this.#step(this.draw.weighed(STEPS));
      }
      await this.#end();
      if (this.#copied) await this.#putInCopy(this.#copied);
      else await this.makeMistake();
    } finally {
      disk.clearFaults();
      wire.cutAll();
      this.alerts.kill();
      receivers.reset();
      await this.gateway?.upstream.stop();
      this.gateway?.release();
    }
  }

  async #step(step: Step): Promise<void> {
    this.trace(step);
    this.clock.advance(1);
    this.box.mayLearn();
    await this.alerts.happen();
    await this.settle();
    await this.#do(step);
    await this.settle();
    this.alerts.check();
    if (this.world.disk.status().is_dead) await this.restart(this.draw.pick(['kill', 'power_cut']));
  }

  async #do(step: Step): Promise<void> {
    const draw = this.draw;
    const { disk, wire } = this.world;
    const { writer } = this.gateway;
    switch (step) {
      case 'append':
        if (this.waiting.length < MAX_WAITING_BATCHES) this.append();
        return this.commitWaiting();
      case 'archive':
        this.mayFail(() => {
          for (let left = draw.whole(1, 6); left > 0; left--) writer.archiveStep();
        });
        return;
      case 'archive_all':
        this.mayFail(() => {
          while (writer.archiveStep() !== 'idle') {}
        });
        return;
      case 'read':
        // What it finds out is stored before, not in the midst.
        await this.keeper?.idle();
        if (this.removal && !this.mayFail(() => this.checkLog())) return;
        return checkReads(this.gateway, this.model, this.topology, draw, this.#someTime()).catch(
          this.diskFailure,
        );
      case 'retain':
        return this.#retain();
      case 'disk_fault':
        this.#breakDisk();
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
        return this.clock.advanceAsync(draw.pick([100, 20_000, RETRY_MS, RETRY_MS, RETRY_MS]));
      case 'clock_step':
        return this.box.step(draw.pick([-HOUR_MS, HOUR_MS, -30 * HOUR_MS, 70 * HOUR_MS]));
      case 'checkpoint':
        return this.#checkpoint();
      case 'put':
        return this.putDocument();
      case 'second_start':
        return this.startSecond();
      case 'look_at_centre':
        return this.checkCentre();
      default:
        return this.restart(step);
    }
  }

  /** As the clock shows it or as it is: readings may carry either. */
  #someTime(): number {
    return this.draw.chance(0.5) ? this.watched.wallMs() : this.box.true_ms;
  }

  #breakDisk(): void {
    const { draw } = this;
    const op = draw.pick(['read', 'write', 'write', 'sync', 'sync', 'truncate'] as const);
    this.world.disk.fail({
      op,
      skip: draw.whole(0, 12),
      count: draw.pick([1, 1, 2, 30]),
      error: op !== 'read' && draw.chance(0.5) ? 'full' : 'io',
      loses: draw.chance(0.5),
    });
  }

  #retain(): void {
    const now_ms = this.watched.wallMs();
    const before_ms = now_ms - this.draw.pick([0, HOUR_MS, 40 * HOUR_MS]);
    const short_of_room = this.draw.chance(0.2);
    const keep_free_bytes = short_of_room ? Number.MAX_SAFE_INTEGER : 0;
    const limits = { keep_free_bytes, max_bytes: Number.MAX_SAFE_INTEGER };
    this.retain({ now_ms, before_ms, synced_seq: this.gateway.synced_seq, ...limits }, short_of_room);
  }

  /** As SQLite does by itself after a thousand pages; too rare for so short a life. */
  #checkpoint(): void {
    const mode = this.draw.pick(['passive', 'full', 'restart', 'truncate']);
    this.mayFail(() => {
      const db = new Database(this.world.file, { timeout: 10 });
      try {
        db.pragma('synchronous = FULL');
        db.pragma(`wal_checkpoint(${mode})`);
      } finally {
        db.close();
      }
    });
  }

  /** The faults are over: everything goes on by itself, and in the end the centre has the log. */
  async #end(): Promise<void> {
    const { disk, wire, file } = this.world;
    this.trace('end');
    wire.arm(undefined);
    wire.is_down = false;
    wire.release();
    await this.settle();
    if (disk.status().is_dead) await this.restart('power_cut');
    disk.clearFaults();
    this.append();
    this.commitWaiting();
    if (this.waiting.length > 0) throw new Error('the disk works again, but a commit does not');
    await this.#learnTime();
    await this.#endAlerts();
    await this.catchUp();
    // What a retention removed that failed on the way is known only now.
    this.checkLog();
    checkTimes(this.gateway, this.model, this.box, this.topology, this.true_ms);
    await this.#mistakeAtCentre();
    await this.checkCentre();
    while (this.gateway.writer.archiveStep() !== 'idle') {}
    if (this.draw.chance(0.5)) {
      await this.restart('power_cut');
      await this.#endAlerts();
      await this.catchUp();
    }
    await this.alerts.stop();
    this.commitWaiting();
    await this.catchUp();
    this.checkLog();
    await this.checkCentre();
    const db = new Database(file);
    const integrity = db.pragma('integrity_check', { simple: true });
    db.close();
    if (integrity !== 'ok') throw new Error(`the file is damaged: ${integrity}`);
  }

  #endAlerts(): Promise<void> {
    return this.alerts.end(
      () => this.settle(),
      () => this.waiting.length === 0,
    );
  }

  async #mistakeAtCentre(): Promise<void> {
    const { centre, mistake } = this.world;
    const change = mistake && AT_CENTRE[mistake];
    if (change) await centre.query(change, [this.gateway_id]);
  }

  /** By the network, and what became of it is in the log. */
  async #learnTime(): Promise<void> {
    this.box.learn();
    this.append();
    this.commitWaiting();
    for (let tries = 0; tries < 2; tries++) {
      await this.clock.advanceAsync(RETRY_MS);
      await this.settle();
    }
  }

  /** Not while it is unknown what the disk holds. */
  #copyCard(): void {
    if (!this.isClear) return;
    this.trace('(the card is copied)');
    this.#copy_in = Number.POSITIVE_INFINITY;
    this.world.disk.saveCopy();
    copyFileSync(identityFile(this.world.file), `${this.world.file}.copied`);
    this.#copied = this.model.copy();
  }

  /** Another log now goes on under the same name: the centre keeps what it has, and a person is notified. */
  async #putInCopy(copied: LogModel): Promise<void> {
    const { disk, wire, centre, file } = this.world;
    this.trace('(the copy is put in)');
    await this.gateway.upstream.stop();
    wire.cutAll();
    disk.putCopyBack();
    copyFileSync(`${file}.copied`, identityFile(file));
    this.gateway.release();
    await this.keeper?.stop();
    const known = this.model;
    this.model = copied;
    this.#copied_number = this.true_ms.size;
    this.box.boot();
    // The sync knows a reading of both copies by its number, pack and time.
    this.clock.advance(COPY_TAKES_MS);
    this.open();
    await this.startClock();
    if (this.draw.chance(0.7))
      while (this.model.lastSeq <= known.lastSeq) {
        this.append();
        this.commitWaiting();
      }
    this.gateway.upstream.start();
    for (let tries = 0; tries < 3; tries++) {
      await this.settle();
      await this.clock.advanceAsync(RETRY_MS);
    }
    await this.settle();
    const { state, reason } = this.gateway.upstream.status();
    if (state !== 'down' || !reason?.includes('storage was copied'))
      throw new Error(`a copied card was put in, but the sync says ${state}, ${reason}`);
    const before = await readCentre(centre, this.gateway_id);
    checkCentre(before, known, this.naming);
    await this.#goOnAboveCentre(known, before.last_seq);
  }

  /** The other copy stays silent: what this one wrote since follows above what the centre has. */
  async #goOnAboveCentre(known: LogModel, centre_seq: number): Promise<void> {
    this.trace('(the other copy is silent)');
    const { centre, wire } = this.world;
    const bodies = () =>
      this.gateway
        .readAll()
        .filter(row => row.kind === LogKind.reading)
        .map(row => row.body);
    const readings = bodies();
    await this.keeper?.stop();
    const pack_ids = this.topology.packs.map(({ id }) => id);
    const before = exported(this.gateway, pack_ids);
    await centre.query(SILENCE, [this.gateway_id]);
    if (this.draw.chance(0.6))
      wire.arm({
        fault: this.draw.pick(['cut_before', 'cut_within', 'cut_reply', 'refuse']),
        at: this.draw.whole(0, 40),
      });
    for (let tries = 0; tries < 6; tries++) {
      await this.clock.advanceAsync(RETRY_MS);
      await this.settle();
    }
    const { state, reason, counters } = this.gateway.upstream.status();
    if (state !== 'ok' || counters.last_seq !== this.gateway.durableSeq())
      throw new Error(`the other copy is silent, but the sync says ${state}, ${reason}`);
    if (String(bodies()) !== String(readings))
      throw new Error('readings were lost or changed by new numbers');
    same('export after a restore', exported(this.gateway, pack_ids), before);
    await this.#checkAboveCentre(known, centre_seq);
    await this.startClock();
    await this.#learnTime();
    await this.#checkAboveCentre(known, centre_seq);
    const now = exported(this.gateway, pack_ids);
    for (const [i, line] of before.entries()) {
      const number = numberIn(line);
      const expected = this.#isOfCopy(line) ? readingText(number, this.true_ms.get(number) ?? 0, true) : line;
      if (now[i] !== expected)
        throw new Error(`after a restore ${now[i]} is reported instead of ${expected}`);
    }
  }

  /** What the other copy sent stays; above it stands what this one wrote, as it reports it. */
  async #checkAboveCentre(known: LogModel, centre_seq: number): Promise<void> {
    const { centre } = this.world;
    const after = await readCentre(centre, this.gateway_id);
    const upTo = <T>(rows: readonly T[], seqOf: (row: T) => number) =>
      rows.filter(row => seqOf(row) <= centre_seq);
    const kept = {
      ...after,
      last_seq: centre_seq,
      readings: upTo(after.readings, row => row.seq),
      alert_events: upTo(after.alert_events, row => row[0]),
      alerts: [],
      audit: [],
    };
    checkCentre(kept, known, this.naming, false);
    // Of a past with holes it is not known how far the two are one.
    if (known.gone_unsynced.size > 0) return;
    const added = after.readings
      .filter(row => row.seq > centre_seq)
      .map(({ number, t_ms, certain }) => readingText(number, t_ms, certain));
    const pack_ids = this.topology.packs.map(({ id }) => id);
    const here = exported(this.gateway, pack_ids).filter(line => this.#isOfCopy(line));
    same(`readings above ${centre_seq} at the centre`, added, here);
  }

  /** Whether this reading was made after the copy was put in. */
  #isOfCopy(line: string): boolean {
    return numberIn(line) > this.#copied_number;
  }
}

const numberIn = (line: string) => Number(/\d+/.exec(line));
