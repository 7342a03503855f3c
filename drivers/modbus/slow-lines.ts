/** Lines that cannot carry a round of their units within the interval, with devices that answer as they typically do. */
import type { PackBinding } from '../driver.ts';
import type { Misfit } from '../transport.ts';
import type { ModbusConnection } from './connections.ts';
import { type LeastRound, leastRound } from './least-round.ts';
import { fittingInterval, inSeconds } from './line-rounds.ts';
import { DEFAULT_BAUD_RATE } from './open-wire.ts';

/** Such a line works, its packs are read in turn. */
export function slownessOf(
  connection: ModbusConnection,
  bindings: readonly PackBinding[],
  interval_ms: number,
): Misfit | undefined {
  const least = leastOf(connection, bindings);
  if (!least || least.round_ms <= interval_ms) return undefined;
  const { round_ms, units, requests, answer_ms } = least;
  const who = `${units} ${units === 1 ? 'unit' : 'units'} on ${connection.id}`;
  const round = `whose round of ${Math.round(requests)} requests takes about ${inSeconds(round_ms)}`;
  const answers = `, each answered after ${Math.round(answer_ms)} ms`;
  return {
    found: `${who}, ${round}${paceOf(connection)}${answers}`,
    expected: `a round within the interval of ${inSeconds(interval_ms)}; interval_ms ${fittingInterval(round_ms)} would fit`,
  };
}

/** Undefined: a pack's options do not fit its profile, which its driver says when it starts. */
function leastOf(connection: ModbusConnection, bindings: readonly PackBinding[]): LeastRound | undefined {
  try {
    return leastRound(connection, bindings);
  } catch {
    return undefined;
  }
}

function paceOf(connection: ModbusConnection): string {
  const baud =
    connection.type === 'modbus-rtu' ? ` at ${connection.baud_rate ?? DEFAULT_BAUD_RATE} baud` : '';
  const { gap_ms = 0 } = connection;
  return gap_ms > 0 ? `${baud} with pauses of ${gap_ms} ms` : baud;
}
