/** Virtual CAN nodes into a log as `candump -l` writes it. */

import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import type { Clock } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { formatCanId } from '../../drivers/can/can-bus.ts';
import type { SentFrame, VirtualCanBus, VirtualCanNode } from '../../drivers/can/virtual-bus.ts';
import type { Bridge } from '../serve/bridge.ts';

/** Bytes that may wait for a slow disk or reader; beyond, frames are dropped and counted. */
const MAX_WAITING_BYTES = 4 << 20;

export class LogBridge implements Bridge {
  readonly place: string;
  readonly #counters = { frames_written: 0, frames_dropped: 0 };
  readonly #bus: VirtualCanBus;
  readonly #file: string;
  readonly #clock: Clock;
  #out: Writable | undefined;
  #own: WriteStream | undefined;
  #node: VirtualCanNode | undefined;

  /** `-` is standard output. */
  constructor(bus: VirtualCanBus, file: string, clock: Clock) {
    this.place = file === '-' ? 'standard output' : file;
    this.#bus = bus;
    this.#file = file;
    this.#clock = clock;
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  async open(): Promise<void> {
    if (this.#file === '-') this.#out = process.stdout;
    else {
      this.#own = createWriteStream(this.#file);
      try {
        await once(this.#own, 'open');
      } catch (error) {
        throw new GatewayError('BAD_REQUEST', `${this.#file} cannot be written: ${describeError(error)}`);
      }
      this.#out = this.#own;
    }
    // A reader that has gone (`| head`), or a full disk: what comes after is counted as dropped.
    this.#out.on('error', () => {
      this.#out = undefined;
    });
    this.#node = this.#bus.attach(frame => this.#write(frame));
  }

  async close(): Promise<void> {
    this.#node?.detach();
    this.#out = undefined;
    const own = this.#own;
    this.#own = undefined;
    if (own && !own.destroyed) await new Promise<void>(resolve => own.end(() => resolve()));
  }

  #write({ id, extended, data, length }: SentFrame): void {
    if (!this.#out || this.#out.writableLength > MAX_WAITING_BYTES) {
      this.#counters.frames_dropped++;
      return;
    }
    const seconds = (this.#clock.wallMs() / 1000).toFixed(6);
    const bytes = Buffer.from(data.buffer, data.byteOffset, length).toString('hex').toUpperCase();
    const fd = length > 8 ? '#0' : '';
    this.#out.write(`(${seconds}) ${this.#bus.connection_id} ${formatCanId(id, extended)}#${fd}${bytes}\n`);
    this.#counters.frames_written++;
  }
}
