/** Keeps a writer at work: a file that cannot be read is quarantined, and the log goes on in a new one. */
import type { Clock } from '../../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../../core/errors.ts';
import { isCorrupt, isFull, openFailure } from '../file/open-database.ts';
import { quarantine, quarantinedFiles, removeQuarantined } from '../file/quarantine.ts';
import type { OpenedLog, WorkerSetup, WriterMethods } from '../worker-messages.ts';
import { Writer } from './writer.ts';

export class WriterKeeper {
  readonly #setup: WorkerSetup;
  readonly #clock: Clock;
  readonly #onReplaced: (opened: OpenedLog) => void;
  readonly #onDamage: (what: string) => void;
  #writer: Writer | undefined;
  #params: WriterMethods['open'][0] | undefined;

  /** `onReplaced` is called when a new file was begun while the old one was in use. */
  constructor(
    setup: WorkerSetup,
    clock: Clock,
    onReplaced: (opened: OpenedLog) => void,
    onDamage: (what: string) => void,
  ) {
    this.#setup = setup;
    this.#clock = clock;
    this.#onReplaced = onReplaced;
    this.#onDamage = onDamage;
  }

  /** Can be called again when it has failed. */
  open(params: WriterMethods['open'][0]): OpenedLog {
    this.#params = params;
    // Of a call before, whose answer came too late.
    this.#giveUp();
    try {
      return this.#open(params);
    } catch (error) {
      this.#giveUp();
      // On a disk so full that nothing can be written retention cannot begin: what is of least use makes room for it.
      const [oldest] = isFull(error) ? quarantinedFiles(this.#setup.file) : [];
      if (oldest !== undefined) {
        removeQuarantined(oldest);
        return this.open(params);
      }
      if (!isCorrupt(error)) throw error;
      return this.#replace(params, error);
    }
  }

  get isOpen(): boolean {
    return this.#writer !== undefined;
  }

  /** Does it again in a new file when it shows that this one is corrupt. */
  do<T>(work: (writer: Writer) => T): T {
    if (!this.#writer || !this.#params)
      throw new GatewayError('STORE_FAILED', `${this.#setup.file} is not open`);
    try {
      return work(this.#writer);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      this.#onReplaced(this.#replace(this.#params, error));
      return work(this.#writer);
    }
  }

  /** As Writer.close. */
  close(synced_seq?: number): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.close(synced_seq);
  }

  #giveUp(): void {
    try {
      this.close();
    } catch {
      // It is of no use any more.
    }
  }

  #open(params: WriterMethods['open'][0], is_replacement = false): OpenedLog {
    const { file, migrations } = this.#setup;
    this.#writer = new Writer(file, migrations, this.#onDamage);
    let opened: OpenedLog;
    try {
      opened = this.#writer.open(params, is_replacement);
    } catch (error) {
      throw openFailure(file, error);
    }
    // Batches on their way use these keys, whatever becomes of the file.
    this.#params = { ...params, pack_keys: opened.packs };
    return opened;
  }

  #replace(params: WriterMethods['open'][0], error: unknown): OpenedLog {
    const t_ms = this.#clock.wallMs();
    this.#giveUp();
    const name = quarantine(this.#setup.file, t_ms);
    this.#open(this.#params ?? params, true);
    this.#writer!.salvage(name, t_ms, describeError(error));
    return this.#writer!.describe();
  }
}
