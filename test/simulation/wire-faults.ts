/**
 * A proxy before PostgreSQL that understands message boundaries (PostgreSQL documentation, "Message Formats"), so
 * that a connection breaks at a chosen message, not at a chosen moment: the same seed breaks the same place.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Before: the message never leaves. Within: half of it does. Reply: it arrives, the reply does not. Freeze: nothing
 * more passes, nobody is notified. Refuse: the query is answered with an error. Hold: it waits for `release`.
 */
export const WIRE_FAULTS = [
  'cut_before',
  'cut_within',
  'cut_reply',
  'freeze',
  'freeze_reply',
  'refuse',
  'hold',
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];

export interface ArmedFault {
  readonly fault: WireFault;
  /** At the n-th message to the server from now on, or at the next COMMIT. */
  readonly at: number | 'commit';
}

const QUERY = 0x51;
const PARSE = 0x50;
const SYNC = 0x53;
const COPY_DONE = 0x63;
const PASSWORD = 0x70;
const WITH_REPLY: ReadonlySet<number> = new Set([QUERY, SYNC, COPY_DONE, PASSWORD]);

export class WireFaults {
  readonly #target_port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  #armed: ArmedFault | undefined;
  #messages_left = 0;
  is_down = false;
  /** Called when something was held or frozen. */
  onStandstill: () => void = () => {};
  readonly hits: Record<WireFault, number> = {
    cut_before: 0,
    cut_within: 0,
    cut_reply: 0,
    freeze: 0,
    freeze_reply: 0,
    refuse: 0,
    hold: 0,
  };

  constructor(target_port: number) {
    this.#target_port = target_port;
    this.#server = createServer(client => {
      if (this.is_down) client.destroy();
      else this.#links.add(new Link(client, this.#target_port, this));
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (!address || typeof address === 'string') throw new Error('the proxy has no port');
    return address.port;
  }

  arm(fault: ArmedFault | undefined): void {
    this.#armed = fault;
    this.#messages_left = typeof fault?.at === 'number' ? fault.at : 0;
  }

  get isHeld(): boolean {
    return [...this.#links].some(link => link.isHeld);
  }

  get isFrozen(): boolean {
    return [...this.#links].some(link => link.isFrozen);
  }

  release(): void {
    for (const link of this.#links) link.release();
  }

  /** Ends every connection, as when the process at one end is gone. */
  cutAll(): void {
    for (const link of this.#links) link.cut();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise(resolve => this.#server.close(resolve));
  }

  /** What is to happen to this message. */
  take(message: Buffer): WireFault | undefined {
    const armed = this.#armed;
    if (!armed) return undefined;
    const is_due = armed.at === 'commit' ? isCommit(message) : this.#messages_left-- <= 0;
    if (!is_due) return undefined;
    this.#armed = undefined;
    this.hits[armed.fault]++;
    return armed.fault;
  }

  left(link: Link): void {
    this.#links.delete(link);
    this.onStandstill();
  }
}

class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #faults: WireFaults;
  #pending: Buffer = Buffer.alloc(0);
  #has_begun = false;
  #loses_reply = false;
  #freezes_reply = false;
  /** The query whose messages up to Sync are swallowed. */
  #refusing = false;
  isHeld = false;
  isFrozen = false;

  constructor(client: Socket, target_port: number, faults: WireFaults) {
    this.#client = client;
    this.#faults = faults;
    this.#server = connect(target_port, '127.0.0.1');
    for (const socket of [this.#client, this.#server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
      socket.on('close', () => this.cut());
    }
    this.#client.on('data', bytes => {
      this.#pending = Buffer.concat([this.#pending, bytes]);
      this.#forward();
    });
    this.#server.on('data', bytes => {
      if (this.#loses_reply) this.cut();
      else if (this.#freezes_reply) this.#freeze();
      else if (!this.isFrozen) this.#client.write(bytes);
    });
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
    this.isHeld = false;
    this.isFrozen = false;
    this.#faults.left(this);
  }

  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    const message = this.#nextMessage();
    if (message) this.#server.write(message);
    this.#forward();
  }

  #forward(): void {
    const passed: Buffer[] = [];
    while (!this.isHeld && !this.isFrozen && !this.#loses_reply && !this.#freezes_reply) {
      const message = this.#peekMessage();
      if (!message) break;
      if (this.#refusing) {
        this.#nextMessage();
        if (message[0] === SYNC) this.#answerRefused();
        continue;
      }
      const fault = this.#has_begun ? this.#faults.take(message) : undefined;
      if (fault === 'hold') {
        this.isHeld = true;
        break;
      }
      this.#nextMessage();
      if (fault === undefined) passed.push(message);
      else this.#break(fault, message, passed.splice(0));
    }
    if (passed.length > 0 && !this.#server.destroyed) this.#server.write(Buffer.concat(passed));
    if (this.isHeld) this.#faults.onStandstill();
  }

  #break(fault: WireFault, message: Buffer, passed: readonly Buffer[]): void {
    const before = Buffer.concat(passed);
    switch (fault) {
      case 'cut_within':
        this.#server.end(Buffer.concat([before, message.subarray(0, message.length >> 1)]));
        this.#client.destroy();
        return;
      case 'cut_reply':
      case 'freeze_reply':
        this.#server.write(Buffer.concat([before, message]));
        if (!WITH_REPLY.has(message[0])) {
          if (fault === 'cut_reply') this.cut();
          else this.#freeze();
          return;
        }
        this.#loses_reply = fault === 'cut_reply';
        this.#freezes_reply = fault === 'freeze_reply';
        return;
      case 'freeze':
        this.#server.write(before);
        this.#freeze();
        return;
      case 'refuse':
        this.#server.write(before);
        if (message[0] === QUERY) this.#answerRefused();
        else if (message[0] === PARSE) this.#refusing = true;
        else this.cut();
        return;
      default:
        this.#server.end(before);
        this.#client.destroy();
    }
  }

  #freeze(): void {
    this.isFrozen = true;
    this.#faults.onStandstill();
  }

  /** ErrorResponse and ReadyForQuery; the server knows nothing of it. */
  #answerRefused(): void {
    this.#refusing = false;
    const fields = Buffer.from('SERROR\0C53100\0MNo space left on device\0\0');
    const head = Buffer.from([0x45, 0, 0, 0, 4 + fields.length]);
    this.#client.write(Buffer.concat([head, fields, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]));
  }

  #peekMessage(): Buffer | undefined {
    const head = this.#has_begun ? 1 : 0;
    if (this.#pending.length < head + 4) return undefined;
    const size = head + this.#pending.readUInt32BE(head);
    return this.#pending.length < size ? undefined : this.#pending.subarray(0, size);
  }

  #nextMessage(): Buffer | undefined {
    const message = this.#peekMessage();
    if (!message) return undefined;
    this.#pending = this.#pending.subarray(message.length);
    this.#has_begun = true;
    return message;
  }
}

function isCommit(message: Buffer): boolean {
  return message[0] === QUERY && message.toString('latin1', 5, 11) === 'COMMIT';
}
