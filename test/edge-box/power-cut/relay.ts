/**
 * TCP connections of the box to the centre, all over one serial line, in frames of
 * u8 kind | u16 connection | u32 length | bytes. So the box needs no network device, and the outside no rights.
 *
 * The box says how many bytes it has taken, and is never sent more than its line holds (4096): what a serial line of
 * User-Mode Linux cannot hold is not always delivered once there is room again.
 */
import { openSync, writeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ReadStream } from 'node:tty';

const HEAD_BYTES = 7;
const Frame = { open: 1, data: 2, end: 3, taken: 4 } as const;
const MAX_UNTAKEN_BYTES = 2048;

function frame(kind: number, connection: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(kind, 0);
  head.writeUInt16BE(connection, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload]);
}

type Handler = (kind: number, connection: number, payload: Buffer) => void;

/** Cuts a stream of bytes into frames. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);
  readonly #handle: Handler;

  constructor(handle: Handler) {
    this.#handle = handle;
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUInt32BE(3);
      if (this.#rest.length < end) return;
      this.#deliver(end);
    }
  }

  /** The line broke in the middle of a frame: a network would have delivered what came before. */
  flush(): void {
    if (this.#rest.length > HEAD_BYTES) this.#deliver(this.#rest.length);
  }

  #deliver(end: number): void {
    const taken = this.#rest;
    this.#rest = taken.subarray(end);
    this.#handle(taken.readUInt8(0), taken.readUInt16BE(1), taken.subarray(HEAD_BYTES, end));
  }
}

/** In the box: listens on `port` of its loopback and passes on over the serial line `device`. */
export function listenInBox(port: number, device: string): Promise<Server> {
  const output = openSync(device, 'w');
  const sockets = new Map<number, Socket>();
  const send = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at);
  };
  const frames = new Frames((kind, connection, payload) => {
    if (kind === Frame.data) sockets.get(connection)?.write(payload);
    else sockets.get(connection)?.destroy();
  });
  new ReadStream(openSync(device, 'r')).on('data', chunk => {
    frames.push(chunk as Buffer);
    const taken = Buffer.alloc(4);
    taken.writeUInt32BE(chunk.length);
    send(frame(Frame.taken, 0, taken));
  });
  let count = 0;
  const server = createServer(socket => {
    const connection = ++count & 0xffff;
    sockets.set(connection, socket);
    send(frame(Frame.open, connection));
    socket.on('data', chunk => send(frame(Frame.data, connection, chunk)));
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(connection);
      send(frame(Frame.end, connection));
    });
  });
  return new Promise(resolve => server.listen(port, '127.0.0.1', () => resolve(server)));
}

/** Outside: the other end of the line. */
export class RelayOutside {
  readonly #line: Duplex;
  readonly #target: { readonly port: number; readonly reachable: boolean };
  readonly #sockets = new Map<number, Socket>();
  readonly #frames = new Frames((kind, connection, payload) => this.#take(kind, connection, payload));
  /** For the box, in their order. */
  #waiting: Buffer[] = [];
  #untaken_bytes = 0;
  #broken = false;
  connections = 0;

  /** Not `reachable`: whoever connects is turned away. */
  constructor(line: Duplex, target: { readonly port: number; readonly reachable: boolean }) {
    this.#line = line;
    this.#target = target;
    line.on('data', chunk => this.#frames.push(chunk));
    line.on('error', () => {});
  }

  /** The box is gone: what it sent is delivered; the connections stay half open until `hangUp`. */
  breakOff(): void {
    this.#broken = true;
    this.#frames.flush();
  }

  /** As when the centre notices. */
  hangUp(): void {
    this.#broken = true;
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sockets.clear();
  }

  #take(kind: number, connection: number, payload: Buffer): void {
    if (kind === Frame.open) this.#connect(connection);
    else if (kind === Frame.data) this.#sockets.get(connection)?.write(payload);
    else if (kind === Frame.taken) {
      this.#untaken_bytes -= payload.readUInt32BE();
      this.#pass();
    } else this.#sockets.get(connection)?.destroy();
  }

  #connect(connection: number): void {
    if (!this.#target.reachable) {
      this.#toBox(frame(Frame.end, connection));
      return;
    }
    this.connections++;
    const socket = connect(this.#target.port, '127.0.0.1');
    this.#sockets.set(connection, socket);
    socket.on('data', chunk => this.#toBox(frame(Frame.data, connection, chunk)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(connection);
      this.#toBox(frame(Frame.end, connection));
    });
  }

  #toBox(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#pass();
  }

  #pass(): void {
    while (!this.#broken && this.#waiting.length > 0 && this.#untaken_bytes < MAX_UNTAKEN_BYTES) {
      const [first] = this.#waiting;
      const piece = first.subarray(0, MAX_UNTAKEN_BYTES - this.#untaken_bytes);
      if (piece.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(piece.length);
      this.#untaken_bytes += piece.length;
      this.#line.write(piece);
    }
  }
}
