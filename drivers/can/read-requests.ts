/**
 * The only telegrams this gateway ever sends on a CAN bus: requests that, by their maker's paper, make the
 * battery report and change nothing in it. A profile polls with these or not at all, so that no data file can
 * close a contactor. A family that is polled otherwise needs its requests added here, with their source.
 */
import type { Poll } from './can-section.ts';

interface ReadRequest {
  readonly source: string;
  readonly extended: boolean;
  /** Ids without the device address. */
  readonly ids: readonly number[];
  /** Payloads as lower-case hex. */
  readonly data: readonly string[];
}

const READ_REQUESTS: readonly ReadRequest[] = [
  {
    source: 'Daly CAN communication protocol V1.0: commands 90 to 98 and 50, eight zero bytes',
    extended: true,
    ids: [0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x50].map(
      command => 0x18000040 + command * 0x10000,
    ),
    data: ['0000000000000000'],
  },
  {
    source: 'Pylontech high voltage CAN protocol: 4200 with 0 ensemble, 1 cells, 2 equipment',
    extended: true,
    ids: [0x4200],
    data: ['0000000000000000', '0100000000000000', '0200000000000000'],
  },
];

export function isReadRequest({ id, extended = false, data }: Poll): boolean {
  return READ_REQUESTS.some(
    known => known.extended === extended && known.ids.includes(id) && known.data.includes(data.toLowerCase()),
  );
}
