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

function checksumOf({ byte, start, plus_id }: Checksum, { id, data }: Summed): number {
  let sum = start + (plus_id ? id : 0);
  for (let i = 0; i < byte; i++) sum += data[i];
  return sum & 0xff;
}
