/** Check sum of Modbus RTU frames. Source: MODBUS over Serial Line V1.02, 6.2.2 and appendix B. */

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffff;
  for (let i = from; i < to; i++) crc = (crc >> 8) ^ TABLE[(crc ^ bytes[i]) & 0xff];
  return crc;
}

/** Unit, function code and data with their check sum, low byte first. */
export function encodeRtu(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3);
  frame[0] = unit;
  frame.set(pdu, 1);
  putCrc(frame, pdu.length + 1);
  return frame;
}

/** Writes the check sum of the first `length` bytes behind them, low byte first. */
export function putCrc(bytes: Uint8Array, length: number): void {
  const crc = crc16(bytes, 0, length);
  bytes[length] = crc & 0xff;
  bytes[length + 1] = crc >> 8;
}

/** True where the last two of `length` bytes are the check sum of those before. */
export function crcFits(bytes: Uint8Array, from: number, length: number): boolean {
  const crc = crc16(bytes, from, from + length - 2);
  return bytes[from + length - 2] === (crc & 0xff) && bytes[from + length - 1] === crc >> 8;
}
