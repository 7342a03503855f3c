/** For tests: a real WebSocket client that remembers what it received and can wait for more. */
import { WebSocket } from 'ws';
import type { ClientMessage, ServerMessage } from '../../../core/contract/live.ts';
import { StateDecoder, type StateMessage } from '../../../core/contract/live-binary.ts';

export type { StateMessage };

export class TestClient {
  readonly socket: WebSocket;
  /** What it came with, for another one of the same session. */
  readonly headers: Record<string, string>;
  readonly messages: ServerMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Bytes of the states received, in either form. */
  binary_bytes = 0;
  state_text_bytes = 0;
  readonly #decoder = new StateDecoder();
  #read = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: WebSocket, headers: Record<string, string>) {
    this.socket = socket;
    this.headers = headers;
    socket.on('message', (data, binary) => {
      const message = binary ? this.#decoder.decode(data as Buffer) : JSON.parse(String(data));
      if (binary) this.binary_bytes += (data as Buffer).length;
      else if (message.type === 'state') this.state_text_bytes += (data as Buffer).length;
      if (!message) throw new Error(`Cannot decode ${(data as Buffer).toString('hex')}`);
      this.messages.push(message);
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise(resolve =>
      socket.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) });
        this.#wake?.();
      }),
    );
  }

  /** Connects, or rejects with the status of the refusal as message. */
  static open(url: string, headers: Record<string, string>, protocols: string[] = []): Promise<TestClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, protocols, { headers });
    const client = new TestClient(socket, headers);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('unexpected-response', (_request, response) => {
        reject(new Error(String(response.statusCode)));
        response.destroy();
      });
    });
  }

  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message of this type that was not yet waited for. */
  async next<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>> {
    for (;;) {
      for (; this.#read < this.messages.length; ) {
        const message = this.messages[this.#read++];
        if (message.type === type) return message as Extract<ServerMessage, { type: T }>;
      }
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error(`Closed while waiting for ${type}`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Everything that was sent before this call has arrived when it resolves. */
  async settled(): Promise<void> {
    this.send({ type: 'ping' });
    await this.next('pong');
  }

  async subscribed(room: string): Promise<StateMessage> {
    this.send({ type: 'subscribe', room });
    return this.next('state');
  }

  forget(room: string): void {
    this.#decoder.forget(room);
  }

  states(): StateMessage[] {
    return this.messages.filter(message => message.type === 'state');
  }
}
