/** What a connection of the configuration means on the wire: where bytes go, and how they are framed. */
import { connect, type Socket } from 'node:net';
import type { ModbusConnection } from './connections.ts';
import type { Framing } from './framing.ts';
import { type MbapCounters, MbapFraming, type OddHeaders } from './mbap-framing.ts';
import { type RtuCounters, RtuFraming } from './rtu/rtu-framing.ts';
import { SerialStream } from './rtu/serial-stream.ts';
import type { VirtualModbusHub } from './virtual-link.ts';
import type { Wire, WireStream } from './wire.ts';

export const DEFAULT_PORT = 502;
/** More than a longest frame, as nothing else is awaited. */
const READ_BYTES = 1024;
export const DEFAULT_BAUD_RATE = 9600;
/** Bits of a character with start, parity or second stop bit; 3.5 of them of silence end a frame. */
export const CHARACTER_BITS = 11;
const SILENT_CHARACTERS = 3.5;
/** Above 19,200 baud the silence no longer shrinks. Source: MODBUS over Serial Line V1.02, 2.5.1.1. */
const MIN_SILENCE_MS = 1.75;
/** A serial server does not report its baud rate. */
const SERVER_SILENCE_MS = 5;

export function wireOf(connection: ModbusConnection, hub: VirtualModbusHub): Wire {
  switch (connection.type) {
    case 'virtual-modbus': {
      const open = () => hub.connect(connection.id);
      return { name: `virtual link ${connection.id}`, ...mbap(open) };
    }
    case 'modbus-tcp':
      return { name: hostName(connection), ...mbap(() => tcp(connection), connection) };
    case 'modbus-rtu-tcp': {
      const counters = { stray_bytes: 0 };
      const { echo = false } = connection;
      return {
        name: `${hostName(connection)} (RTU)`,
        open: () => tcp(connection),
        frame: rtu(echo, counters),
        counters,
        silence_ms: SERVER_SILENCE_MS,
        has_transactions: false,
        peer_may_close: true,
        reopens_after_timeout: false,
        reopens_when_silent: true,
      };
    }
    case 'modbus-rtu': {
      const counters = { stray_bytes: 0 };
      const {
        port,
        baud_rate = DEFAULT_BAUD_RATE,
        parity = 'none',
        stop_bits = 1,
        echo = false,
      } = connection;
      return {
        name: port,
        open: () => new SerialStream({ path: port, baud_rate, parity, stop_bits }),
        frame: rtu(echo, counters),
        counters,
        silence_ms: Math.max(MIN_SILENCE_MS, (SILENT_CHARACTERS * CHARACTER_BITS * 1000) / baud_rate),
        has_transactions: false,
        peer_may_close: false,
        reopens_after_timeout: false,
        reopens_when_silent: false,
      };
    }
  }
}

function hostName({ host, port = DEFAULT_PORT }: { host: string; port?: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Bytes are read into one buffer that is used again: what a framing keeps of `data` it copies. That spares the
 * stream's own buffering, which costs a tenth of the reads per second that one connection can do.
 */
function tcp({ host, port = DEFAULT_PORT }: { host: string; port?: number }): Socket {
  const buffer = new Uint8Array(READ_BYTES);
  const callback = (length: number): boolean => {
    socket.emit('data', buffer.subarray(0, length));
    return true;
  };
  const onread = { buffer, callback };
  const socket: Socket = connect({ host, port, noDelay: true, keepAlive: true, onread });
  return socket;
}

function mbap(open: () => Socket, odd: OddHeaders = {}): Omit<Wire, 'name'> {
  const { reply_transaction = 'same' } = odd;
  const counters: MbapCounters & Record<string, number> = { late_replies: 0, trailing_bytes: 0 };
  return {
    open,
    frame: stream => new MbapFraming(stream, counters, odd),
    counters,
    silence_ms: 0,
    has_transactions: true,
    peer_may_close: true,
    reopens_after_timeout: reply_transaction === 'zero' || reply_transaction === 'any',
    reopens_when_silent: true,
  };
}

function rtu(echo: boolean, counters: RtuCounters): (stream: WireStream) => Framing {
  return stream => new RtuFraming(stream, { echo, counters });
}
