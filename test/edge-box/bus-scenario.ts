/**
 * Runs inside the edge box: one SocketCanBus through what interfaces do, and what it reported on the way.
 * It judges nothing; the test does.
 */
import { execFileSync } from 'node:child_process';
import { systemClock } from '../../core/clock/system-clock.ts';
import { formatCanId } from '../../drivers/can/can-bus.ts';
import { SocketCanBus } from '../../drivers/can/socketcan-bus.ts';
import { bringUp, ip, until } from './inside.ts';

export interface BusObservations {
  /** `state: reason` in the order reported. */
  readonly states: string[];
  /** Frames received, as `cansend` writes them. */
  readonly frames: string[];
  counters: Readonly<Record<string, number>>;
}

const BUS = 'vcan9';
const RECEIVED = [
  { id: 0x123, extended: false },
  { id: 0x18ff0001, extended: true },
];
/** Of these the first and the last are asked for: the others are another id, the other kind, a remote frame. */
const SENT = ['123#0102', '124#0102', '00000123#CC', '18FF0002#AA', '123#R', '18FF0001#AABB'];

export async function observeBus(): Promise<BusObservations> {
  const seen: BusObservations = { states: [], frames: [], counters: {} };
  const bus = new SocketCanBus(BUS, systemClock);
  const reported = (what: string) =>
    until(
      what,
      () => seen.states.at(-1) ?? '',
      state => state.startsWith(what),
    );
  const receivesRound = async (round: number) => {
    for (const frame of SENT) execFileSync('cansend', [BUS, frame]);
    await until(
      `frames of round ${round}`,
      () => seen.frames.length,
      count => count >= 2 * round,
    );
  };
  try {
    await bus.open(RECEIVED, {
      onFrame: ({ id, extended, data, length }) => {
        const bytes = Buffer.from(data.subarray(0, length)).toString('hex').toUpperCase();
        seen.frames.push(`${formatCanId(id, extended)}#${bytes}`);
      },
      onState: (state, reason) => seen.states.push(`${state}: ${reason ?? ''}`),
    });
    await reported('down');
    bringUp(BUS);
    await reported('up');
    await receivesRound(1);
    ip('link', 'set', BUS, 'down');
    await reported('down');
    ip('link', 'set', BUS, 'up');
    await reported('up');
    await receivesRound(2);
    ip('link', 'del', BUS);
    await reported('down');
    bringUp(BUS);
    await reported('up');
    await receivesRound(3);
    bus.restart();
    await reported('up');
    await until(
      'reopened',
      () => bus.counters.reopenings,
      count => count >= 2,
    );
    await receivesRound(4);
    await bus.close();
    await bus.close();
    execFileSync('cansend', [BUS, SENT[0]]);
  } finally {
    await bus.close();
    seen.counters = bus.counters;
  }
  return seen;
}
