/**
 * What the box has promised, kept outside, and the judgement of what it finds after each boot. A row counts from the
 * moment its commit was acknowledged, or it was found after a boot: from then on it must stay as it is.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { LogKind } from '../../../daemon/store/store.ts';
import { DIGEST_BYTES, REMOVE_EVERY, RETENTION_CYCLES } from './content.ts';
import type { Checked } from './load.ts';

const MAX_VIOLATIONS = 50;

export interface Opened {
  readonly durable_seq: number;
  readonly first_seq: number;
  readonly incarnation: string;
}

/** What a later run goes on with; the digests stand in a file beside it. */
export interface LedgerState {
  readonly rows: number;
  readonly incarnation: string | undefined;
  readonly documents: Readonly<Record<string, number>>;
  readonly cycle_begins: readonly (readonly [cycle: number, after_seq: number])[];
}

export class Ledger {
  readonly #file: string;
  /** By sequence number, which begin at 1 and have no gap; all zero: not known. */
  #digests = Buffer.alloc(DIGEST_BYTES << 16);
  #saved_rows = 0;
  #known_to = 0;
  #found = new Uint8Array(0);
  #opened: Opened | undefined;
  #incarnation: string | undefined;
  readonly #documents: Record<string, number> = {};
  readonly #cycle_begins: (readonly [cycle: number, after_seq: number])[] = [];
  /** The run before ended in the middle of a cycle: a document may be any number of changes further. */
  #resumed = false;
  readonly violations: string[] = [];
  readonly counts = { acknowledged: 0, seen_only: 0, removed: 0, document_changes: 0 };

  constructor(file: string, state?: LedgerState) {
    this.#file = file;
    if (!state) return;
    this.#resumed = true;
    this.#incarnation = state.incarnation;
    Object.assign(this.#documents, state.documents);
    this.#cycle_begins.push(...state.cycle_begins);
    if (!existsSync(file)) return;
    truncateSync(file, state.rows * DIGEST_BYTES);
    const saved = readFileSync(file);
    this.#reserve(state.rows);
    saved.copy(this.#digests, DIGEST_BYTES);
    this.#known_to = state.rows;
    this.#saved_rows = state.rows;
  }

  /** Rows 1 … known_to have been promised or seen. */
  get known_to(): number {
    return this.#known_to;
  }

  kindOf(seq: number): number {
    return this.#digests[seq * DIGEST_BYTES];
  }

  digestOf(seq: number): Buffer {
    return this.#digests.subarray(seq * DIGEST_BYTES, (seq + 1) * DIGEST_BYTES);
  }

  violation(text: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(text);
    else if (this.violations.length === MAX_VIOLATIONS) this.violations.push('… and more');
  }

  opened(cycle: number, opened: Opened): void {
    this.#opened = opened;
    this.#found = new Uint8Array(opened.durable_seq + 1);
    this.#incarnation ??= opened.incarnation;
    this.#cycle_begins.push([cycle, opened.durable_seq]);
    if (opened.incarnation !== this.#incarnation)
      this.violation(`cycle ${cycle}: the log is another one: ${opened.incarnation}`);
    if (opened.durable_seq < this.#known_to)
      this.violation(
        `cycle ${cycle}: the log ends at ${opened.durable_seq}, but rows up to ${this.#known_to} were acknowledged`,
      );
  }

  /** Rows after a boot, in order, without a gap. */
  found(cycle: number, first_seq: number, digests: Buffer): void {
    for (let i = 0; i < digests.length / DIGEST_BYTES; i++) {
      const seq = first_seq + i;
      if (seq >= this.#found.length) this.violation(`cycle ${cycle}: row ${seq} is beyond the log's end`);
      else if (this.#found[seq]) this.violation(`cycle ${cycle}: row ${seq} stands twice in the log`);
      this.#found[seq] = 1;
      if (seq > this.#known_to) this.counts.seen_only++;
      this.#learn(`cycle ${cycle}: found`, seq, digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES));
    }
  }

  /** All rows were reported, and what else there is. */
  checked(cycle: number, checked: Checked): void {
    if (checked.integrity.join() !== 'ok')
      this.violation(`cycle ${cycle}: integrity_check: ${checked.integrity.join('; ')}`);
    for (const [id, [log, table]] of Object.entries(checked.alerts))
      this.violation(`cycle ${cycle}: ${id} is ${log} in the log, ${table ?? 'missing'} in the table`);
    const [log_audit, table_audit] = checked.audit;
    if (log_audit !== undefined && log_audit !== table_audit)
      this.violation(
        `cycle ${cycle}: newest audit entry: ${log_audit} in the log, ${table_audit} in the table`,
      );
    this.#checkDocuments(cycle, checked.documents);
  }

  /** A commit was acknowledged. */
  acknowledged(cycle: number, first_seq: number, digests: Buffer): void {
    for (let i = 0; i < digests.length / DIGEST_BYTES; i++) {
      this.counts.acknowledged++;
      const digest = digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
      this.#learn(`cycle ${cycle}: acknowledged`, first_seq + i, digest);
    }
  }

  documentChanged(id: string, change: number): void {
    this.#documents[id] = change;
    this.counts.document_changes++;
  }

  /** Writes what is new to the file; the rest is in the state. */
  save(): LedgerState {
    const from = (this.#saved_rows + 1) * DIGEST_BYTES;
    appendFileSync(this.#file, this.#digests.subarray(from, (this.#known_to + 1) * DIGEST_BYTES));
    this.#saved_rows = this.#known_to;
    return {
      rows: this.#known_to,
      incarnation: this.#incarnation,
      documents: { ...this.#documents },
      cycle_begins: this.#cycle_begins.slice(-2 * RETENTION_CYCLES),
    };
  }

  #learn(what: string, seq: number, digest: Buffer): void {
    if (seq <= this.#known_to) {
      if (!this.digestOf(seq).equals(digest))
        this.violation(`${what} row ${seq} has other content than before`);
      return;
    }
    if (seq > this.#known_to + 1) this.violation(`${what} row ${seq}, but ${this.#known_to + 1} is unknown`);
    this.#reserve(seq);
    digest.copy(this.#digests, seq * DIGEST_BYTES);
    this.#known_to = seq;
  }

  /** After the boot: rows that were not found must have been removed by right. The centre has all up to `centre_seq`. */
  checkRows(cycle: number, centre_seq: number): void {
    const { durable_seq = 0 } = this.#opened ?? {};
    // Rows of the newest cycles are too young to be removed.
    const young_after_seq = this.#cycle_begins.find(([begun]) => begun > cycle - RETENTION_CYCLES)?.[1] ?? 0;
    let missing = 0;
    for (let seq = 1; seq <= Math.min(durable_seq, this.#known_to); seq++) {
      if (this.#found[seq]) continue;
      missing++;
      if (this.kindOf(seq) === LogKind.topology)
        this.violation(`cycle ${cycle}: row ${seq}, a topology, is gone`);
      else if (seq > centre_seq)
        this.violation(`cycle ${cycle}: row ${seq} is lost: neither here nor at the centre`);
      else if (seq > young_after_seq)
        this.violation(`cycle ${cycle}: row ${seq} is gone before its time (after ${young_after_seq})`);
    }
    this.counts.removed = missing;
  }

  #checkDocuments(cycle: number, found: Readonly<Record<string, number>>): void {
    for (const id of new Set([...Object.keys(this.#documents), ...Object.keys(found)])) {
      const acknowledged = this.#documents[id] ?? 0;
      const is_there = found[id];
      // The change after the acknowledged one may have arrived too; a removal leaves nothing.
      const possible = [acknowledged, acknowledged + 1].map(change =>
        change % REMOVE_EVERY === 0 ? undefined : change,
      );
      const is_newer = this.#resumed && (is_there === undefined || is_there > acknowledged);
      if (!possible.includes(is_there) && !is_newer)
        this.violation(
          `cycle ${cycle}: document ${id}: change ${acknowledged} was acknowledged, found ${is_there}`,
        );
      // It goes on from what is there, also where the removal after the acknowledged change has arrived.
      this.#documents[id] = is_there ?? 0;
    }
    this.#resumed = false;
  }

  #reserve(seq: number): void {
    const needed = (seq + 1) * DIGEST_BYTES;
    if (needed <= this.#digests.length) return;
    const larger = Buffer.alloc(Math.max(needed, 2 * this.#digests.length));
    this.#digests.copy(larger);
    this.#digests = larger;
  }
}
