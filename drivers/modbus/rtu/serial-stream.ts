/** A serial port as a stream that connects, carries bytes and closes like a socket. */
import { Duplex } from 'node:stream';
import type { SerialPort } from 'serialport';

export interface SerialSettings {
  /** "/dev/ttyUSB0", better a lasting name under /dev/serial/by-id. */
  readonly path: string;
  readonly baud_rate: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stop_bits: 1 | 2;
}

export class SerialStream extends Duplex {
  connecting = true;
  #port: SerialPort | undefined;

  constructor(settings: SerialSettings) {
    super();
    this.#open(settings).catch((error: unknown) => {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #open({ path, baud_rate, parity, stop_bits }: SerialSettings): Promise<void> {
    // Only where a serial port is configured is its native part needed.
    const { SerialPort } = await import('serialport');
    if (this.destroyed) return;
    const options = { path, baudRate: baud_rate, dataBits: 8, parity, stopBits: stop_bits, autoOpen: false };
    const port = new SerialPort(options as ConstructorParameters<typeof SerialPort>[0]);
    port.on('error', error => this.destroy(error));
    port.on('close', (error: Error | null) => this.destroy(error ?? undefined));
    port.on('data', (bytes: Buffer) => this.push(bytes));
    await new Promise<void>((resolve, reject) => port.open(error => (error ? reject(error) : resolve())));
    this.#port = port;
    if (this.destroyed) {
      closePort(port);
      return;
    }
    // What an adapter kept from before it was opened answers nothing.
    port.flush(() => {
      this.connecting = false;
      this.emit('connect');
    });
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#port) done(new Error('the port is not open'));
    else this.#port.write(bytes, error => done(error));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#port?.isOpen) closePort(this.#port, () => done(error));
    else done(error);
  }
}

function closePort(port: SerialPort, done: () => void = () => {}): void {
  port.flush(() => port.close(() => done()));
}
