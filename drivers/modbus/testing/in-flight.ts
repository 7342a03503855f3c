/** Test bench for several requests in flight: a TCP server that answers when and in which order it is asked to. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../core/clock/clock.ts';
import { encodeMbap, type MbapFrame, MbapReader } from '../mbap.ts';
import { ModbusLink, type ReadFailure } from '../modbus-link.ts';
import { wireOf } from '../open-wire.ts';
import type { ReadRequest } from '../reply.ts';
import { VirtualModbusHub } from '../virtual-link.ts';

export interface ReceivedRequest {
  readonly socket: Socket;
  readonly frame: MbapFrame;
  /** First register of the request, by which tests know it. */
  readonly address: number;
  readonly count: number;
}

export interface HeldServer {
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  /** Requests received in all. */
  readonly received_count: number;
  close(): Promise<void>;
}

/** `onRequest` keeps a request, or answers it. */
export async function serveHeld(onRequest: (received: ReceivedRequest) => void): Promise<HeldServer> {
  const sockets = new Set<Socket>();
  let received_count = 0;
  const server: Server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    const reader = new MbapReader();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', bytes => {
      for (const frame of reader.push(Uint8Array.from(bytes))) {
        const { pdu } = frame;
        received_count++;
        onRequest({ socket, frame, address: (pdu[1] << 8) | pdu[2], count: (pdu[3] << 8) | pdu[4] });
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    sockets,
    get received_count() {
      return received_count;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** What a register holds: derived from its place, so that the reply to another request is known as such. */
export function wordAt(unit: number, address: number): number {
  return (address * 7 + unit * 4096) & 0xffff;
}

export function goodPdu({ frame, address, count }: ReceivedRequest): Uint8Array {
  const pdu = new Uint8Array(2 + 2 * count);
  pdu[0] = frame.pdu[0];
  pdu[1] = 2 * count;
  for (let i = 0; i < count; i++)
    new DataView(pdu.buffer).setUint16(2 + 2 * i, wordAt(frame.unit, address + i));
  return pdu;
}

export function reply({ socket, frame }: ReceivedRequest, pdu: Uint8Array): void {
  if (!socket.destroyed) socket.write(encodeMbap(frame.transaction, frame.unit, pdu));
}

export interface Asked {
  readonly request: ReadRequest;
  readonly words: Uint16Array;
  /** Its turn has come; false for ever where the link was stopped first. */
  is_begun: boolean;
  /** Undefined until it is settled. */
  outcome: ReadFailure | 'good' | undefined;
}

export interface LinkBench {
  readonly link: ModbusLink;
  readonly given_up: string[];
  readonly states: ('up' | 'down')[];
  /** Queues a read as a job of its own. */
  ask(unit: number, address: number, count: number, code?: ReadRequest['code']): Asked;
}

export function linkTo(port: number, clock: Clock, max_in_flight: number): LinkBench {
  const given_up: string[] = [];
  const states: ('up' | 'down')[] = [];
  const link = new ModbusLink({
    wire: wireOf({ id: 'link', type: 'modbus-tcp', host: '127.0.0.1', port }, new VirtualModbusHub()),
    clock,
    timeout_ms: 1000,
    gap_ms: 0,
    max_jobs: 1000,
    max_in_flight,
    onState: state => states.push(state),
    onInFlightGivenUp: reason => given_up.push(reason),
  });
  return {
    link,
    given_up,
    states,
    ask(unit, address, count, code = 3) {
      const request: ReadRequest = { unit, code, address, count };
      const asked: Asked = { request, words: new Uint16Array(count), is_begun: false, outcome: undefined };
      link.run(async () => {
        asked.is_begun = true;
        asked.outcome = (await link.read(request, asked.words)) ?? 'good';
      });
      return asked;
    },
  };
}

/** Whether it got what stands at the place it asked for. */
export function isRight({ request: { unit, address }, words }: Asked): boolean {
  return words.every((word, i) => word === wordAt(unit, address + i));
}
