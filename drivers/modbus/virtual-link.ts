/**
 * Modbus links inside the process, by connection id. The simulator attaches units; a driver's link gets a
 * socket whose wire ends here, so everything above works on real Modbus TCP bytes.
 */
import { Socket } from 'node:net';
import { encodeMbap, MbapReader } from './mbap.ts';

/** Answers a request PDU with a reply PDU; undefined is silence, as of a dead unit. */
export type UnitHandler = (pdu: Uint8Array) => Uint8Array | undefined;

export class VirtualModbusHub {
  readonly #units = new Map<string, Map<number, UnitHandler>>();

  /** Puts a unit on a link, replacing what was there; returns how to take it off again. */
  attach(connection_id: string, unit: number, handler: UnitHandler): () => void {
    const units = this.#units.get(connection_id) ?? new Map<number, UnitHandler>();
    this.#units.set(connection_id, units.set(unit, handler));
    return () => {
      if (units.get(unit) === handler) units.delete(unit);
    };
  }

  /** What the unit says; undefined also when there is no such unit. */
  answer(connection_id: string, unit: number, pdu: Uint8Array): Uint8Array | undefined {
    return this.#units.get(connection_id)?.get(unit)?.(pdu);
  }

  /** Whether there is such a unit, dead or not. */
  has(connection_id: string, unit: number): boolean {
    return this.#units.get(connection_id)?.has(unit) ?? false;
  }

  /** A connected socket to the units of a link, present and future. */
  connect(connection_id: string): Socket {
    return new VirtualSocket((unit, pdu) => this.answer(connection_id, unit, pdu));
  }

  /** Serves the units of a link on a connected socket, as a Modbus TCP device would. */
  serve(connection_id: string, socket: Socket): void {
    const reader = new MbapReader();
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Uint8Array) => {
      for (const { transaction, unit, pdu } of reader.push(bytes)) {
        const reply = this.answer(connection_id, unit, pdu);
        if (reply) socket.write(encodeMbap(transaction, unit, reply));
      }
      if (reader.broken) socket.destroy();
    });
  }
}

/** A socket without a kernel behind it: what is written is answered in the next microtask. */
class VirtualSocket extends Socket {
  readonly #reader = new MbapReader();
  readonly #answer: (unit: number, pdu: Uint8Array) => Uint8Array | undefined;

  constructor(answer: (unit: number, pdu: Uint8Array) => Uint8Array | undefined) {
    super();
    this.#answer = answer;
  }

  override write(bytes: Uint8Array | string): boolean {
    if (typeof bytes === 'string') throw new TypeError('a Modbus link carries bytes, not text');
    for (const { transaction, unit, pdu } of this.#reader.push(bytes)) {
      queueMicrotask(() => {
        const reply = this.destroyed ? undefined : this.#answer(unit, pdu);
        if (reply) this.emit('data', Buffer.from(encodeMbap(transaction, unit, reply)));
      });
    }
    return true;
  }
}
