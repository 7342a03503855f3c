/** The dashboards of fan-out.bench.ts, in a process of their own: they count what they receive, and decode nothing. */
import { WebSocket } from 'ws';

export interface ClientsOrder {
  readonly url: string;
  readonly token: string;
  readonly count: number;
  readonly protocol: string;
  readonly rooms: readonly string[];
}

export interface ClientsReport {
  readonly states: number;
  readonly bytes: number;
}

let states = 0;
let bytes = 0;

function connect({ url, token, protocol, rooms }: ClientsOrder): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, [protocol], {
    headers: { authorization: `Bearer ${token}` },
    rejectUnauthorized: false,
  });
  socket.on('message', (data: Buffer) => {
    states++;
    bytes += data.length;
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      for (const room of rooms) socket.send(JSON.stringify({ type: 'subscribe', room }));
      resolve();
    });
  });
}

process.on('message', async (order: ClientsOrder | 'report') => {
  if (order === 'report') {
    process.send?.({ states, bytes } satisfies ClientsReport);
    states = bytes = 0;
    return;
  }
  for (let i = 0; i < order.count; i++) await connect(order);
  process.send?.('connected');
});
process.on('disconnect', () => process.exit());
