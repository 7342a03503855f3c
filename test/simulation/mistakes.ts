/**
 * What people do to a box, some of it at the end of a life: a second process on the same directory, files deleted or
 * emptied between two runs, a log that two processes wrote at once as there was no lock, and (copy-beside.ts) a copy that
 * is started beside the original. Each is found and reported.
 */
import type { GapRecord } from '../../core/contract/gap.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { readIdentity, writeIdentity } from '../../daemon/store/file/log-identity.ts';
import { SQLITE_MIGRATIONS } from '../../daemon/store/file/migration-files.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { Writer } from '../../daemon/store/write/writer.ts';
import { readCentre } from './centre.ts';
import { CopyBeside } from './copy-beside.ts';
import { batchOf } from './gateway.ts';
import { RETRY_MS } from './gateway-life.ts';
import { same } from './reads.ts';

const MISTAKES = {
  none: 10,
  database_gone: 2,
  two_writers: 2,
  database_emptied: 2,
  wal_gone: 3,
  copy_beside: 3,
};

interface Range {
  readonly first_seq: number;
  readonly last_seq: number;
}

export class Mistakes extends CopyBeside {
  /** Refused, whatever else goes on, and of no consequence for the first. */
  protected startSecond(): void {
    let refusal: unknown;
    try {
      this.makeGateway().release();
    } catch (error) {
      refusal = error;
    }
    // The lock needs no disk but to be opened.
    if (this.world.disk.status().is_dead || /cannot be locked/.test(describeError(refusal))) return;
    if (!(refusal instanceof GatewayError && refusal.code === 'STORE_IN_USE'))
      throw new Error(
        `a second process on the same directory: ${refusal ? describeError(refusal) : 'starts'}`,
      );
    if (!refusal.message.includes(`process ${process.pid};`))
      throw new Error(`who has the directory is not reported: ${refusal.message}`);
  }

  protected async makeMistake(): Promise<void> {
    const mistake = this.draw.weighed(MISTAKES);
    if (mistake === 'none') return;
    this.trace(`(${mistake})`);
    const { wire, disk } = this.world;
    if (mistake === 'copy_beside') return this.runCopyBeside();
    await this.gateway.upstream.stop();
    wire.cutAll();
    await this.keeper?.stop();
    if (this.draw.chance(mistake === 'wal_gone' ? 0.8 : 0.5)) disk.kill();
    this.gateway.release();
    if (mistake === 'two_writers') this.#writeTwice();
    else if (mistake === 'wal_gone') await this.#loseWal();
    else await this.#loseDatabase(mistake);
  }

  /** What was committed since it was last written back is gone; the rest stands as it was then. */
  async #loseWal(): Promise<void> {
    const { disk, file, centre } = this.world;
    const before = await readCentre(centre, this.gateway_id);
    const identity = readIdentity(file);
    // As the product notes it after a thousand rows, which is more than so short a life has.
    if (identity && this.draw.chance(0.6))
      writeIdentity(file, { ...identity, last_seq: this.gateway.durableSeq() });
    const kept = readIdentity(file);
    disk.kill();
    disk.lose(`${file}-wal`, 'removed');
    this.clock.advance(1);
    try {
      this.gateway = this.makeGateway();
    } catch (error) {
      // It was being written back when the disk failed: what is left is half of it, and is known as such.
      if (!(error instanceof GatewayError && error.code === 'STORE_CORRUPT')) throw error;
      this.trace('(torn)');
      return;
    }
    const { opened } = this.gateway;
    const found = this.gateway.readAll();
    for (const row of found) {
      const known = this.model.rows[row.seq - 1];
      if (known && row.seq <= opened.last_seq && known.body !== row.body && !opened.lost)
        if (row.kind !== LogKind.topology) throw new Error(`row ${row.seq} is another one`);
    }
    if (!opened.lost && opened.last_seq < (kept?.last_seq ?? 0))
      throw new Error(
        `rows up to ${kept?.last_seq} were noted, ${opened.last_seq} are there, and nobody says so`,
      );
    if (opened.lost && opened.last_seq < (kept?.numbers_below ?? 0))
      throw new Error(`rows are lost, and numbers from ${opened.last_seq + 1} on are used again`);
    await this.goOn(before);
  }

  /** A successor of the log goes on above all numbers that were taken, and reports what the centre may lack. */
  async #loseDatabase(how: 'database_gone' | 'database_emptied'): Promise<void> {
    const { disk, file, centre } = this.world;
    const { incarnation } = this.gateway;
    const before = await readCentre(centre, this.gateway_id);
    const kept = readIdentity(file);
    if (!kept) throw new Error('a log that was in use has no identity');
    if (how === 'database_gone') disk.format(this.seed);
    else {
      disk.kill();
      disk.lose(file, 'emptied');
      if (this.draw.chance(0.5)) disk.lose(`${file}-wal`, 'removed');
    }
    this.clock.advance(1);
    this.gateway = this.makeGateway();
    const { opened } = this.gateway;
    same('predecessors', opened.predecessors.slice(0, 1), [incarnation]);
    if (!opened.lost) throw new Error('a database is gone, and nobody says so');
    if (opened.numbers_from <= this.model.lastSeq)
      throw new Error(`numbers from ${opened.numbers_from} on are used again`);
    const gaps = this.gateway
      .readAll()
      .filter(({ kind }) => kind === LogKind.gap)
      .map(({ body }) => JSON.parse(body) as GapRecord);
    const reported = gaps.map(({ reason, first_seq, last_seq }) => `${reason} ${first_seq} ${last_seq}`);
    same('gaps', reported, [`storage_lost ${(kept.synced_seq ?? 0) + 1} ${opened.numbers_from - 1}`]);
    if ((kept.synced_seq ?? 0) > before.last_seq)
      throw new Error(`the centre was said to have row ${kept.synced_seq}, and has ${before.last_seq}`);
    for (let batches = this.draw.whole(1, 3); batches > 0; batches--) this.gateway.commit(this.madeRows());
    this.gateway.upstream.start();
    for (let tries = 0; tries < 4; tries++) {
      await this.settle();
      await this.clock.advanceAsync(RETRY_MS);
    }
    await this.settle();
    const { state, reason, counters } = this.gateway.upstream.status();
    if (state !== 'ok' || counters.last_seq !== this.gateway.durableSeq())
      throw new Error(`after its database was lost the sync says ${state}, ${reason}`);
    const after = await readCentre(centre, this.gateway_id);
    const here = this.gateway.readAll().filter(({ kind }) => kind === LogKind.reading);
    same(
      'readings at the centre',
      after.readings.map(({ seq, number }) => `${seq} ${number}`),
      [
        ...before.readings.map(({ seq, number }) => `${seq} ${number}`),
        ...here.map(row => `${row.seq} ${this.naming.numberOf(row)}`),
      ],
    );
  }

  /** As before there was a lock. Found at the next start exactly when numbers were given twice. */
  #writeTwice(): void {
    const { file } = this.world;
    const writers = [this.#openWriter(), this.#openWriter()];
    const written: Range[] = [];
    for (let commits = this.draw.whole(1, 6); commits > 0; commits--) {
      const rows = this.madeRows();
      const { buffer, used } = batchOf(rows);
      const is_written = this.#mayBeTaken(() => {
        const { last_seq } = this.draw.pick(writers).commit(buffer, used);
        written.push({ first_seq: last_seq - rows.length + 1, last_seq });
      });
      if (!is_written) this.trace('(the number was taken)');
    }
    for (const writer of writers) this.#mayBeTaken(() => writer.close());
    const is_double = written.some((a, i) =>
      written.slice(0, i).some(b => a.first_seq <= b.last_seq && b.first_seq <= a.last_seq),
    );
    let found: string | undefined;
    try {
      this.#openWriter().close();
    } catch (error) {
      found = describeError(error);
    }
    if (is_double !== (found !== undefined) || (found && !/two processes/.test(found)))
      throw new Error(`${file}: numbers ${is_double ? '' : 'not '}given twice, and the start says ${found}`);
  }

  #mayBeTaken(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!/UNIQUE constraint failed: (log|spans)/.test(describeError(error))) throw error;
      return false;
    }
  }

  #openWriter(): Writer {
    const writer = new Writer(this.world.file, SQLITE_MIGRATIONS);
    const pack_ids = this.topology.packs.map(({ id }) => id);
    try {
      const topology = JSON.stringify(this.topology);
      writer.open({ pack_ids, topology, t_ms: this.clock.wallMs(), span_rows: this.draw.whole(4, 60) });
      return writer;
    } catch (error) {
      writer.close();
      throw error;
    }
  }
}
