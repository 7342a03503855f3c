/**
 * A CAN bus behind a USB adapter that speaks slcan (LAWICEL) on a serial port. The port is opened and the
 * adapter set up again by itself after it was unplugged, fell silent or refused.
 */
import { type Clock, sleep, type TimerHandle } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import type { CanBus, CanBusListener, CanBusState, CanFrame, CanId } from './can-bus.ts';
import type { SlcanConnection } from './connections.ts';
import { faultInFlags, SlcanParser, slcanLine, speedCommand } from './slcan-codec.ts';
import type { SentFrame } from './virtual-bus.ts';

/** The part of `serialport` this file uses. */
export interface SerialPortLike {
  open(callback: (error: Error | null) => void): void;
  close(callback: (error: Error | null) => void): void;
  write(text: string, callback?: (error?: Error | null) => void): boolean;
  /** Calls back when what was written has left the machine. */
  drain(callback: (error: Error | null) => void): void;
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown;
  on(event: 'close' | 'error', listener: (error?: Error | null) => void): unknown;
  readonly isOpen: boolean;
  readonly writableLength: number;
}
export type MakePort = (path: string, baudRate: number) => SerialPortLike;

const DEFAULT_BAUD = 115_200;
const MIN_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** Adapters answer a command within a few ms; some do not answer at all. */
const ANSWER_MS = 500;
const SETTLE_MS = 250;
const CLOSE_MS = 500;
/** An adapter that once answered and now says nothing is asked for its state this often. */
const PROBE_MS = 5000;
/** Bytes that may wait for the port; beyond, frames are refused. */
const MAX_WAITING_BYTES = 1024;

/** One opening of the port, from its making to its closing. */
interface Session {
  readonly port: SerialPortLike;
  /** Resolves the command that waits for its answer. */
  answer: ((accepted: boolean | undefined) => void) | undefined;
  ready: boolean;
  /** The adapter has answered a command, so that silence later means something. */
  answers: boolean;
  /** A frame has come, so that this is a CAN adapter, whether it answers or not. */
  has_received: boolean;
  /** Its next "no" means that it does not know the question for its state. */
  probed: boolean;
  unanswered_probes: number;
  last_bytes_mono_ms: number;
}

export class SlcanBus implements CanBus {
  readonly name: string;
  readonly #connection: SlcanConnection;
  readonly #clock: Clock;
  readonly #makePort: MakePort | undefined;
  readonly #parser: SlcanParser;
  readonly #counts = { reopenings: 0, refused_commands: 0, send_refusals: 0 };
  #listener: CanBusListener | undefined;
  #session: Session | undefined;
  #make: MakePort | undefined;
  #timer: TimerHandle | undefined;
  #retry_ms = MIN_RETRY_MS;
  #everReady = false;
  #reported: { state: CanBusState; reason: string | undefined } | undefined;

  constructor(connection: SlcanConnection, clock: Clock, makePort?: MakePort) {
    this.name = connection.port;
    this.#connection = connection;
    this.#clock = clock;
    this.#makePort = makePort;
    this.#parser = new SlcanParser({
      onFrame: frame => this.#onFrame(frame),
      onAnswer: (accepted, text) => this.#onAnswer(accepted, text),
    });
  }

  get counters(): Record<string, number> {
    return { ...this.#counts, ...this.#parser.counts };
  }

  async open(_ids: readonly CanId[], listener: CanBusListener): Promise<void> {
    await this.close();
    this.#listener = listener;
    this.#reported = undefined;
    this.#everReady = false;
    this.#retry_ms = MIN_RETRY_MS;
    const make = this.#makePort ?? (await loadSerialPort());
    if (this.#listener !== listener) return;
    this.#make = make;
    this.#connect();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    await this.#endSession();
  }

  restart(): void {
    if (!this.#listener || !this.#session) return;
    this.#retry_ms = MIN_RETRY_MS;
    this.#fail(this.#session, 'no frame for long; being opened again');
  }

  send(frame: SentFrame): boolean {
    const session = this.#session;
    const taken =
      session?.ready === true &&
      session.port.isOpen &&
      frame.length <= 8 &&
      session.port.writableLength < MAX_WAITING_BYTES;
    if (taken) session.port.write(slcanLine(frame));
    else this.#counts.send_refusals++;
    return taken;
  }

  #connect(): void {
    const { port: path, baud_rate = DEFAULT_BAUD } = this.#connection;
    let port: SerialPortLike | undefined;
    try {
      port = this.#make?.(path, baud_rate);
    } catch (error) {
      this.#report('down', `${path}: cannot be opened: ${describeError(error)}`);
    }
    if (!port) {
      this.#retryLater();
      return;
    }
    const session: Session = {
      port,
      answer: undefined,
      ready: false,
      answers: false,
      has_received: false,
      probed: false,
      unanswered_probes: 0,
      last_bytes_mono_ms: this.#clock.monoMs(),
    };
    this.#session = session;
    this.#parser.reset();
    port.on('data', bytes => {
      if (this.#session !== session) return;
      session.last_bytes_mono_ms = this.#clock.monoMs();
      session.unanswered_probes = 0;
      this.#parser.feed(bytes);
    });
    port.on('error', error => this.#fail(session, describeError(error)));
    port.on('close', () => this.#fail(session, 'adapter was unplugged or the port closed'));
    port.open(error => {
      if (this.#session !== session) {
        // Closed while it was being opened.
        if (!error) port.close(() => {});
      } else if (error) this.#fail(session, `cannot be opened: ${describeError(error)}`);
      else void this.#setUp(session);
    });
  }

  /** Closes the channel, should it be open from before, sets the bit rate and opens it. */
  async #setUp(session: Session): Promise<void> {
    const { bitrate_bps } = this.#connection;
    // Two empty lines end whatever half a command the adapter may hold; C is refused where nothing is open.
    // How many answers that makes differs: they are waited out.
    session.port.write('\r\rC\r');
    await sleep(this.#clock, SETTLE_MS);
    const speed = await this.#command(session, speedCommand(bitrate_bps));
    if (this.#session !== session) return;
    if (speed === false) {
      this.#fail(session, `adapter refused bit rate ${bitrate_bps}`);
      return;
    }
    const opened = await this.#command(session, 'O');
    if (this.#session !== session) return;
    if (opened === false) {
      this.#fail(session, 'adapter refused to open the bus; unplug it and plug it in again');
      return;
    }
    session.ready = true;
    session.answers = speed === true || opened === true;
    this.#retry_ms = MIN_RETRY_MS;
    if (this.#everReady) this.#counts.reopenings++;
    this.#everReady = true;
    // Some adapters never answer: whether one is there at all then shows by its frames.
    if (session.answers) this.#report('up', undefined);
    else this.#report('degraded', `${this.name}: no answer to commands; is it an slcan adapter?`);
    this.#watch(session);
  }

  /** True: accepted, false: refused, undefined: no answer in time. */
  #command(session: Session, text: string): Promise<boolean | undefined> {
    if (this.#session !== session) return Promise.resolve(undefined);
    return new Promise(resolve => {
      const timer = this.#clock.setTimer(() => session.answer?.(undefined), ANSWER_MS);
      session.answer = accepted => {
        session.answer = undefined;
        this.#clock.clearTimer(timer);
        if (accepted === false) this.#counts.refused_commands++;
        resolve(accepted);
      };
      session.port.write(`${text}\r`);
    });
  }

  #onAnswer(accepted: boolean, text: string): void {
    const session = this.#session;
    if (!session) return;
    if (session.answer) session.answer(accepted);
    else if (!accepted && session.probed) session.probed = false;
    else if (!accepted && session.ready) this.#counts.refused_commands++;
    else if (text.startsWith('F')) {
      const fault = faultInFlags(text);
      this.#report(fault ? 'degraded' : 'up', fault && `${this.name}: ${fault}`);
    }
  }

  #onFrame(frame: CanFrame): void {
    const session = this.#session;
    if (!session?.ready) return;
    if (!session.has_received) {
      session.has_received = true;
      if (!session.answers) this.#report('up', undefined);
    }
    frame.rx_mono_ms = this.#clock.monoMs();
    this.#listener?.onFrame(frame);
  }

  /** Asks a quiet adapter for its state: one that does not even say "no" is gone. */
  #watch(session: Session): void {
    this.#timer = this.#clock.setTimer(() => {
      if (this.#session !== session) return;
      if (session.unanswered_probes >= 2 && session.answers) {
        this.#fail(session, 'adapter does not answer; unplug it and plug it in again');
        return;
      }
      if (this.#clock.monoMs() - session.last_bytes_mono_ms >= PROBE_MS) session.unanswered_probes++;
      session.probed = true;
      session.port.write('F\r');
      this.#watch(session);
    }, PROBE_MS);
  }

  #fail(session: Session, reason: string): void {
    if (this.#session !== session) return;
    void this.#endSession();
    this.#report('down', `${this.name}: ${reason}`);
    this.#retryLater();
  }

  #retryLater(): void {
    if (!this.#listener) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = this.#clock.setTimer(() => this.#connect(), this.#retry_ms);
    this.#retry_ms = Math.min(MAX_RETRY_MS, this.#retry_ms * 2);
  }

  /** Closes the adapter's channel and the port; resolves when the port is closed or takes too long. */
  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    session?.answer?.(undefined);
    if (!session?.port.isOpen) return;
    await new Promise<void>(resolve => {
      let closing = false;
      const close = () => {
        if (closing) return;
        closing = true;
        session.port.close(() => {
          this.#clock.clearTimer(timer);
          resolve();
        });
      };
      const timer = this.#clock.setTimer(() => {
        close();
        resolve();
      }, CLOSE_MS);
      // What is still on its way is lost when the port closes; a port that takes nothing is closed all the same.
      if (session.ready) session.port.write('C\r', () => session.port.drain(() => close()));
      else close();
    });
  }

  #report(state: CanBusState, reason: string | undefined): void {
    if (this.#reported?.state === state && this.#reported.reason === reason) return;
    this.#reported = { state, reason };
    this.#listener?.onState(state, reason);
  }
}

/** @throws GatewayError CAN_UNAVAILABLE */
async function loadSerialPort(): Promise<MakePort> {
  try {
    const { SerialPort } = await import('serialport');
    return (path, baudRate) => new SerialPort({ path, baudRate, autoOpen: false });
  } catch (error) {
    throw new GatewayError(
      'CAN_UNAVAILABLE',
      `slcan cannot be used: the package "serialport" could not be loaded (${describeError(error)}); run "npm install"`,
    );
  }
}
