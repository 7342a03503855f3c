/** Checksums inside a frame's payload, as profiles declare them. */
import type { CanFrame } from './can-bus.ts';
import type { Checksum } from './can-section.ts';

type Summed = Pick<CanFrame, 'id' | 'data' | 'length'>;

/** False also where the frame is too short to carry its checksum. */
export function checksumFits(checksum: Checksum, frame: Summed): boolean {
  const { byte } = checksum;
  return byte < Math.min(frame.length, frame.data.length) && frame.data[byte] === checksumOf(checksum, frame);
}

/** Writes the checksum into `frame.data`, which must be long enough. */
export function putChecksum(checksum: Checksum, frame: Summed): void {
  frame.data[checksum.byte] = checksumOf(checksum, frame);
}

function checksumOf({ kind, byte, start, plus_id }: Checksum, { id, data }: Summed): number {
  if (kind === 'crc8_85') return crc8(data, byte, start);
  let sum = start + (plus_id ? id : 0);
  for (let i = 0; i < byte; i++) sum += data[i];
  return (kind === 'inverted_sum8' ? ~sum : sum) & 0xff;
}

/** Highest bit first, nothing reflected; polynomial x^8 + x^7 + x^2 + 1. */
function crc8(data: Uint8Array, count: number, start: number): number {
  let crc = start;
  for (let i = 0; i < count; i++) {
    crc ^= data[i];
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x80 ? (crc << 1) ^ 0x85 : crc << 1) & 0xff;
  }
  return crc;
}
