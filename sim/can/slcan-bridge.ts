/**
 * The adapter's side of slcan (LAWICEL CANUSB manual, version 1.03): virtual CAN nodes behind a serial port, as
 * `slcand` or any program that speaks to a CANable finds them. BEL refuses, CR accepts.
 */
import type { Duplex } from 'node:stream';
import { SLCAN_BITRATES, SlcanParser, slcanLine, speedCommand } from '../../drivers/can/slcan-codec.ts';
import type { SentFrame, VirtualCanBus, VirtualCanNode } from '../../drivers/can/virtual-bus.ts';
import type { Bridge, OnBridgeLost } from '../serve/bridge.ts';
import type { OpenStream } from '../serve/streams.ts';

const CR = '\r';
const BEL = '\x07';
const MAX_LINE_CHARACTERS = 64;
/** Bytes that may wait for a program that does not read; beyond, frames are dropped and counted. */
const MAX_WAITING_BYTES = 64 << 10;
/** Status flags: bus error. */
const BUS_ERROR = 'F80';
const NO_FAULT = 'F00';

export class SlcanBridge implements Bridge {
  place: string;
  readonly #counters = { frames_sent: 0, frames_dropped: 0, frames_received: 0, commands_refused: 0 };
  readonly #bus: VirtualCanBus;
  /** Bit rate of the virtual bus; undefined: any fits. */
  readonly #bitrate_bps: number | undefined;
  readonly #openStream: OpenStream;
  #onLost: OnBridgeLost;
  readonly #parser: SlcanParser;
  #stream: Duplex | undefined;
  #node: VirtualCanNode | undefined;
  #line = '';
  #chosen_bps: number | undefined;
  #channel: 'closed' | 'open' | 'listening' = 'closed';

  constructor(
    bus: VirtualCanBus,
    bitrate_bps: number | undefined,
    openStream: OpenStream,
    onLost: OnBridgeLost,
  ) {
    this.place = bus.connection_id;
    this.#bus = bus;
    this.#bitrate_bps = bitrate_bps;
    this.#openStream = openStream;
    this.#onLost = onLost;
    this.#parser = new SlcanParser({ onFrame: frame => this.#toNodes(frame), onAnswer: () => {} });
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  async open(): Promise<void> {
    const { stream, place } = await this.#openStream();
    this.place = place;
    this.#stream = stream;
    stream.on('data', (bytes: Uint8Array) => this.#receive(bytes));
    stream.on('error', error => this.#onLost(`${place}: ${error.message}`));
    stream.once('close', () => this.#onLost(`${place}: closed`));
    this.#node = this.#bus.attach(frame => this.#toHost(frame));
  }

  async close(): Promise<void> {
    this.#node?.detach();
    this.#onLost = () => {};
    this.#stream?.destroy();
  }

  /** At another bit rate than the bus has, an adapter receives nothing but errors. */
  get #receives(): boolean {
    return this.#bitrate_bps === undefined || this.#chosen_bps === this.#bitrate_bps;
  }

  #toHost(frame: SentFrame): void {
    if (this.#channel === 'closed' || !this.#receives || frame.length > 8) return;
    if (!this.#stream || this.#stream.writableLength > MAX_WAITING_BYTES) {
      this.#counters.frames_dropped++;
      return;
    }
    this.#stream.write(slcanLine(frame), 'latin1');
    this.#counters.frames_sent++;
  }

  #toNodes(frame: SentFrame): void {
    this.#counters.frames_received++;
    if (this.#receives) this.#node?.send(frame);
  }

  #receive(bytes: Uint8Array): void {
    for (const letter of Buffer.from(bytes).toString('latin1')) {
      if (letter === CR) {
        this.#answer(this.#line);
        this.#line = '';
      } else if (letter !== '\n' && this.#line.length < MAX_LINE_CHARACTERS) this.#line += letter;
    }
  }

  #answer(line: string): void {
    const reply = this.#reply(line);
    if (reply === BEL) this.#counters.commands_refused++;
    this.#stream?.write(reply, 'latin1');
  }

  #reply(line: string): string {
    const is_open = this.#channel !== 'closed';
    switch (line[0]) {
      case undefined:
        return CR;
      case 'S':
        return is_open ? BEL : this.#chooseBitrate(line);
      case 'O':
      case 'L':
        if (is_open || line.length > 1) return BEL;
        this.#channel = line === 'O' ? 'open' : 'listening';
        return CR;
      case 'C':
        this.#channel = 'closed';
        return CR;
      case 't':
      case 'T':
        return this.#channel === 'open' && this.#takeFrame(line)
          ? `${line[0] === 't' ? 'z' : 'Z'}${CR}`
          : BEL;
      case 'F':
        return is_open ? `${this.#receives ? NO_FAULT : BUS_ERROR}${CR}` : BEL;
      case 'V':
        return `V1013${CR}`;
      case 'N':
        return `N0000${CR}`;
      // Time stamps, acceptance code and mask, filter mode: taken, without effect.
      case 'Z':
      case 'M':
      case 'm':
      case 'W':
        return is_open ? BEL : CR;
      default:
        return BEL;
    }
  }

  #chooseBitrate(command: string): string {
    const chosen = SLCAN_BITRATES.find(bitrate => speedCommand(bitrate) === command);
    if (chosen === undefined) return BEL;
    this.#chosen_bps = chosen;
    return CR;
  }

  #takeFrame(line: string): boolean {
    const { malformed_lines } = this.#parser.counts;
    this.#parser.feed(Buffer.from(`${line}${CR}`, 'latin1'));
    return this.#parser.counts.malformed_lines === malformed_lines;
  }
}
