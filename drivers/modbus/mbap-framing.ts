/** Modbus TCP on a socket: transactions, headers and replies are the library's. */
import type { Socket } from 'node:net';
import modbusSerial from 'modbus-serial';
import type { Framing, OnReply } from './framing.ts';
import type { ReadRequest } from './reply.ts';

const ModbusClient = modbusSerial.default;

export class MbapFraming implements Framing {
  readonly #client: InstanceType<typeof ModbusClient>;
  #received_bytes = 0;

  private constructor(client: InstanceType<typeof ModbusClient>, socket: Socket) {
    this.#client = client;
    socket.on('data', (bytes: Uint8Array) => {
      this.#received_bytes += bytes.length;
    });
  }

  /** Puts the library on the socket; undefined when the other side hung up meanwhile. */
  static async on(socket: Socket): Promise<MbapFraming | undefined> {
    const client = new ModbusClient();
    // The library then hands over the raw reply with an error: needed to see who sent an exception.
    Object.assign(client, { isDebugEnabled: true });
    client.on('error', () => {});
    try {
      await client.linkTCP(socket, { port: 0 });
    } catch {
      return undefined;
    }
    return new MbapFraming(client, socket);
  }

  send({ unit, code, address, count }: ReadRequest, onReply: OnReply): void {
    this.#received_bytes = 0;
    if (code === 1) this.#client.writeFC1(unit, address, count, onReply);
    else if (code === 2) this.#client.writeFC2(unit, address, count, onReply);
    else if (code === 3) this.#client.writeFC3(unit, address, count, onReply);
    else this.#client.writeFC4(unit, address, count, onReply);
  }

  giveUp(): string | undefined {
    return this.#received_bytes > 0 ? `${this.#received_bytes} bytes that answer nothing` : undefined;
  }
}
