/**
 * A restored copy is started beside the original, both under one name at the centre: it takes the rows of one of them at a
 * time, none twice, and says so to the other; when one of them has ended, the other goes on above what is there.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { identityFile } from '../../daemon/store/file/log-identity.ts';
import { LogKind } from '../../daemon/store/store.ts';
import { type CentreState, readCentre } from './centre.ts';
import type { Gateway } from './gateway.ts';
import { GatewayLife, RETRY_MS } from './gateway-life.ts';
import { same } from './reads.ts';

const TRIES = 6;
const REFUSED = /storage was copied|another gateway|another storage/;
const SILENCE = `UPDATE gateways SET last_sync_at = now() - interval '11 minutes' WHERE gateway_id = $1`;

export class CopyBeside extends GatewayLife {
  protected async runCopyBeside(): Promise<void> {
    const { disk, file, centre } = this.world;
    const before = await readCentre(centre, this.gateway_id);
    await this.keeper?.stop();
    const copied = `${file}.beside`;
    for (const end of ['', '-wal']) disk.copyFile(`${file}${end}`, `${copied}${end}`);
    copyFileSync(identityFile(file), identityFile(copied));
    this.clock.advance(1);
    const both = [this.gateway, this.makeGateway(copied)];
    try {
      both[1].upstream.start();
      await this.#writeInTurns(both, before);
      const stays = this.draw.whole(0, 1);
      this.trace(`(the ${stays === 0 ? 'copy' : 'original'} ends)`);
      const gone = both[1 - stays];
      await gone.upstream.stop();
      gone.release();
      this.gateway = both[stays];
      await this.goOn(await readCentre(centre, this.gateway_id));
    } finally {
      for (const one of both) {
        await one.upstream.stop();
        one.release();
      }
      rmSync(identityFile(copied), { force: true });
    }
  }

  async #writeInTurns(both: readonly Gateway[], before: CentreState): Promise<void> {
    const { centre } = this.world;
    const has_written = new Set<Gateway>();
    for (let turns = this.draw.whole(2, 8); turns > 0; turns--) {
      const one = this.draw.pick(both);
      this.clock.advance(1000);
      if (this.draw.chance(0.7)) {
        one.commit(this.madeRows());
        has_written.add(one);
      } else await this.clock.advanceAsync(RETRY_MS);
      await this.settle();
      this.#check(before, await readCentre(centre, this.gateway_id), both);
    }
    for (let tries = 0; tries < 2; tries++) {
      await this.clock.advanceAsync(RETRY_MS);
      await this.settle();
    }
    const refused = both.filter(one => one.upstream.status().state === 'down');
    for (const one of refused) {
      const { reason } = one.upstream.status();
      if (!REFUSED.test(reason ?? '')) throw new Error(`of two copies one is refused for ${reason}`);
    }
    if (has_written.size === 2 && refused.length !== 1)
      throw new Error(`of two copies that both went on ${refused.length} are refused`);
  }

  /** What was there stays, and what came is of one or the other. */
  #check(before: CentreState, after: CentreState, both: readonly Gateway[]): void {
    const here = new Set(both.flatMap(one => this.#numbersOf(one)));
    this.#checkKept(before, after);
    for (const { number } of after.readings.slice(before.readings.length))
      if (!here.has(number)) throw new Error(`reading ${number} at the centre is of nobody`);
  }

  #checkKept(before: CentreState, after: CentreState): void {
    const rowTexts = ({ readings }: CentreState) => readings.map(({ seq, number }) => `${seq} ${number}`);
    same('readings that the centre had', rowTexts(after).slice(0, before.readings.length), rowTexts(before));
    if (this.model.gone_unsynced.size > 0) return;
    const numbers = after.readings.map(({ number }) => number);
    const double = numbers.find((number, i) => numbers.indexOf(number) !== i);
    if (double !== undefined) throw new Error(`reading ${double} stands twice at the centre`);
  }

  #numbersOf(gateway: Gateway): number[] {
    const rows = gateway.readAll().filter(({ kind }) => kind === LogKind.reading);
    return rows.map(row => this.naming.numberOf(row));
  }

  /** More is measured and sent; in the end, at the latest once nobody else was seen, the centre has all that is here. */
  protected async goOn(before: CentreState): Promise<void> {
    const { centre } = this.world;
    const own = this.#numbersOf(this.gateway);
    for (let batches = this.draw.whole(1, 3); batches > 0; batches--) {
      this.clock.advance(1000);
      const rows = this.madeRows();
      this.gateway.commit(rows);
    }
    this.gateway.upstream.start();
    await this.#try();
    if (!this.#isUpToDate) await centre.query(SILENCE, [this.gateway_id]);
    await this.#try();
    const { state, reason, counters } = this.gateway.upstream.status();
    if (!this.#isUpToDate)
      throw new Error(
        `the sync does not go on: ${state}, ${reason}, at ${counters.last_seq} of ${this.gateway.durableSeq()}`,
      );
    const here = this.#numbersOf(this.gateway);
    const lacking = own.find(number => !here.includes(number));
    if (lacking !== undefined) throw new Error(`reading ${lacking} is lost by new numbers`);
    const after = await readCentre(centre, this.gateway_id);
    this.#checkKept(before, after);
    if (this.model.gone_unsynced.size > 0) return;
    const there = after.readings.map(({ number }) => number);
    const expected = new Set([...before.readings.map(({ number }) => number), ...here]);
    same('readings at the centre', there.map(String).sort(), [...expected].map(String).sort());
  }

  async #try(): Promise<void> {
    for (let tries = 0; tries < TRIES && !this.#isUpToDate; tries++) {
      await this.settle();
      await this.clock.advanceAsync(RETRY_MS);
    }
    await this.settle();
  }

  get #isUpToDate(): boolean {
    const { state, counters } = this.gateway.upstream.status();
    return state === 'ok' && counters.last_seq === this.gateway.durableSeq();
  }
}
