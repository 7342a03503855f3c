/** The WebSocket at `/ws`: the handshake goes through the same checks as any route, then messages to the hub. */
import websocket from '@fastify/websocket';
import { Compile } from 'typebox/compile';
import type { RawData, WebSocket } from 'ws';
import { ClientMessage } from '../../../core/contract/live.ts';
import { BINARY_PROTOCOL, JSON_PROTOCOL } from '../../../core/contract/live-binary.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { App, ServerContext } from '../options.ts';
import { LIVE_PATH, viewerOf } from '../plugins/authentication.ts';
import { problemOf } from '../problems.ts';
import { CLOSE_TRY_AGAIN, type LiveClient } from './client.ts';

const clientMessage = Compile(ClientMessage);

/** Comes before all hooks that may refuse a request: the socket of a refused handshake is then closed as well. */
export async function addWebSocket(app: App, { services, hub, limits }: ServerContext): Promise<void> {
  await app.register(websocket, {
    options: {
      maxPayload: limits.live_message_bytes,
      perMessageDeflate: false,
      clientTracking: false,
      handleProtocols: offered =>
        [BINARY_PROTOCOL, JSON_PROTOCOL].find(protocol => offered.has(protocol)) ?? false,
    },
    preClose: done => {
      hub.close();
      done();
    },
    // A message too large or malformed frames: `ws` has closed with the code that says so.
    errorHandler: (error, socket) => {
      services.log.debug({ reason: error.message }, 'A live connection broke');
      socket.terminate();
    },
  });
}

export function addLiveRoute(app: App, context: ServerContext): void {
  const { services, hub } = context;
  app.route({
    method: 'GET',
    url: LIVE_PATH,
    config: { access: 'login' },
    schema: { hide: true },
    onRequest: async request => hub.refuseIfFull(viewerOf(request), request.ip),
    handler: (_request, reply) => {
      reply.header('upgrade', 'websocket');
      throw new GatewayError('BAD_REQUEST', 'This is a WebSocket; connect with ws:// or wss://');
    },
    wsHandler: (socket: WebSocket, request) => {
      try {
        // Others may have come while the handshake went on.
        hub.refuseIfFull(viewerOf(request), request.ip);
      } catch (error) {
        socket.close(CLOSE_TRY_AGAIN, problemOf(error).detail.slice(0, 120));
        return;
      }
      const client = hub.add(socket, viewerOf(request), request.ip);
      socket.on('message', (data, binary) => receive(context, client, data, binary));
      socket.on('pong', () => client.noteReceived());
      socket.on('close', () => hub.remove(client));
      client.send({
        type: 'hello',
        user: client.viewer.user,
        t_ms: services.clock.wallMs(),
        interval_ms: services.interval_ms,
      });
    },
  });
}

function receive({ services, hub }: ServerContext, client: LiveClient, data: RawData, binary: boolean): void {
  client.noteReceived();
  if (!client.mayTalk()) return;
  const message = binary ? undefined : parsed(data.toString());
  if (!clientMessage.Check(message)) {
    client.refuse({ type: 'error', problem: problemOf(notUnderstood(binary)) });
    return;
  }
  try {
    if (message.type === 'ping') client.send({ type: 'pong', t_ms: services.clock.wallMs() });
    else if (message.type === 'subscribe') hub.subscribe(client, message.room);
    else hub.unsubscribe(client, message.room);
  } catch (error) {
    const room = message.type === 'ping' ? undefined : message.room;
    client.refuse({ type: 'error', ...(room && { room }), problem: problemOf(error) });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const notUnderstood = (binary: boolean) =>
  new GatewayError(
    'BAD_REQUEST',
    `Found ${binary ? 'a binary message' : 'a text that is no such message'}, expected {"type":"subscribe"|"unsubscribe","room":"fleet"|"alerts"|"system"|"battery:<id>"|"pack:<id>"} or {"type":"ping"}`,
  );
