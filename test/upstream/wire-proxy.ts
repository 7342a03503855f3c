/** A TCP proxy before a server that cuts connections exactly where a test wants, around the word COMMIT, or changes a word of the server. */
import { connect, createServer, type Socket } from 'node:net';

/** before: COMMIT never reaches the server. after: the server commits, but its reply is lost. */
export type CutAtCommit = 'before' | 'after';

export interface WireProxy {
  readonly port: number;
  /** Cuts the next so many COMMITs. */
  cutCommits(how: CutAtCommit, count: number): void;
  readonly cuts: number;
  /** From now on the server's words `what` reach the gateway as `as`, of the same length. */
  disguise(what: string, as: string): void;
  /** From now on nothing gets through in either direction, not even the end of a connection. */
  freeze(): void;
  /** As when the network is back: what was under way is lost, new connections get through. */
  thaw(): void;
  close(): Promise<void>;
}

/** Listens on `port`, or on any free one. `pause_ms`: of a slow network, after each piece on its way to the server. */
export async function startWireProxy(target_port: number, port = 0, pause_ms = 0): Promise<WireProxy> {
  let how: CutAtCommit = 'before';
  let left = 0;
  let cuts = 0;
  let is_frozen = false;
  let [what, as] = ['', ''];
  const sockets = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(target_port, '127.0.0.1');
    let swallow_replies = false;
    const cut = () => {
      if (is_frozen) return;
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        if (is_frozen) return;
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', bytes => {
      if (is_frozen) return;
      if (left > 0 && bytes.includes('COMMIT')) {
        left--;
        cuts++;
        if (how === 'before') return cut();
        swallow_replies = true;
      }
      upstream.write(bytes);
      if (pause_ms === 0) return;
      client.pause();
      setTimeout(() => client.resume(), pause_ms);
    });
    upstream.on('data', bytes => {
      if (is_frozen) return;
      if (swallow_replies) return cut();
      const at = what === '' ? -1 : bytes.indexOf(what);
      if (at >= 0) bytes.write(as, at);
      client.write(bytes);
    });
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    cutCommits(next_how, count) {
      how = next_how;
      left = count;
    },
    get cuts() {
      return cuts;
    },
    disguise(found, shown) {
      [what, as] = [found, shown];
    },
    freeze() {
      is_frozen = true;
    },
    thaw() {
      is_frozen = false;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
