/** How requests and replies look on a connection: what a link puts on its stream. */
import type { ModbusError, ModbusReply, ReadRequest } from './reply.ts';

export type OnReply = (error: ModbusError | null, reply: ModbusReply | undefined) => void;

export interface Framing {
  /**
   * Sends one request; `onReply` comes at most once. Nothing that arrived before belongs to it. A second one
   * may follow before the reply only where replies carry the number of their request.
   */
  send(request: ReadRequest, onReply: OnReply): void;
  /**
   * The reply is awaited no longer; where it is known when it comes after all, `onReply` is called, without data.
   * What came in its place, in words; undefined: nothing came.
   */
  giveUp(onReply: OnReply): string | undefined;
}
