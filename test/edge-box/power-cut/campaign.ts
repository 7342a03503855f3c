/**
 * Cuts the power of one box again and again and judges what it finds: the ledger keeps what was promised, the centre
 * is compared at the end. Goes on where it was when its directory is there already.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { UpstreamStatus } from '../../../daemon/upstream/upstream.ts';
import type { Kernel } from '../uml.ts';
import { type DiskKind, makeBox, type PowerCutBox, type Sabotage } from './box.ts';
import { type CentreCounts, centreSeq, compareCentre } from './centre.ts';
import { randomFrom } from './content.ts';
import { Ledger, type LedgerState, type Opened } from './ledger.ts';
import type { Checked } from './load.ts';
import { RelayOutside } from './relay.ts';

/** From switching on to the moment that a cut waits for. */
const BOOT_TIMEOUT_MS = 120_000;
const LAST_BOOT_TIMEOUT_MS = 240_000;

export interface CampaignOptions {
  /** For the disk and everything else; kept by the caller or not. */
  readonly directory: string;
  readonly seed: number;
  /** An empty database, or the one of this directory's run before. */
  readonly database_url: string;
  readonly sabotage?: Sabotage | undefined;
  readonly report?: (line: string) => void;
}

export interface Cycle {
  readonly cycle: number;
  /** What the box was about when its power went. */
  readonly cut_while: Moment;
  readonly rows_found: number;
  readonly rows_acknowledged: number;
  readonly rows_synced: number;
  readonly sync: string;
  readonly disk: DiskKind;
  readonly took_ms: number;
}

export interface Summary {
  readonly seed: number;
  /** booting, opening, …: what the box was about when its power went. */
  readonly counts: Campaign['counts'];
  readonly rows: number;
  readonly ledger: Ledger['counts'];
  readonly centre: CentreCounts;
  readonly violations: readonly string[];
}

/**
 * booting: kernel, ext4's journal; opening: SQLite's log, migrations, the check; running: load, the sync connects;
 * syncing: load, and batches arrive at the centre.
 */
export type Moment = 'booting' | 'opening' | 'running' | 'syncing';

interface CutPlan {
  readonly after: Moment;
  readonly delay_ms: number;
  /** How long the centre holds the connection of the dead box. */
  readonly hang_up_after_ms: number;
  readonly centre_reachable: boolean;
  readonly disk: DiskKind;
}

interface CampaignState {
  readonly seed: number;
  readonly next_cycle: number;
  readonly counts: Campaign['counts'];
  readonly ledger: LedgerState;
}

function planOf(seed: number, cycle: number): CutPlan {
  const random = randomFrom(seed * 104_729 + cycle * 31 + 1);
  const kind = random();
  const half_open = random() < 0.4;
  const common = {
    hang_up_after_ms: half_open ? 3000 * random() : 0,
    centre_reachable: random() > 0.15,
    disk: random() < 0.3 ? ('plain' as const) : ('cached' as const),
  };
  if (kind < 0.08) return { ...common, after: 'booting', delay_ms: 300 + 2000 * random() };
  if (kind < 0.2) return { ...common, after: 'opening', delay_ms: 1500 * random() };
  if (kind < 0.45 || !common.centre_reachable)
    return { ...common, after: 'running', delay_ms: 50 + 3000 * random() };
  return { ...common, after: 'syncing', delay_ms: 2500 * random() };
}

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #box: PowerCutBox;
  readonly #client: pg.Client;
  readonly #state_file: string;
  readonly ledger: Ledger;
  #next_cycle = 1;
  readonly counts = {
    cycles: 0,
    booting: 0,
    opening: 0,
    running: 0,
    syncing: 0,
    half_open: 0,
    without_centre: 0,
    plain_disk: 0,
    cached_disk: 0,
    /** Cuts that met writes which were not flushed yet. */
    cuts_in_flush: 0,
    sectors_unflushed: 0,
    sectors_lost: 0,
  };
  readonly #hang_ups = new Set<Promise<void>>();

  private constructor(options: CampaignOptions, box: PowerCutBox, client: pg.Client) {
    this.#options = options;
    this.#box = box;
    this.#client = client;
    this.#state_file = join(options.directory, 'state.json');
    const state = existsSync(this.#state_file)
      ? (JSON.parse(readFileSync(this.#state_file, 'utf8')) as CampaignState)
      : undefined;
    if (state && state.seed !== options.seed)
      throw new Error(`${this.#state_file}: seed: expected ${state.seed}, found ${options.seed}`);
    this.ledger = new Ledger(join(options.directory, 'ledger.bin'), state?.ledger);
    if (!state) return;
    Object.assign(this.counts, state.counts);
    // The run before may have ended in the middle of a cycle, whose numbers are then used up.
    this.#next_cycle = state.next_cycle + 1;
  }

  static async open(options: CampaignOptions): Promise<Campaign> {
    const box = await makeBox(options.directory, options.sabotage);
    const client = new pg.Client({ connectionString: options.database_url, connectionTimeoutMillis: 10_000 });
    await client.connect();
    return new Campaign(options, box, client);
  }

  /** One boot that ends with a cut. */
  async cycle(): Promise<Cycle> {
    const cycle = this.#next_cycle;
    const plan = planOf(this.#options.seed, cycle);
    const counts = this.counts;
    const acknowledged = this.ledger.counts.acknowledged;
    const begun_ms = performance.now();
    const synced = await centreSeq(this.#client);
    const { reached, rows_found, sync } = await this.#boot(cycle, false, plan);
    this.#next_cycle++;
    counts.cycles++;
    counts[reached]++;
    if (plan.hang_up_after_ms > 0) counts.half_open++;
    if (!plan.centre_reachable) counts.without_centre++;
    counts[`${plan.disk}_disk`]++;
    this.#save();
    const done = {
      cycle,
      cut_while: reached,
      rows_found,
      rows_acknowledged: this.ledger.counts.acknowledged - acknowledged,
      rows_synced: (await centreSeq(this.#client)) - synced,
      sync,
      disk: plan.disk,
      took_ms: Math.round(performance.now() - begun_ms),
    };
    this.#options.report?.(`${JSON.stringify(done)}\n`);
    return done;
  }

  /** A last boot in which everything reaches the centre and the box is switched off in order; then all is compared. */
  async finish(): Promise<Summary> {
    const plan: CutPlan = {
      after: 'running',
      delay_ms: 0,
      hang_up_after_ms: 0,
      centre_reachable: true,
      disk: 'cached',
    };
    await this.#boot(this.#next_cycle++, true, plan);
    const disk = await this.#box.checkDisk();
    if (disk) this.ledger.violation(`the disk at the end: ${disk}`);
    const centre = await compareCentre(this.#client, this.ledger, this.#options.seed);
    this.#save();
    return {
      seed: this.#options.seed,
      counts: this.counts,
      rows: this.ledger.known_to,
      ledger: this.ledger.counts,
      centre,
      violations: this.ledger.violations,
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#hang_ups);
    await this.#client.end();
  }

  async #boot(
    cycle: number,
    last: boolean,
    plan: CutPlan,
  ): Promise<{ reached: Moment; rows_found: number; sync: string }> {
    const { ledger } = this;
    const { seed, database_url } = this.#options;
    const centre = new URL(database_url);
    const port = Number(centre.port);
    centre.port = '5432';
    const kernel = await this.#box.switchOn({ seed, cycle, last, database_url: centre.href }, plan.disk);
    const relay = new RelayOutside(kernel.lines[1], { port, reachable: plan.centre_reachable });
    const boot = new BootReport(ledger, cycle);
    readLines(kernel.lines[0], line => boot.line(line));
    try {
      const timeout_ms = last ? LAST_BOOT_TIMEOUT_MS : BOOT_TIMEOUT_MS;
      await this.#untilCut(kernel, boot, last ? undefined : plan, timeout_ms);
    } finally {
      await kernel.cut();
      relay.breakOff();
      this.#hangUp(relay, plan.hang_up_after_ms);
    }
    const sectors = this.#box.losePower(plan.disk, randomFrom(seed * 15_485_863 + cycle));
    if (sectors.unflushed > 0) this.counts.cuts_in_flush++;
    this.counts.sectors_unflushed += sectors.unflushed;
    this.counts.sectors_lost += sectors.lost;
    if (last && sectors.unflushed > 0)
      ledger.violation(`cycle ${cycle}: switched off in order with ${sectors.unflushed} sectors not flushed`);
    if (boot.words.has('checked')) ledger.checkRows(cycle, await centreSeq(this.#client));
    const complaint = /EXT4-fs (error|warning).*|Kernel panic.*|I\/O error.*/.exec(kernel.console());
    if (complaint) ledger.violation(`cycle ${cycle}: ${complaint[0]}`);
    if (boot.failure) ledger.violation(`cycle ${cycle}: ${boot.failure}`);
    if (last && !boot.words.has('done'))
      ledger.violation(
        `cycle ${cycle}: the last boot did not end:\n${kernel.console()}${boot.log.join('\n')}`,
      );
    return { reached: boot.moment, rows_found: boot.rows_found, sync: boot.sync };
  }

  /** Waits for the planned moment; without a plan, for the end. */
  async #untilCut(
    kernel: Kernel,
    boot: BootReport,
    plan: CutPlan | undefined,
    timeout_ms: number,
  ): Promise<void> {
    const give_up = new AbortController();
    const deadline = sleep(timeout_ms, 'timeout', { signal: give_up.signal }).catch(() => 'stopped');
    const ended = kernel.ended.then(() => 'ended');
    try {
      const word = plan?.after === 'booting' ? undefined : plan?.after;
      const reached = plan && (word ? boot.word(word) : Promise.resolve('now')).then(() => 'reached');
      const first = await Promise.race([deadline, ended, boot.failed, ...(reached ? [reached] : [])]);
      if (first === 'reached' && plan) await Promise.race([sleep(plan.delay_ms), ended]);
      else if (first !== 'ended' || plan)
        boot.failure ??= `${first} while ${boot.moment}, before ${plan?.after ?? 'the end'}:\n${kernel.console()}`;
    } finally {
      give_up.abort();
    }
  }

  #hangUp(relay: RelayOutside, after_ms: number): void {
    const done = sleep(after_ms).then(() => {
      relay.hangUp();
      this.#hang_ups.delete(done);
    });
    this.#hang_ups.add(done);
  }

  #save(): void {
    const state: CampaignState = {
      seed: this.#options.seed,
      next_cycle: this.#next_cycle,
      counts: this.counts,
      ledger: this.ledger.save(),
    };
    writeFileSync(`${this.#state_file}.new`, JSON.stringify(state));
    renameSync(`${this.#state_file}.new`, this.#state_file);
  }
}

/** What one boot has reported so far. */
class BootReport {
  readonly #ledger: Ledger;
  readonly #cycle: number;
  readonly #waiting = new Map<string, () => void>();
  readonly words = new Set<string>();
  readonly log: string[] = [];
  readonly failed: Promise<string>;
  #fail: (word: string) => void = () => {};
  moment: Moment = 'booting';
  rows_found = 0;
  /** Of the sync, as last reported. */
  sync = '';
  failure: string | undefined;

  constructor(ledger: Ledger, cycle: number) {
    this.#ledger = ledger;
    this.#cycle = cycle;
    this.failed = new Promise(resolve => {
      this.#fail = resolve;
    });
  }

  /** Resolves once the box has said this word. */
  word(word: string): Promise<void> {
    if (this.words.has(word)) return Promise.resolve();
    return new Promise(resolve => this.#waiting.set(word, resolve));
  }

  line(line: string): void {
    const [word, ...rest] = line.split(' ');
    const text = rest.join(' ');
    this.words.add(word);
    this.#take(word, rest, text);
    this.#waiting.get(word)?.();
  }

  #take(word: string, rest: readonly string[], text: string): void {
    const ledger = this.#ledger;
    const cycle = this.#cycle;
    const digests = () => Buffer.from(rest[1], 'base64');
    switch (word) {
      case 'opening':
        this.moment = 'opening';
        return;
      case 'opened':
        ledger.opened(cycle, JSON.parse(text) as Opened);
        return;
      case 'rows':
        this.rows_found += digests().length / 8;
        ledger.found(cycle, Number(rest[0]), digests());
        return;
      case 'checked':
        ledger.checked(cycle, JSON.parse(text) as Checked);
        return;
      case 'running':
        this.moment = 'running';
        return;
      case 'syncing':
        this.moment = 'syncing';
        return;
      case 'durable':
        ledger.acknowledged(cycle, Number(rest[0]), digests());
        return;
      case 'document':
        ledger.documentChanged(rest[0], Number(rest[1]));
        return;
      case 'status': {
        const { upstream } = JSON.parse(text) as { upstream: UpstreamStatus };
        this.sync = `${upstream.state} ${upstream.reason ?? ''}`;
        return;
      }
      case 'log':
        this.log.push(text);
        return;
      case 'failed':
        this.failure = text;
        this.#fail('failed');
    }
  }
}

/** Whole lines only: the last one may be cut. */
function readLines(stream: NodeJS.ReadableStream, take: (line: string) => void): void {
  let rest = '';
  stream.on('error', () => {});
  stream.on('data', chunk => {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
