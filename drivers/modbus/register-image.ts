/** A unit's registers in memory, answering read requests as a device does. Writes are refused. */
import type { PackReading } from '../../core/reading/pack-reading.ts';

export interface RegisterSegment {
  /** Of the first register (or coil). */
  readonly address: number;
  /** One element per register, or per coil. */
  readonly registers: Uint16Array;
  /** The one function that reads it; undefined: 3 and 4 alike. */
  readonly code?: number;
  /** Addresses from one register to the next (default 1). */
  readonly step?: number;
  /** Most elements per request (default: as many as Modbus allows). */
  readonly max_count?: number;
}

export const ModbusException = {
  illegal_function: 1,
  illegal_data_address: 2,
  illegal_data_value: 3,
} as const;

/** The registers of a simulated unit. */
export interface UnitImage {
  readonly image: RegisterImage;
  /** Shows the reading; a missing value becomes what the device has for "none". */
  write(reading: PackReading): void;
}

const MAX_REGISTERS = 125;
const MAX_COILS = 2000;

export class RegisterImage {
  readonly segments: readonly RegisterSegment[];

  /** One dense segment, or several with gaps between; a read across a gap gets exception 02. */
  constructor(...segments: readonly RegisterSegment[]) {
    this.segments = segments;
  }

  /** Answers a request PDU (function code first) with a reply PDU; never throws. */
  answer(request: Uint8Array): Uint8Array {
    const code = request[0] ?? 0;
    const served = this.segments.filter(({ code: only }) => only === code || (!only && isRegisterRead(code)));
    if (served.length === 0) return exception(code, ModbusException.illegal_function);
    if (request.length !== 5) return exception(code, ModbusException.illegal_data_value);
    const address = (request[1] << 8) | request[2];
    const count = (request[3] << 8) | request[4];
    const most = code <= 2 ? MAX_COILS : MAX_REGISTERS;
    if (count < 1 || count > most) return exception(code, ModbusException.illegal_data_value);
    for (const { address: first, registers, step = 1, max_count = most } of served) {
      const from = (address - first) / step;
      if (from < 0 || from + count > registers.length || !Number.isInteger(from)) continue;
      if (count > max_count) return exception(code, ModbusException.illegal_data_value);
      return code <= 2
        ? coilReply(code, registers, from, count)
        : registerReply(code, registers, from, count);
    }
    return exception(code, ModbusException.illegal_data_address);
  }
}

function isRegisterRead(code: number): boolean {
  return code === 3 || code === 4;
}

function registerReply(code: number, registers: Uint16Array, from: number, count: number): Uint8Array {
  const reply = new Uint8Array(2 + 2 * count);
  reply[0] = code;
  reply[1] = 2 * count;
  for (let i = 0; i < count; i++) {
    const word = registers[from + i];
    reply[2 + 2 * i] = word >> 8;
    reply[3 + 2 * i] = word & 0xff;
  }
  return reply;
}

/** Eight to a byte, lowest first. */
function coilReply(code: number, coils: Uint16Array, from: number, count: number): Uint8Array {
  const reply = new Uint8Array(2 + ((count + 7) >> 3));
  reply[0] = code;
  reply[1] = reply.length - 2;
  for (let i = 0; i < count; i++) if (coils[from + i]) reply[2 + (i >> 3)] |= 1 << (i & 7);
  return reply;
}

function exception(code: number, exceptionCode: number): Uint8Array {
  return Uint8Array.of(code | 0x80, exceptionCode);
}
