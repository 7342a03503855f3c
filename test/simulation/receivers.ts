/**
 * A webhook and a mail server at the socket, which fail where they are asked to. What one of them has taken whole it keeps,
 * whether its answer arrives or not: that is what counts as received.
 */
import { createServer, type Server, type Socket } from 'node:net';

export const RECEIVERS = ['hook', 'mail'] as const;
export type ReceiverName = (typeof RECEIVERS)[number];

/**
 * Refuse: it says no, and has not taken it. Fail: the same after the whole message; a webhook answers 503. Fail taken: 503
 * of a proxy, behind which it was taken. Cut before: no word. Cut within: in the message. Cut reply: taken, no answer.
 * Stall: nothing more until `release`, taken or not.
 */
export const RECEIVER_FAULTS = [
  'refuse',
  'fail',
  'fail_taken',
  'cut_before',
  'cut_within',
  'cut_reply',
  'stall',
  'stall_taken',
] as const;
export type ReceiverFault = (typeof RECEIVER_FAULTS)[number];

/** One message that was taken whole. */
export interface Copy {
  readonly receiver: ReceiverName;
  readonly notification_id: string;
  /** The same in every copy: a body, or a mail with its headers. */
  readonly text: string;
}

interface Message {
  readonly notification_id: string;
  readonly text: string;
}

const ID = /^(?:x-)?bms-notification-id: *(\S+)/im;

export class Receivers {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #stalled = new Map<Socket, () => void>();
  readonly #armed = new Map<ReceiverName, ReceiverFault>();
  readonly is_down = new Set<ReceiverName>();
  readonly port: Record<ReceiverName, number> = { hook: 0, mail: 0 };
  readonly hits: Record<ReceiverFault, number>;
  onTaken: (copy: Copy) => void = () => {};
  /** It has said that it took the last one of these. */
  onAccepted: (name: ReceiverName, notification_id: string) => void = () => {};
  onStall: () => void = () => {};

  constructor() {
    this.hits = Object.fromEntries(RECEIVER_FAULTS.map(name => [name, 0])) as Record<ReceiverFault, number>;
  }

  async listen(): Promise<void> {
    this.port.hook = await this.#serve(socket => this.#hook(socket));
    this.port.mail = await this.#serve(socket => this.#mail(socket));
  }

  /** The next connection of this receiver fails so. */
  arm(name: ReceiverName, fault: ReceiverFault): void {
    this.#armed.set(name, fault);
  }

  get stalled(): number {
    return this.#stalled.size;
  }

  /** Those that stall answer, or end without an answer. */
  release(answers: boolean): void {
    for (const [socket, answer] of [...this.#stalled]) {
      this.#stalled.delete(socket);
      if (answers) answer();
      else socket.destroy();
    }
  }

  /** As new: every fault is over. */
  reset(): void {
    this.release(false);
    this.#armed.clear();
    this.is_down.clear();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map(server => new Promise(resolve => server.close(resolve))));
  }

  async #serve(talk: (socket: Socket) => void): Promise<number> {
    const server = createServer(socket => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#stalled.delete(socket);
      });
      talk(socket);
    });
    this.#servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('the receiver has no port');
    return address.port;
  }

  #faultOf(name: ReceiverName): ReceiverFault | undefined {
    if (this.is_down.has(name)) return 'cut_before';
    const fault = this.#armed.get(name);
    this.#armed.delete(name);
    if (fault) this.hits[fault]++;
    return fault;
  }

  #hook(socket: Socket): void {
    const fault = this.#faultOf('hook');
    if (fault === 'cut_before') return void socket.destroy();
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => {
      text += piece;
      if (fault === 'cut_within') return void socket.destroy();
      const head_end = text.indexOf('\r\n\r\n');
      const length = Number(/^content-length: *(\d+)/im.exec(text)?.[1]);
      const body = head_end < 0 ? '' : text.slice(head_end + 4);
      if (head_end < 0 || Buffer.byteLength(body) < length) return;
      const message = { notification_id: ID.exec(text)?.[1] ?? '', text: body };
      const reply = (status: string) =>
        socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nOK`);
      this.#finish('hook', socket, fault, message, {
        accept: () => reply('200 OK'),
        refuse: () => reply('404 Not Found'),
        fail: () => reply('503 Service Unavailable'),
      });
    });
  }

  #mail(socket: Socket): void {
    const fault = this.#faultOf('mail');
    if (fault === 'cut_before') return void socket.destroy();
    let text = '';
    let isData = false;
    socket.setEncoding('utf8');
    socket.write('220 mail.test ESMTP\r\n');
    socket.on('data', (piece: string) => {
      text += piece;
      for (;;) {
        const end = text.indexOf(isData ? '\r\n.\r\n' : '\r\n');
        if (isData && fault === 'cut_within') return void socket.destroy();
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + (isData ? 5 : 2));
        if (!isData) isData = command(socket, part, fault === 'refuse');
        else {
          isData = false;
          const message = { notification_id: ID.exec(part)?.[1] ?? '', text: part };
          this.#finish('mail', socket, fault === 'fail_taken' ? 'fail' : fault, message, {
            accept: () => socket.write('250 taken\r\n'),
            refuse: () => socket.write('554 no\r\n'),
            fail: () => socket.write('554 no\r\n'),
          });
        }
      }
    });
  }

  /** The whole message is here. */
  #finish(
    receiver: ReceiverName,
    socket: Socket,
    fault: ReceiverFault | undefined,
    { notification_id, text }: Message,
    answers: Readonly<Record<'accept' | 'refuse' | 'fail', () => void>>,
  ): void {
    if (fault === 'refuse' || fault === 'fail') {
      answers[fault]();
      return;
    }
    const take = () => this.onTaken({ receiver, notification_id, text });
    const accept = () => {
      this.onAccepted(receiver, notification_id);
      answers.accept();
    };
    if (fault === 'stall') {
      this.#stall(socket, () => {
        take();
        accept();
      });
      return;
    }
    take();
    if (fault === 'fail_taken') answers.fail();
    else if (fault === 'cut_reply') socket.destroy();
    else if (fault === 'stall_taken') this.#stall(socket, accept);
    else accept();
  }

  #stall(socket: Socket, answer: () => void): void {
    this.#stalled.set(socket, answer);
    this.onStall();
  }
}

/** Whether the message follows. */
function command(socket: Socket, line: string, refuses: boolean): boolean {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'MAIL' && refuses) socket.write('451 come again later\r\n');
  else if (verb === 'DATA') socket.write('354 go ahead\r\n');
  else if (verb === 'QUIT') socket.end('221 bye\r\n');
  else socket.write('250 OK\r\n');
  return verb === 'DATA';
}
