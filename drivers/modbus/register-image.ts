/** A unit's registers in memory, answering read requests as a device does. Writes are refused. */

export interface RegisterSegment {
  readonly address: number;
  readonly registers: Uint16Array;
}

export const ModbusException = {
  illegal_function: 1,
  illegal_data_address: 2,
  illegal_data_value: 3,
} as const;

const READ_HOLDING = 3;
const READ_INPUT = 4;
const MAX_READ = 125;

export class RegisterImage {
  readonly segments: readonly RegisterSegment[];

  /** One dense segment, or several with gaps between; a read across a gap gets exception 02. */
  constructor(...segments: readonly RegisterSegment[]) {
    this.segments = segments;
  }

  /** Answers a request PDU (function code first) with a reply PDU; never throws. */
  answer(request: Uint8Array): Uint8Array {
    const code = request[0] ?? 0;
    if (code !== READ_HOLDING && code !== READ_INPUT)
      return exception(code, ModbusException.illegal_function);
    if (request.length !== 5) return exception(code, ModbusException.illegal_data_value);
    const address = (request[1] << 8) | request[2];
    const count = (request[3] << 8) | request[4];
    if (count < 1 || count > MAX_READ) return exception(code, ModbusException.illegal_data_value);
    const segment = this.segments.find(
      ({ address: first, registers }) => address >= first && address + count <= first + registers.length,
    );
    if (!segment) return exception(code, ModbusException.illegal_data_address);
    const reply = new Uint8Array(2 + 2 * count);
    reply[0] = code;
    reply[1] = 2 * count;
    const from = address - segment.address;
    for (let i = 0; i < count; i++) {
      const word = segment.registers[from + i];
      reply[2 + 2 * i] = word >> 8;
      reply[3 + 2 * i] = word & 0xff;
    }
    return reply;
  }
}

function exception(code: number, exceptionCode: number): Uint8Array {
  return Uint8Array.of(code | 0x80, exceptionCode);
}
