/** Virtual Modbus units on TCP (Modbus TCP, or RTU frames as behind a serial server) and on a serial line. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/clock/clock.ts';
import { describeError, GatewayError } from '../../core/errors.ts';
import { encodeMbap, MbapReader } from '../../drivers/modbus/mbap.ts';
import type { AnswerUnit, Bridge, OnBridgeLost } from '../serve/bridge.ts';
import type { OpenStream } from '../serve/streams.ts';
import { RtuListener } from './rtu-listener.ts';

export interface ModbusBridgeOptions {
  readonly answer: AnswerUnit;
  readonly replyUnit: (unit: number) => number;
  readonly clock: Clock;
}

/** More clients than this at once are turned away. */
const MAX_CLIENTS = 64;
/** A client that asks and never reads is dropped when so much waits for it. */
const MAX_WAITING_BYTES = 256 << 10;
/** Gateway target device failed to respond (MODBUS Application Protocol V1.1b3, 7): what TCP says of no such unit. */
const NO_SUCH_UNIT = 0x0b;

export class ModbusServerBridge implements Bridge {
  readonly #counters = { clients: 0, clients_refused: 0, requests: 0, replies: 0, stray_bytes: 0 };
  readonly #options: ModbusBridgeOptions;
  readonly #scheme: 'tcp' | 'rtu';
  readonly #host: string;
  #port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(scheme: 'tcp' | 'rtu', host: string, port: number, options: ModbusBridgeOptions) {
    this.#scheme = scheme;
    this.#host = host;
    this.#port = port;
    this.#options = options;
    this.#server = createServer({ noDelay: true }, socket => this.#accept(socket));
  }

  get place(): string {
    return `${this.#scheme}://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.#port}`;
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  async open(): Promise<void> {
    try {
      this.#server.listen(this.#port, this.#host);
      await once(this.#server, 'listening');
    } catch (error) {
      throw new GatewayError('LINK_REFUSED', `${this.place} cannot be listened on: ${describeError(error)}`);
    }
    this.#server.on('error', () => {});
    const address = this.#server.address();
    if (address && typeof address === 'object') this.#port = address.port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#sockets.size >= MAX_CLIENTS) {
      this.#counters.clients_refused++;
      socket.destroy();
      return;
    }
    this.#counters.clients++;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#scheme === 'rtu') new RtuListener(socket, { ...this.#options, counters: this.#counters });
    else this.#serveTcp(socket);
  }

  #serveTcp(socket: Socket): void {
    const reader = new MbapReader();
    socket.on('data', (bytes: Uint8Array) => {
      for (const { transaction, unit, pdu } of reader.push(bytes)) {
        this.#counters.requests++;
        const answer = this.#options.answer(unit, pdu);
        const reply = answer === 'absent' ? Uint8Array.of(pdu[0] | 0x80, NO_SUCH_UNIT) : answer;
        if (!reply || socket.destroyed) continue;
        this.#counters.replies++;
        socket.write(encodeMbap(transaction, unit, reply));
      }
      if (reader.broken) this.#counters.stray_bytes += bytes.length;
      if (reader.broken || socket.writableLength > MAX_WAITING_BYTES) socket.destroy();
    });
  }
}

/** Units on a serial line: a port of this machine, or a pseudo terminal. */
export class ModbusLineBridge implements Bridge {
  place = 'serial line';
  readonly #counters = { requests: 0, replies: 0, stray_bytes: 0 };
  readonly #options: ModbusBridgeOptions;
  readonly #openStream: OpenStream;
  #onLost: OnBridgeLost;
  #stream: Duplex | undefined;

  constructor(openStream: OpenStream, options: ModbusBridgeOptions, onLost: OnBridgeLost) {
    this.#openStream = openStream;
    this.#options = options;
    this.#onLost = onLost;
  }

  get counters(): Record<string, number> {
    return { ...this.#counters };
  }

  async open(): Promise<void> {
    const { stream, place } = await this.#openStream();
    this.place = place;
    this.#stream = stream;
    stream.on('error', error => this.#onLost(`${place}: ${error.message}`));
    stream.once('close', () => this.#onLost(`${place}: closed`));
    new RtuListener(stream, { ...this.#options, counters: this.#counters });
  }

  async close(): Promise<void> {
    this.#onLost = () => {};
    this.#stream?.destroy();
  }
}
