/** The browser's WebSocket as the feed wants it. */
import { BINARY_PROTOCOL, JSON_PROTOCOL } from '../../../core/contract/live-binary.ts';
import type { FeedSocket, SocketEvents } from './feed.ts';

export function openSocket(events: SocketEvents): FeedSocket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}/ws`, [BINARY_PROTOCOL, JSON_PROTOCOL]);
  socket.binaryType = 'arraybuffer';
  socket.onmessage = event => events.onMessage(event.data as string | ArrayBuffer);
  socket.onclose = event => events.onClose(event.code);
  return {
    send: text => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    },
  };
}
