/**
 * Replays a log written by `candump -l`: `(seconds.micros) can0 123#DEADBEEF`, CAN FD with `##` and a flags
 * digit, remote frames with `#R`. A line that cannot be read is counted and reported with its number, never fatal.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Clock, sleep } from '../../core/clock/clock.ts';
import { describeError } from '../../core/errors.ts';
import type { CanBus, CanBusListener, CanFrame, CanId } from './can-bus.ts';

/** One readable line of a log. `t_s` is the log's own time. */
export interface CandumpLine {
  t_s: number;
  interface: string;
  id: number;
  extended: boolean;
  remote: boolean;
  error: boolean;
  fd: boolean;
  data: Uint8Array;
}

const LINE =
  /^\s*\((\d+(?:\.\d+)?)\)\s+(\S+)\s+([0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})#(?:(R\d?)|(#[0-9A-Fa-f])?((?:[0-9A-Fa-f]{2}\.?)*))(?:_[0-9A-Fa-f])?(?:\s+[RT])?\s*$/;
const ERROR_FLAG = 0x20000000;

/** Undefined where the line is none of candump's. */
export function parseCandumpLine(line: string): CandumpLine | undefined {
  const match = LINE.exec(line);
  if (!match) return undefined;
  const [, seconds, name, hexId, remote, fdFlags, hexData] = match;
  const bytes = Buffer.from((hexData ?? '').replaceAll('.', ''), 'hex');
  if (bytes.length > (fdFlags === undefined ? 8 : 64)) return undefined;
  const extended = hexId.length === 8;
  const id = Number.parseInt(hexId, 16);
  if (!extended && id > 0x7ff) return undefined;
  if (extended && id > 0x3fffffff) return undefined;
  return {
    t_s: Number(seconds),
    interface: name,
    id: id & 0x1fffffff,
    extended,
    remote: remote !== undefined,
    error: extended && (id & ERROR_FLAG) !== 0,
    fd: fdFlags !== undefined,
    data: bytes,
  };
}

export interface CandumpSource {
  readonly file: string;
  /** Times real time; default 1. */
  readonly speed?: number | undefined;
  readonly loop?: boolean | undefined;
}

/** Lines between two checks of the clock, so that a long replay leaves room for others. */
const LINES_PER_TURN = 500;
const PAUSE_BETWEEN_LOOPS_MS = 1000;
const RETRY_MS = 5000;

export class CandumpReplay implements CanBus {
  readonly name: string;
  readonly #counts = { error_frames: 0, remote_frames: 0, bad_lines: 0, replays: 0 };
  readonly #source: CandumpSource;
  readonly #clock: Clock;
  #abort: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #badLine: string | undefined;

  constructor(source: CandumpSource, clock: Clock) {
    this.name = source.file;
    this.#source = source;
    this.#clock = clock;
  }

  get counters(): Record<string, number> {
    return { ...this.#counts };
  }

  /** Where and what the newest unreadable line was. */
  get newest_bad_line(): string | undefined {
    return this.#badLine;
  }

  async open(_ids: readonly CanId[], listener: CanBusListener): Promise<void> {
    await this.close();
    const abort = new AbortController();
    this.#abort = abort;
    this.#running = this.#run(listener, abort.signal);
  }

  async close(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    await this.#running;
  }

  restart(): void {}

  /** Resolves when the replay has ended or was closed. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(listener: CanBusListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        listener.onState('up', undefined);
        await this.#replay(listener, signal);
        this.#counts.replays++;
        if (signal.aborted) return;
        if (!this.#source.loop) {
          listener.onState('down', `${this.name}: end of the log, replay is over`);
          return;
        }
        await sleep(this.#clock, PAUSE_BETWEEN_LOOPS_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        listener.onState('down', `${this.name}: cannot be read: ${describeError(error)}`);
        await sleep(this.#clock, RETRY_MS, signal);
      }
    }
  }

  async #replay(listener: CanBusListener, signal: AbortSignal): Promise<void> {
    const input = createReadStream(this.#source.file);
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    // Without a listener a read error would end the process; the iterator below reports it.
    let failure: unknown;
    input.on('error', error => {
      failure = error;
      lines.close();
    });
    try {
      await this.#playLines(lines, listener, signal);
    } finally {
      lines.close();
      input.destroy();
    }
    if (failure !== undefined) throw failure;
  }

  async #playLines(
    lines: AsyncIterable<string>,
    listener: CanBusListener,
    signal: AbortSignal,
  ): Promise<void> {
    let start_ms = 0;
    let first_s: number | undefined;
    let line_no = 0;
    for await (const text of lines) {
      if (signal.aborted) return;
      line_no++;
      if (line_no % LINES_PER_TURN === 0) await sleep(this.#clock, 0, signal);
      if (text.trim() === '') continue;
      const line = parseCandumpLine(text);
      if (!line) {
        this.#counts.bad_lines++;
        this.#badLine = `${this.name} line ${line_no}: "${text.slice(0, 80)}"`;
        continue;
      }
      if (first_s === undefined) {
        first_s = line.t_s;
        start_ms = this.#clock.monoMs();
      }
      const due_ms = start_ms + ((line.t_s - first_s) * 1000) / (this.#source.speed ?? 1);
      const wait_ms = due_ms - this.#clock.monoMs();
      if (wait_ms > 1) await sleep(this.#clock, wait_ms, signal);
      if (signal.aborted) return;
      this.#deliver(line, listener);
    }
  }

  #deliver(line: CandumpLine, listener: CanBusListener): void {
    if (line.error) this.#counts.error_frames++;
    else if (line.remote) this.#counts.remote_frames++;
    else {
      const { id, extended, data, fd } = line;
      const frame: CanFrame = {
        id,
        extended,
        data,
        length: data.length,
        fd,
        rx_mono_ms: this.#clock.monoMs(),
      };
      listener.onFrame(frame);
    }
  }
}
