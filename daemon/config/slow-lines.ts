/** Modbus lines that cannot carry a round of their units within the interval, with devices that answer as they typically do. */
import type { Finding } from '../../core/schema/problem.ts';
import { type ModbusConnection, transportOf } from '../../drivers/connections.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import { type LeastRound, leastRound } from '../../drivers/modbus/least-round.ts';
import { fittingInterval, inSeconds } from '../../drivers/modbus/line-rounds.ts';
import { DEFAULT_BAUD_RATE } from '../../drivers/modbus/open-wire.ts';
import type { ExpandedConnection } from './expand-connections.ts';

/** Warnings: such a line works, its packs are read in turn. `bindings`: by connection id. */
export function slowLines(
  connections: readonly ExpandedConnection[],
  bindings: ReadonlyMap<string, readonly PackBinding[]>,
  interval_ms: number,
): Finding[] {
  const warnings: Finding[] = [];
  for (const { connection, path } of connections) {
    const packs = (bindings.get(connection.id) ?? []).filter(({ profile }) => profile.fault === undefined);
    if (transportOf(connection.type) !== 'modbus' || packs.length === 0) continue;
    const modbus = connection as ModbusConnection;
    const least = leastOf(modbus, packs);
    if (!least || least.round_ms <= interval_ms) continue;
    const { round_ms, units, requests, answer_ms } = least;
    const who = `${units} ${units === 1 ? 'unit' : 'units'} on ${connection.id}`;
    const round = `whose round of ${Math.round(requests)} requests takes about ${inSeconds(round_ms)}`;
    const answers = `, each answered after ${Math.round(answer_ms)} ms`;
    warnings.push({
      path,
      found: `${who}, ${round}${paceOf(modbus)}${answers}`,
      expected: `a round within the interval of ${inSeconds(interval_ms)}; interval_ms ${fittingInterval(round_ms)} would fit`,
    });
  }
  return warnings;
}

/** Undefined: a pack's options do not fit its profile, which its driver says when it starts. */
function leastOf(connection: ModbusConnection, packs: readonly PackBinding[]): LeastRound | undefined {
  try {
    return leastRound(connection, packs);
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
